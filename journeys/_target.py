"""Where a journey runs: the local cloud or AWS."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """The cloud that a journey talks to. On AWS everything but the region is None.

    Attributes:
        endpoint_url: The local cloud's TLS endpoint, ``https://127.0.0.1:<port>``.
        plain_endpoint_url: The same without TLS, for proving that it is refused.
        ca_bundle: Path of the certificate authority (PEM) that signed the local endpoint's certificate.
        region: The AWS region, on both.
        access_key_id: The local person's access key id. On AWS the caller's own credentials are used.
        secret_access_key: The local person's secret access key.
        sms_url: Where the local cloud shows the texts it handed to phones (JSON).
        mqtt_port: The port of this machine where devices speak MQTT over TLS; on AWS it is 8883 of AWS IoT's endpoint.
        mqtt_ca_url: Where the local cloud shows the certificate authority (PEM) of that port.
    """

    endpoint_url: str | None
    plain_endpoint_url: str | None
    ca_bundle: str | None
    region: str
    access_key_id: str | None
    secret_access_key: str | None
    sms_url: str | None
    mqtt_port: int | None = None
    mqtt_ca_url: str | None = None

    @classmethod
    def aws(cls, region: str) -> "Target":
        """The real AWS, in this region, with the caller's credentials."""
        return cls(
            endpoint_url=None,
            plain_endpoint_url=None,
            ca_bundle=None,
            region=region,
            access_key_id=None,
            secret_access_key=None,
            sms_url=None,
        )

    @property
    def is_local(self) -> bool:
        """Whether this is the local cloud."""
        return self.endpoint_url is not None
