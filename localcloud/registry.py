"""Which resource types the local cloud knows, and how."""

from localcloud.internals import need


def native_types() -> list[str]:
    return sorted(need("services.cloudformation.provisioners", "_RESOURCE_HANDLERS")._RESOURCE_HANDLERS)


def install() -> dict[str, str]:
    return {}
