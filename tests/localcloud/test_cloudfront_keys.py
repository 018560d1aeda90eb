"""localcloud/resource_types/cloudfront_keys.py: CloudFront's public keys and groups of them."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from localcloud.cloud import LocalCloud
from localcloud.resource_types.cloudfront_keys import check_key
from tests.localcloud import probes

pytestmark = pytest.mark.cloud


def pem(key: Any) -> str:
    return str(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


def rsa_key(bits: int = 2048) -> str:
    return pem(rsa.generate_private_key(public_exponent=65537, key_size=bits))


OLD, NEW = rsa_key(), rsa_key()


def key(name: str, encoded: str, comment: str = "") -> dict[str, Any]:
    config = {"CallerReference": name, "Name": name, "EncodedKey": encoded, "Comment": comment}
    return {"Type": "AWS::CloudFront::PublicKey", "Properties": {"PublicKeyConfig": config}}


def group(*keys: str) -> dict[str, Any]:
    config = {"Name": "rotated", "Items": [{"Ref": one} for one in keys]}
    return {"Type": "AWS::CloudFront::KeyGroup", "Properties": {"KeyGroupConfig": config}}


@pytest.mark.lifecycle("AWS::CloudFront::PublicKey", "AWS::CloudFront::KeyGroup")
def test_keys_are_rotated_in_place_and_leave_with_their_stack(cloud: LocalCloud) -> None:
    cloudfront = cloud.client("cloudfront")
    made = probes.deploy(cloud, {"Old": key("old", OLD), "Group": group("Old")}, When=("Old", "CreatedTime"))
    assert made["Old"].startswith("K")
    assert made["When"].startswith("20")
    found = cloudfront.get_public_key(Id=made["Old"])["PublicKey"]["PublicKeyConfig"]
    assert (found["EncodedKey"], found["Name"]) == (OLD, "old")

    def trusted() -> list[str]:
        items = cloudfront.get_key_group(Id=made["Group"])["KeyGroup"]["KeyGroupConfig"]["Items"]
        return [cloudfront.get_public_key(Id=item)["PublicKey"]["PublicKeyConfig"]["Name"] for item in items]

    assert trusted() == ["old"]
    both = {"Old": key("old", OLD, "going"), "New": key("new", NEW), "Group": group("Old", "New")}
    probes.update(cloud, both)
    assert trusted() == ["old", "new"]
    assert cloudfront.get_public_key(Id=made["Old"])["PublicKey"]["PublicKeyConfig"]["Comment"] == "going"
    probes.update(cloud, {"New": key("new", NEW), "Group": group("New")})
    assert trusted() == ["new"]
    with pytest.raises(cloudfront.exceptions.NoSuchPublicKey):
        cloudfront.get_public_key(Id=made["Old"])

    probes.destroy(cloud)
    with pytest.raises(cloudfront.exceptions.NoSuchResource):
        cloudfront.get_key_group(Id=made["Group"])


def test_what_is_no_key_fails_the_stack(cloud: LocalCloud) -> None:
    with pytest.raises(AssertionError, match=r"Bad: .*InvalidArgument"):
        probes.deploy(cloud, {"Bad": key("bad", "-----BEGIN PUBLIC KEY-----\nno\n-----END PUBLIC KEY-----\n")})


@pytest.mark.parametrize("good", [OLD, pem(ec.generate_private_key(ec.SECP256R1()))])
def test_keys_that_cloudfront_takes(good: str) -> None:
    check_key(good)


@pytest.mark.parametrize("bad", [rsa_key(1024), rsa_key(3072), pem(ec.generate_private_key(ec.SECP384R1())), "x"])
def test_keys_that_it_does_not_take(bad: str) -> None:
    with pytest.raises(ValueError, match="InvalidArgument"):
        check_key(bad)
