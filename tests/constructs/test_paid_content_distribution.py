"""The distribution of paid content: nothing without a signature, nothing past CloudFront."""

import json
from typing import Any, cast

import aws_cdk as cdk
import pytest
from aws_cdk import Duration
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_iam as iam

from constructs_lib import PaidContentDistribution
from tests.repo.policies import identity_statements, many, resource_statements
from tests.templates import Template, bare_stack, only, resources, synthesized

DISTRIBUTION, BUCKET = "AWS::CloudFront::Distribution", "AWS::S3::Bucket"
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/1234"


def content(**props: Any) -> tuple[PaidContentDistribution, cdk.Stack]:
    stack = bare_stack()
    return PaidContentDistribution(stack, "Videos", **props), stack


def with_name(**props: Any) -> cdk.Stack:
    stack = bare_stack()
    certificate = acm.Certificate.from_certificate_arn(stack, "Certificate", CERTIFICATE)
    PaidContentDistribution(stack, "Videos", certificate=certificate, **props)
    return stack


def config(source: Template | cdk.Stack) -> dict[str, Any]:
    found: dict[str, Any] = only(source, DISTRIBUTION)["DistributionConfig"]
    return found


def test_every_request_must_be_signed_by_a_key_of_the_group() -> None:
    template = synthesized(content()[1])
    (group,) = resources(template, "AWS::CloudFront::KeyGroup")
    made = config(template)
    assert made["DefaultCacheBehavior"]["TrustedKeyGroups"] == [{"Ref": group}]
    assert "CacheBehaviors" not in made, "another behaviour might ask for no signature"


def test_viewers_come_by_https_with_get_and_head() -> None:
    behaviour = config(content()[1])["DefaultCacheBehavior"]
    assert behaviour["ViewerProtocolPolicy"] == "https-only"
    assert behaviour["AllowedMethods"] == ["GET", "HEAD"]


def test_an_address_that_a_link_is_bound_to_is_the_one_that_comes() -> None:
    assert config(content()[1])["IPV6Enabled"] is False


def test_only_this_distribution_reads_the_bucket() -> None:
    template = synthesized(content()[1])
    (distribution,) = resources(template, DISTRIBUTION)
    reads = [one for _, one in resource_statements(template) if "s3:GetObject" in many(one["Action"])]
    (read,) = [one for one in reads if one["Effect"] == "Allow"]
    assert read["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert {"Ref": distribution} in read["Condition"]["StringEquals"]["AWS:SourceArn"]["Fn::Join"][1]
    (origin,) = config(template)["Origins"]
    assert "OriginAccessControlId" in origin


def test_access_is_logged_and_cookies_are_not() -> None:
    made, stack = content()
    template = synthesized(stack)
    logging = config(template)["Logging"]
    logs = stack.get_logical_id(cast("cdk.CfnElement", made.access_logs_bucket.node.default_child))
    assert logging["Bucket"] == {"Fn::GetAtt": [logs, "RegionalDomainName"]}
    assert (logging["Prefix"], logging.get("IncludeCookies", False)) == ("viewers/", False)
    ownership = resources(template, BUCKET)[logs]["OwnershipControls"]["Rules"]
    assert ownership == [{"ObjectOwnership": "BucketOwnerPreferred"}], "CloudFront could not write its logs"
    (videos,) = [bucket for name, bucket in resources(template, BUCKET).items() if name != logs]
    assert videos["LoggingConfiguration"]["DestinationBucketName"] == {"Ref": logs}
    assert videos["VersioningConfiguration"] == {"Status": "Enabled"}


def test_answers_have_security_headers() -> None:
    policy = only(content()[1], "AWS::CloudFront::ResponseHeadersPolicy")["ResponseHeadersPolicyConfig"]
    headers = policy["SecurityHeadersConfig"]
    assert headers["StrictTransportSecurity"]["AccessControlMaxAgeSec"] == 365 * 86400
    assert headers["ReferrerPolicy"]["ReferrerPolicy"] == "no-referrer", "a signed URL would travel on"
    assert headers["FrameOptions"]["FrameOption"] == "DENY"
    assert headers["ContentTypeOptions"]["Override"] is True
    assert "default-src 'none'" in headers["ContentSecurityPolicy"]["ContentSecurityPolicy"]


def test_a_name_of_ones_own_demands_tls_1_2() -> None:
    made = config(with_name(domain_name="videos.example.com"))
    assert made["Aliases"] == ["videos.example.com"]
    assert made["ViewerCertificate"]["MinimumProtocolVersion"] == "TLSv1.2_2021"
    assert made["ViewerCertificate"]["AcmCertificateArn"] == CERTIFICATE
    assert "ViewerCertificate" not in config(content()[1])


def test_what_a_signer_is_told() -> None:
    made, stack = content(signs_with="green", link_validity=Duration.minutes(2), bind_ip=True)
    told = {name: stack.resolve(text) for name, text in made.environment.items()}
    assert (told["SIGNING_KEY"], told["LINK_SECONDS"], told["BIND_IP"]) == ("green", "120", "true")
    parts = told["SIGNING_KEYS"]["Fn::Join"][1]
    refs = [part["Ref"] for part in parts if isinstance(part, dict)]
    listed = json.loads("".join(part if isinstance(part, str) else part["Ref"] for part in parts))
    assert set(listed) == {"blue", "green"}
    template = synthesized(stack)
    known = {**resources(template, "AWS::CloudFront::PublicKey"), **resources(template, "AWS::SecretsManager::Secret")}
    assert set(refs) == set(known)


def test_by_default_the_first_key_signs_for_five_minutes_for_any_address() -> None:
    made, _ = content()
    assert (made.environment["SIGNING_KEY"], made.environment["LINK_SECONDS"]) == ("blue", "300")
    assert made.environment["BIND_IP"] == "false"
    assert content(signing_keys=["b", "c"])[0].environment["SIGNING_KEY"] == "b"


def test_a_publisher_may_put_videos_and_a_signer_may_sign() -> None:
    made, stack = content()
    person = iam.Role(stack, "Person", assumed_by=iam.AccountPrincipal(stack.account))
    assert made.grant_publish(person).success
    assert made.grant_sign(person).success
    found = [one for name, one in identity_statements(synthesized(stack)) if name.startswith("Person")]
    assert sorted(one["Action"] for one in found) == ["s3:PutObject", "secretsmanager:GetSecretValue"]
    (put,) = [one for one in found if one["Action"] == "s3:PutObject"]
    assert put["Resource"]["Fn::Join"][1][-1] == "/videos/*"


def test_two_in_one_stack_share_nothing() -> None:
    made, stack = content()
    other = PaidContentDistribution(stack, "MoreVideos")
    template = synthesized(stack)
    assert len(resources(template, DISTRIBUTION)) == 2
    assert len(resources(template, BUCKET)) == 4
    assert made.keys.key_group.key_group_id != other.keys.key_group.key_group_id


def test_data_stays_unless_told_otherwise() -> None:
    for policy, expected in ((cdk.RemovalPolicy.RETAIN, "Retain"), (cdk.RemovalPolicy.DESTROY, "Delete")):
        template = synthesized(content(removal_policy=policy)[1])
        kinds = {BUCKET, "AWS::SecretsManager::Secret"}
        found = [one["DeletionPolicy"] for one in template["Resources"].values() if one["Type"] in kinds]
        assert found == [expected] * 4
    assert (
        synthesized(content()[1])["Resources"]
        == synthesized(content(removal_policy=cdk.RemovalPolicy.RETAIN)[1])["Resources"]
    )


def test_the_alarms_are_those_of_the_parts() -> None:
    made, stack = content()
    assert len(made.alarms) == len(resources(stack, "AWS::CloudWatch::Alarm")) == 2


@pytest.mark.parametrize(
    ("props", "says"),
    [
        ({"link_validity": Duration.seconds(0)}, "link_validity: must be whole seconds between 1 and 86400, got 0"),
        ({"link_validity": Duration.hours(25)}, "link_validity: must be .* got 90000 seconds"),
        ({"link_validity": Duration.millis(1500)}, "link_validity: must be whole seconds"),
        ({"signs_with": "red"}, "signs_with: must be one of blue, green, got 'red'"),
        ({"domain_name": "videos.example.com"}, "domain_name, certificate: must be .* together, got domain_name alone"),
        ({"domain_name": "https://x"}, "domain_name: must be a name as"),
        ({"signing_keys": []}, r"names \(number\): must be between 1 and 5, got 0"),
    ],
)
def test_what_is_refused(props: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        content(**props)


def test_a_certificate_without_a_name_is_refused() -> None:
    with pytest.raises(ValueError, match="got certificate alone"):
        with_name()
