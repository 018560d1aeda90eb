"""Public keys of CloudFront and groups of them: the emulator's API has both, its CloudFormation has neither."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from localcloud.internals import need
from localcloud.resource_types._cloudfront import answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from localcloud.registry import Props, Registry

_RSA_BITS = 2048


def register(registry: Registry) -> None:
    """Add the types. Both are changed in place; the key of a public key never, as on AWS."""
    for resource_type, kind in (("AWS::CloudFront::PublicKey", PublicKey), ("AWS::CloudFront::KeyGroup", KeyGroup)):
        registry._add(resource_type, "adapter", kind.create, kind.update, kind.delete)


class PublicKey:
    """AWS::CloudFront::PublicKey."""

    @staticmethod
    def create(_logical_id: str, props: Props, _stack_name: str) -> tuple[str, dict[str, str]]:
        """CreatePublicKey; Ref is the id."""
        check_key(props["PublicKeyConfig"]["EncodedKey"])
        made = answer(_service()._create_public_key(_xml("PublicKeyConfig", props["PublicKeyConfig"])))
        return _attributes(made, "CreatedTime")

    @staticmethod
    def update(key_id: str, _old: Props, new: Props, _stack_name: str, _logical_id: str) -> tuple[str, dict[str, str]]:
        """UpdatePublicKey, which takes a new comment and nothing else."""
        body, tag = _xml("PublicKeyConfig", new["PublicKeyConfig"]), _etag(_service()._get_public_key(key_id))
        return _attributes(answer(_service()._update_public_key(key_id, tag, body)), "CreatedTime")

    @staticmethod
    def delete(key_id: str, _props: Props) -> None:
        """DeletePublicKey; refused while a key group has it."""
        if key_id in _service()._public_keys:
            answer(_service()._delete_public_key(key_id, _etag(_service()._get_public_key(key_id))))


class KeyGroup:
    """AWS::CloudFront::KeyGroup."""

    @staticmethod
    def create(_logical_id: str, props: Props, _stack_name: str) -> tuple[str, dict[str, str]]:
        """CreateKeyGroup; Ref is the id."""
        made = answer(_service()._create_key_group(_xml("KeyGroupConfig", props["KeyGroupConfig"])))
        return _attributes(made, "LastModifiedTime")

    @staticmethod
    def update(
        group_id: str, _old: Props, new: Props, _stack_name: str, _logical_id: str
    ) -> tuple[str, dict[str, str]]:
        """UpdateKeyGroup: other keys, another name."""
        body, tag = _xml("KeyGroupConfig", new["KeyGroupConfig"]), _etag(_service()._get_key_group(group_id))
        return _attributes(answer(_service()._update_key_group(group_id, tag, body)), "LastModifiedTime")

    @staticmethod
    def delete(group_id: str, _props: Props) -> None:
        """DeleteKeyGroup; refused while a distribution trusts it."""
        if group_id in _service()._key_groups:
            answer(_service()._delete_key_group(group_id, _etag(_service()._get_key_group(group_id))))


def check_key(pem: str) -> None:
    """Raise ValueError unless this is a key that CloudFront takes: RSA of 2048 bits or ECDSA P-256, in PEM."""
    try:
        key = load_pem_public_key(pem.encode())
    except ValueError as error:
        message = f"InvalidArgument: Your request contains empty/invalid/out of limits RSA Encoded Key: {error}"
        raise ValueError(message) from None
    is_rsa = isinstance(key, rsa.RSAPublicKey) and key.key_size == _RSA_BITS
    if not is_rsa and not (isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)):
        message = "InvalidArgument: the key must be RSA of 2048 bits or ECDSA P-256"
        raise ValueError(message)


def _service() -> Any:
    names = [
        f"_{verb}_{what}" for verb in ("create", "get", "update", "delete") for what in ("public_key", "key_group")
    ]
    return need("services.cloudfront", "_public_keys", "_key_groups", *names)


def _xml(tag: str, config: Mapping[str, Any]) -> bytes:
    root = ET.Element(tag)
    for name, value in config.items():
        element = ET.SubElement(root, name)
        for item in value if isinstance(value, list) else ():
            ET.SubElement(element, "PublicKey").text = item
        if isinstance(value, str):
            element.text = value
    return bytes(ET.tostring(root))


def _etag(response: Any) -> dict[str, str]:
    answer(response)
    return {"if-match": response[1]["ETag"]}


def _attributes(made: ET.Element, when: str) -> tuple[str, dict[str, str]]:
    found = made.findtext("Id", "")
    return found, {"Id": found, when: made.findtext(when, "")}
