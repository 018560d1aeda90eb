"""localcloud/fixes/signed_urls.py."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest
import urllib3
from botocore.signers import CloudFrontSigner
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from localcloud.cloud import LocalCloud
from tests.localcloud import probes

pytestmark = pytest.mark.cloud

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
FREE = "videos/trailer.txt"


def distribution(cloud: LocalCloud) -> dict[str, str]:
    """A bucket with two files behind a distribution that asks for signatures, but for the trailer."""
    behaviour = {
        "TargetOriginId": "videos",
        "ViewerProtocolPolicy": "https-only",
        "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",  # AWS's own: CachingOptimized
    }
    signed = {**behaviour, "TrustedKeyGroups": [{"Ref": "Group"}]}
    origin = {
        "Id": "videos",
        "DomainName": probes.attribute("Bucket", "RegionalDomainName"),
        "S3OriginConfig": {"OriginAccessIdentity": ""},
        "OriginAccessControlId": probes.attribute("Access", "Id"),
    }
    access = {"Name": f"access-{time.time_ns()}", "OriginAccessControlOriginType": "s3"}
    config = {
        "Enabled": True,
        "Origins": [origin],
        "DefaultCacheBehavior": signed,
        "CacheBehaviors": [{**behaviour, "PathPattern": FREE}],
    }
    key = {"CallerReference": "r", "Name": "key", "EncodedKey": PEM}
    may_read = probes.allow("s3:GetObject", {"Fn::Sub": "${Bucket.Arn}/*"}) | {
        "Principal": {"Service": "cloudfront.amazonaws.com"}
    }
    made = probes.deploy(
        cloud,
        {
            "Bucket": {"Type": "AWS::S3::Bucket"},
            "Policy": {
                "Type": "AWS::S3::BucketPolicy",
                "Properties": {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": {"Statement": [may_read]}},
            },
            "Access": {
                "Type": "AWS::CloudFront::OriginAccessControl",
                "Properties": {
                    "OriginAccessControlConfig": access | {"SigningBehavior": "always", "SigningProtocol": "sigv4"}
                },
            },
            "Key": {"Type": "AWS::CloudFront::PublicKey", "Properties": {"PublicKeyConfig": key}},
            "Group": {
                "Type": "AWS::CloudFront::KeyGroup",
                "Properties": {"KeyGroupConfig": {"Name": f"group-{time.time_ns()}", "Items": [{"Ref": "Key"}]}},
            },
            "Distribution": {
                "Type": "AWS::CloudFront::Distribution",
                "Properties": {"DistributionConfig": config},
            },
        },
        Domain=("Distribution", "DomainName"),
    )
    for name in ("videos/film.txt", FREE):
        cloud.client("s3").put_object(Bucket=made["Bucket"], Key=name, Body=name.encode())
    return made


def get(cloud: LocalCloud, url: str, *, tls: bool = True) -> tuple[int, str]:
    """What the distribution says to a URL of it."""
    host, _, path = url.removeprefix("https://").partition("/")
    pool: Any = (
        urllib3.HTTPSConnectionPool(
            "127.0.0.1", cloud.ready.port, ca_certs=str(cloud.ca_bundle), server_hostname=host, assert_hostname=host
        )
        if tls
        else urllib3.HTTPConnectionPool("127.0.0.1", cloud.ready.plain_port)
    )
    with pool:
        got = pool.request("GET", f"/{path}", headers={"Host": host}, retries=False)
    return got.status, got.data.decode()


def signed(made: dict[str, str], seconds: int = 60) -> str:
    """A signed URL of the film."""
    signer = CloudFrontSigner(made["Key"], lambda text: KEY.sign(text, padding.PKCS1v15(), SHA1()))  # noqa: S303
    until = datetime.fromtimestamp(int(time.time()) + seconds, UTC)
    return str(signer.generate_presigned_url(f"https://{made['Domain']}/videos/film.txt", date_less_than=until))


def test_what_is_signed_is_served_and_nothing_else(cloud: LocalCloud) -> None:
    made = distribution(cloud)
    assert get(cloud, signed(made)) == (200, "videos/film.txt")
    status, said = get(cloud, f"https://{made['Domain']}/videos/film.txt")
    assert (status, "<Code>MissingKey</Code>" in said) == (403, True)
    status, said = get(cloud, signed(made, seconds=-1))
    assert (status, "<Code>AccessDenied</Code>" in said) == (403, True)
    assert get(cloud, signed(made).replace("film", "other"))[0] == 403
    assert get(cloud, f"https://{made['Domain']}/{FREE}") == (200, FREE), "this behaviour trusts no group: it is open"
    status, said = get(cloud, signed(made), tls=False)
    assert (status, "must use HTTPS" in said) == (403, True)


def test_the_emulator_alone_still_asks_for_no_signature(bare: LocalCloud) -> None:
    made = distribution(bare)
    assert get(bare, f"https://{made['Domain']}/videos/film.txt") == (200, "videos/film.txt")
