"""Rotating a secret runs its rotation function, and the versions of a secret behave meanwhile.

Without this fix the emulator makes the old value the new version and calls nobody; a pending version can be put twice,
with another value or beside an older pending one; and a secret made by a template heeds neither excluded kinds of
characters nor that each kind must occur.
"""

import contextvars
import json
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from localcloud import iam_log
from localcloud.internals import need

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
_DAY = 86400
_OK = 200
Data = dict[str, Any]


def apply() -> None:
    """Wrap the actions and the value of a template's secret."""
    secrets = need(
        "services.secretsmanager",
        *("_rotate_secret", "_put_secret_value", "_get_secret_value", "_describe_secret", "_get_random_password"),
        *("_resolve", "_find_stage_version", "_remove_stage_everywhere", "error_response_json", "json_response"),
        *("new_uuid", "_is_replica"),
    )
    provisioners = need("services.cloudformation.provisioners", "_sm_secret_string", "_cfn_bool")
    declared = provisioners._sm_secret_string

    def generated(props: Data) -> str:
        wanted = props.get("GenerateSecretString")
        if not wanted or props.get("SecretString"):
            return str(declared(props))
        numbers = ("PasswordLength",)
        texts = ("ExcludeCharacters", "SecretStringTemplate", "GenerateStringKey")
        asked = {name: int(wanted[name]) for name in numbers if name in wanted}
        asked |= {name: wanted[name] for name in texts if name in wanted}
        asked |= {name: provisioners._cfn_bool(wanted[name]) for name in wanted.keys() - asked.keys()}
        answer = secrets._get_random_password(asked)
        made = json.loads(answer[2])
        if answer[0] != _OK:
            raise ValueError(f"GenerateSecretString: {made['message']}")
        if "SecretStringTemplate" not in wanted:
            return str(made["RandomPassword"])
        text = json.loads(wanted["SecretStringTemplate"])
        return json.dumps(text | {wanted.get("GenerateStringKey", "password"): made["RandomPassword"]})

    versions = _Versions(secrets)
    vars(secrets).update(
        _rotate_secret=_Rotations(secrets).rotate,
        _put_secret_value=versions.put,
        _get_secret_value=versions.get,
        _describe_secret=_described(secrets),
    )
    vars(provisioners)["_sm_secret_string"] = generated


def _described(secrets: Any) -> Callable[[Data], Any]:
    describe = secrets._describe_secret

    def described(data: Data) -> Any:
        answer = describe(data)
        if answer[0] != _OK:
            return answer
        _key, secret = secrets._resolve(data["SecretId"])
        dates = {name: secret[name] for name in ("LastRotatedDate", "NextRotationDate") if secret.get(name)}
        return secrets.json_response(json.loads(answer[2]) | dates)

    return described


class _Versions:
    """Versions of a secret that are pending."""

    def __init__(self, secrets: Any) -> None:
        self._secrets = secrets
        self._put, self._get = secrets._put_secret_value, secrets._get_secret_value

    def put(self, data: Data) -> Any:
        """PutSecretValue: the same again is no harm, another value for the same token is refused."""
        _key, secret = self._secrets._resolve(data.get("SecretId"))
        version = (secret or {"Versions": {}})["Versions"].get(data.get("ClientRequestToken"))
        if version and _has_value(version):
            if any(version[name] != data.get(name) for name in ("SecretString", "SecretBinary")):
                message = "You can't modify an existing version, you can only create a new version."
                return self._secrets.error_response_json("ResourceExistsException", message, 400)
            return self._secrets.json_response({
                "ARN": secret["ARN"],
                "Name": secret["Name"],
                "VersionId": data["ClientRequestToken"],
                "VersionStages": list(version["Stages"]),
            })  # fmt: skip
        answer = self._put(data)
        if answer[0] == _OK:
            made = json.loads(answer[2])["VersionId"]
            for stage in set(data.get("VersionStages", [])) - {"AWSCURRENT", "AWSPREVIOUS"}:
                self._secrets._remove_stage_everywhere(secret, stage, except_version_id=made)
        return answer

    def get(self, data: Data) -> Any:
        """GetSecretValue: a pending version has no value before createSecret puts one."""
        answer = self._get(data)
        told = json.loads(answer[2])
        if answer[0] != _OK or _has_value(told):
            return answer
        asked = data.get("VersionStage", told["VersionId"])
        message = f"Secrets Manager can't find the specified secret value for staging label: {asked}"
        return self._secrets.error_response_json("ResourceNotFoundException", message, 400)


class _Rotations:
    """RotateSecret."""

    def __init__(self, secrets: Any) -> None:
        self._secrets = secrets
        self._stub = secrets._rotate_secret

    def rotate(self, data: Data) -> Any:
        """Start a rotation; it goes on after the answer, as on AWS."""
        _key, secret = self._secrets._resolve(data.get("SecretId"))
        if not secret or secret.get("DeletedDate") or self._secrets._is_replica(secret):
            return self._stub(data)  # refuses
        function = data.get("RotationLambdaARN") or secret.get("RotationLambdaARN")
        if not function:
            message = "No Lambda rotation function ARN is associated with this secret."
            return self._refuse("InvalidRequestException", message)
        if not _may_invoke(function, secret["ARN"]):
            # The user guide's "Troubleshoot AWS Secrets Manager rotation".
            message = "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy "
            message += "grants access to the principal secretsmanager.amazonaws.com."
            return self._refuse("AccessDeniedException", message)
        rules = data.get("RotationRules") or secret.get("RotationRules")
        secret.update(RotationLambdaARN=function, RotationRules=rules, RotationEnabled=True)
        if days := (rules or {}).get("AutomaticallyAfterDays"):
            secret["NextRotationDate"] = int(time.time()) + int(days) * _DAY
        pending, version = self._secrets._find_stage_version(secret, "AWSPENDING")
        if pending and "AWSCURRENT" not in version["Stages"]:
            self._start(secret, pending)
            message = "A previous rotation isn't complete. That rotation will be reattempted."
            return self._refuse("InvalidRequestException", message)
        answer = {"ARN": secret["ARN"], "Name": secret["Name"]}
        if data.get("RotateImmediately", True):
            token = answer["VersionId"] = data.get("ClientRequestToken") or self._secrets.new_uuid()
            self._secrets._remove_stage_everywhere(secret, "AWSPENDING")
            empty = {"SecretString": None, "SecretBinary": None, "CreatedDate": int(time.time())}
            secret["Versions"][token] = empty | {"Stages": ["AWSPENDING"]}
            self._start(secret, token)
        return self._secrets.json_response(answer)

    def _refuse(self, code: str, message: str) -> Any:
        return self._secrets.error_response_json(code, message, 400)

    def _start(self, secret: Data, token: str) -> None:
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(self._run, secret, token), daemon=True).start()

    def _run(self, secret: Data, token: str) -> None:
        """Ask the function for one step after the other; it may be asked again by another RotateSecret."""
        functions = need(
            "services.lambda_svc",
            *("_get_func_record_for_ref", "_execution_record_for_config", "_execute_function_with_config_scope"),
        )
        record, config, _name = functions._get_func_record_for_ref(secret["RotationLambdaARN"])
        function = functions._execution_record_for_config(record, config)
        for step in STEPS:
            event = {"Step": step, "SecretId": secret["ARN"], "ClientRequestToken": token}
            result = functions._execute_function_with_config_scope(function, event)
            if result.get("error"):
                logging.getLogger("secretsmanager").error("%s of %s: %s", step, secret["Name"], result.get("body"))
                return
        if "AWSCURRENT" in secret["Versions"].get(token, {}).get("Stages", []):
            secret["LastRotatedDate"] = secret["LastChangedDate"] = int(time.time())


def _has_value(version: Data) -> bool:
    return version.get("SecretString") is not None or version.get("SecretBinary") is not None


def _may_invoke(function: str, secret_arn: str) -> bool:
    """Whether the function's policy lets Secrets Manager in for this secret."""
    functions = need("services.lambda_svc", "function_policy_for_arn")
    evaluator = need("core.iam_evaluator", "EvalContext", "evaluate_resource_policy")
    policy, account = functions.function_policy_for_arn(function) or ({}, "")
    context = evaluator.EvalContext(
        principal_arn="*",
        principal_type="Service",
        principal_account="",
        action="lambda:InvokeFunction",
        resource_arn=function,
        region=function.split(":")[3],
        secure_transport=True,
        service_context={"aws:sourcearn": secret_arn, "aws:sourceaccount": account},
    )
    service = "secretsmanager.amazonaws.com"
    allowed = bool(evaluator.evaluate_resource_policy(policy, context, service=service).decision == "Allow")
    iam_log.record(principal=service, action="lambda:InvokeFunction", resource=function, allowed=allowed)
    return allowed
