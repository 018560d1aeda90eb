"""The names of a stack's servers: a public zone, one certificate for all of them, and aliases."""

from aws_cdk import CfnOutput, Fn, Stack
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_route53 as route53
from constructs import Construct

from stacks.settings import Settings

# Source: AWS Certificate Manager API reference, RequestCertificate, DomainName: the common name of RFC 5280.
_LONGEST = 64


class Domain(Construct):
    """`<stack>.<domain>` and names below it, with a certificate for all.

    Defines a public hosted zone, unless that of the domain is brought with ``hosted_zone_id``, and a certificate that
    is validated by DNS in it. The name is the stack's own, so that a stack cloned under another ``prefix`` gets others.

    Args:
        key: The scenario, ``microservices``.
        settings: Domain, zone and prefix.

    Attributes:
        name: ``microservices.example.com``.
        zone: Where the records are.
        certificate: For ``name`` and each name one label below it.

    Raises:
        ValueError: ``name`` is longer than a certificate's may be.
    """

    def __init__(self, scope: Construct, construct_id: str, *, key: str, settings: Settings) -> None:
        super().__init__(scope, construct_id)
        self.name = f"{settings.prefix.lower()}{key}.{settings.domain}"
        if len(self.name) > _LONGEST:
            rule = f"must leave at most {_LONGEST} characters for {key} with the prefix"
            raise ValueError(f"domain: {rule}, got {self.name!r} of {len(self.name)}")
        if settings.hosted_zone_id:
            self.zone: route53.IHostedZone = route53.HostedZone.from_hosted_zone_attributes(
                self, "Zone", hosted_zone_id=settings.hosted_zone_id, zone_name=settings.domain
            )
        else:
            zone = route53.PublicHostedZone(self, "Zone", zone_name=self.name)
            self.zone = zone
            CfnOutput(
                Stack.of(self),
                "NameServers",
                value=Fn.join(" ", zone.hosted_zone_name_servers or []),
                description="Enter them where the domain is registered; the certificate waits for it",
            )
        self.certificate = acm.Certificate(
            self,
            "Certificate",
            domain_name=self.name,
            subject_alternative_names=[f"*.{self.name}"],
            validation=acm.CertificateValidation.from_dns(self.zone),
        )

    def alias(self, label: str, target: route53.IAliasRecordTarget) -> str:
        """Give a load balancer, an API or a distribution a name (and record); the name.

        Args:
            label: ``orders`` for ``orders.<name>``; empty for the name itself.
            target: What answers.
        """
        name = f"{label}.{self.name}" if label else self.name
        route53.ARecord(
            self,
            f"{label.capitalize() or 'Own'}Record",
            zone=self.zone,
            record_name=f"{name}.",
            target=route53.RecordTarget.from_alias(target),
        )
        return name
