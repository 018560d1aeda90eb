"""localcloud/fixes/mqtt_listener.py."""

import http.client
import json
import socket
import ssl
from pathlib import Path

import pytest

from localcloud.cloud import EMULATOR_PYTHON, LocalCloud

pytestmark = pytest.mark.cloud

# MQTT 3.1.1: CONNECT as client "x", clean session.
CONNECT = bytes([0x10, 13, 0, 4]) + b"MQTT" + bytes([4, 2, 0, 60, 0, 1]) + b"x"
CONNACK = bytes([0x20, 2, 0, 0])


def trusting(cloud: LocalCloud) -> ssl.SSLContext:
    """TLS that trusts the listener's authority, which is fetched over TLS that trusts the local cloud's."""
    verified = ssl.create_default_context(cafile=str(cloud.ca_bundle))
    connection = http.client.HTTPSConnection("127.0.0.1", cloud.ready.port, context=verified, timeout=10)
    connection.request("GET", "/_ministack/iot/ca.pem")
    authority = connection.getresponse().read().decode()
    connection.close()
    return ssl.create_default_context(cadata=authority)


def connects(cloud: LocalCloud, context: ssl.SSLContext) -> bool:
    """Whether the listener accepts CONNECT."""
    try:
        with (
            socket.create_connection(("127.0.0.1", cloud.ready.mqtt_port), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as tls,
        ):
            tls.sendall(CONNECT)
            return tls.recv(4) == CONNACK
    except (ssl.SSLError, ConnectionError):
        return False


def test_a_device_connects_with_its_certificate_and_nobody_without(cloud: LocalCloud, tmp_path: Path) -> None:
    iot = cloud.client("iot")
    allow = {"Effect": "Allow", "Action": "iot:Connect", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iot.create_policy(policyName="listener", policyDocument=document)
    made = iot.create_keys_and_certificate(setAsActive=True)
    iot.attach_policy(policyName="listener", target=made["certificateArn"])
    file = tmp_path / "device.pem"
    file.write_text(made["certificatePem"] + made["keyPair"]["PrivateKey"])

    context = trusting(cloud)
    assert not connects(cloud, context)
    context.load_cert_chain(file)
    assert connects(cloud, context)


def test_it_listens_on_this_machine_only(cloud: LocalCloud) -> None:
    listening = Path("/proc/net/tcp").read_text().splitlines()[1:]
    port = f"{cloud.ready.mqtt_port:04X}"
    at = {line.split()[1].split(":")[0] for line in listening if line.split()[1].endswith(f":{port}")}
    assert "0100007F" in at
    assert "00000000" not in at


def test_the_emulator_alone_still_listens_everywhere_and_asks_for_no_certificate(bare: LocalCloud) -> None:
    assert bare.ready.mqtt_port == 0, "switched off there"
    (source,) = EMULATOR_PYTHON.parent.parent.glob("lib/python*/site-packages/ministack/services/iot.py")
    text = source.read_text()
    assert '_MtlsAcceptor, host="0.0.0.0"' in text
    assert "verify_mode = ssl.CERT_OPTIONAL" in text
