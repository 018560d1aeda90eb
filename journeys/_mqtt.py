"""Devices as AWS IoT knows them: a thing, a certificate, a key, and MQTT over TLS with them."""

import ssl
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion

from journeys._world import World

SECONDS = 15.0


class RefusedError(AssertionError):
    """The broker did not take the connection or the message; the text says what it did instead."""


class Device:
    """A thing with a certificate of its own, provisioned by an operator; it leaves with the journey.

    Args:
        world: The journey's world.
        name: Of the thing; it is the client id too.
        policy: Name of the policy of AWS IoT to attach to its certificate.
    """

    def __init__(self, world: World, name: str, *, policy: str) -> None:
        self.name = name
        self._world = world
        iot = world.client("iot")
        iot.create_thing(thingName=name)
        world.cleanup(iot.delete_thing, thingName=name)
        made = iot.create_keys_and_certificate(setAsActive=True)
        self._certificate, self._key = made["certificatePem"], made["keyPair"]["PrivateKey"]
        self._certificate_id, self.certificate_arn = made["certificateId"], made["certificateArn"]
        world.cleanup(iot.delete_certificate, certificateId=self._certificate_id, forceDelete=True)
        world.cleanup(self.revoke)
        iot.attach_policy(policyName=policy, target=self.certificate_arn)
        world.cleanup(iot.detach_policy, policyName=policy, target=self.certificate_arn)
        iot.attach_thing_principal(thingName=name, principal=self.certificate_arn)
        world.cleanup(iot.detach_thing_principal, thingName=name, principal=self.certificate_arn)

    def revoke(self) -> None:
        """Make its certificate inactive."""
        self._world.client("iot").update_certificate(certificateId=self._certificate_id, newStatus="INACTIVE")

    def publish(self, topic: str, messages: list[bytes], *, client_id: str | None = None) -> None:
        """Connect with its certificate and publish, each message acknowledged (QoS 1).

        Raises:
            RefusedError: The broker closed the connection, or did not answer in time.
        """
        with self._material() as (certificate, key):
            context = _trusting(self._world)
            context.load_cert_chain(certificate, key)
        _publish(self._world, context, client_id or self.name, topic, messages)

    @contextmanager
    def _material(self) -> Iterator[tuple[Path, Path]]:
        # OpenSSL reads files only; these are this user's alone and gone before the connection is made.
        with tempfile.TemporaryDirectory() as folder:
            certificate, key = Path(folder, "certificate.pem"), Path(folder, "key.pem")
            certificate.write_text(self._certificate, encoding="ascii")
            key.write_text(self._key, encoding="ascii")
            yield certificate, key


def publish_without_certificate(world: World, client_id: str, topic: str, message: bytes) -> None:
    """Try what no device does.

    Raises:
        RefusedError: As it must.
    """
    _publish(world, _trusting(world), client_id, topic, [message])


def _trusting(world: World) -> ssl.SSLContext:
    _host, _port, authority = world.mqtt_broker()
    context = ssl.create_default_context(cadata=authority)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _publish(world: World, context: ssl.SSLContext, client_id: str, topic: str, messages: list[bytes]) -> None:
    host, port, _authority = world.mqtt_broker()
    connected, closed = threading.Event(), threading.Event()
    said: list[str] = []

    def on_connect(_client: Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            said.append(f"the connection was refused: {reason}")
            closed.set()
        connected.set()

    def on_disconnect(_client: Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        said.append(f"the connection was closed: {reason}")
        closed.set()
        connected.set()

    client = Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=MQTTv311, reconnect_on_failure=False)
    client.tls_set_context(context)
    client.on_connect, client.on_disconnect = on_connect, on_disconnect
    try:
        client.connect(host, port, keepalive=30)
    except (OSError, ssl.SSLError) as error:
        raise RefusedError(f"no connection: {error}") from error
    client.loop_start()
    try:
        connected.wait(SECONDS)
        if closed.is_set() or not connected.is_set():
            raise RefusedError(said[0] if said else f"no answer to the connection within {SECONDS:g} s")
        pending = [client.publish(topic, message, qos=1) for message in messages]
        for each in pending:
            while not each.is_published() and not closed.wait(0.01):
                pass
            if not each.is_published():
                raise RefusedError(said[0])
    finally:
        client.disconnect()
        client.loop_stop()
