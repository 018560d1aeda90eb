"""Streams of a template keep their encryption and the largest record they take, which may be more than 1 MiB.

Without this fix the emulator's CloudFormation drops StreamEncryption and MaxRecordSizeInKiB, and its Kinesis refuses
records of more than 1 MiB and batches of more than 5 MiB, the limits before October 2025. Now a batch may have 10 MiB,
and a record what its stream allows: 1 MiB unless said otherwise, 10 MiB at most.
"""

import base64
from collections.abc import Callable
from typing import Any

from localcloud.internals import EmulatorMismatchError, need

MIB = 1024 * 1024
# The numbers that are written in the emulator's two functions.
OLD_RECORD, OLD_BATCH = 1_048_576, 5_242_880


def apply() -> None:
    """Wrap the stream's handlers, and raise the two limits behind a check of the stream's own."""
    handlers = need("services.cloudformation.provisioners", "_RESOURCE_HANDLERS")._RESOURCE_HANDLERS
    kinesis = need("services.kinesis", "_streams", "_put_record", "_put_records", "_resolve_stream")
    refuse = need("core.responses", "error_response_json").error_response_json
    handler = handlers["AWS::Kinesis::Stream"]

    def keep(name: str, props: dict[str, Any]) -> None:
        encryption = props.get("StreamEncryption") or {}
        kinesis._streams[name] |= {
            "EncryptionType": encryption.get("EncryptionType", "NONE"),
            "KeyId": encryption.get("KeyId"),
            "MaxRecordSizeInKiB": int(props.get("MaxRecordSizeInKiB") or 1024),
        }

    def create(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        made = handler["create"](logical_id, props, stack_name)
        keep(made[0], props)
        return made

    def update(name: str, old: dict[str, Any], new: dict[str, Any], *rest: Any) -> Any:
        made = handler["update"](name, old, new, *rest)
        keep(made[0], new)
        return made

    def checked(put: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
        raised = _with_limits(put)

        def called(data: dict[str, Any]) -> Any:
            _name, stream = kinesis._resolve_stream(data)
            allowed = (stream or {}).get("MaxRecordSizeInKiB", 1024) * 1024
            largest = max((_size(each) for each in data.get("Records", [data])), default=0)
            if largest > allowed:
                said = f"Member must have length less than or equal to {allowed}"
                where = "1 validation error detected: Value at 'data' failed to satisfy constraint: "
                return refuse("ValidationException", where + said, 400)
            return raised(data)

        return called

    handlers["AWS::Kinesis::Stream"] = handler | {"create": create, "update": update}
    vars(kinesis).update(_put_record=checked(kinesis._put_record), _put_records=checked(kinesis._put_records))


def _size(record: dict[str, Any]) -> int:
    return len(base64.b64decode(record.get("Data") or ""))


def _with_limits(put: Any) -> Any:
    """The same function with today's limits in place of those written in it."""
    constants = put.__code__.co_consts
    if OLD_RECORD not in constants:
        raise EmulatorMismatchError(f"{put.__name__} has no limit of {OLD_RECORD} bytes any more")
    today = {OLD_RECORD: 10 * MIB, OLD_BATCH: 10 * MIB}
    # A constant may be of any type, and only numbers are looked up.
    replaced = tuple(today.get(each, each) if type(each) is int else each for each in constants)
    put.__code__ = put.__code__.replace(co_consts=replaced)
    return put
