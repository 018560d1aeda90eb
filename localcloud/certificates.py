"""A private certificate authority and the certificates of the emulator and its stores, kept in the state folder."""

import datetime as dt
import ipaddress
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from stacks.catalog import keys

DOMAIN = "example.com"
"""The domain that stacks take when they are told no other."""
DAYS_VALID = 30
"""The server's key lies unencrypted in the state folder; the authority's key is thrown away once it has signed."""
_AUTHORITY = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "local cloud authority")])


@dataclass(frozen=True)
class Certificates:
    """Paths of PEM files."""

    ca: Path
    certificate: Path
    key: Path
    store_certificate: Path
    """Of the databases and caches, which run as another user: the emulator's key is not theirs."""
    store_key: Path

    @classmethod
    def below(cls, folder: Path) -> Self:
        """The files of `folder`."""
        names = ("ca.pem", "server.pem", "server.key", "store.pem", "store.key")
        return cls(*(folder / name for name in names))


def host_names(region: str) -> list[str]:
    """The names under which the emulator is reached, data planes of deployed resources included."""
    return [
        "localhost",
        "*.cloudfront.net",
        f"*.execute-api.{region}.amazonaws.com",
        f"*.lambda-url.{region}.on.aws",
        f"*.s3.{region}.amazonaws.com",
        f"*.{region}.elb.amazonaws.com",
        f"cognito-idp.{region}.amazonaws.com",
        # What stacks name below the default domain: a certificate's wildcard covers one label alone.
        *(name for key in keys() for name in (f"{key}.{DOMAIN}", f"*.{key}.{DOMAIN}")),
    ]


def ensure(folder: Path, region: str) -> Certificates:
    """The certificates in `folder`, made anew when absent, for another region or about to expire."""
    made = Certificates.below(folder)
    if not _usable(made, region):
        folder.mkdir(parents=True, exist_ok=True)
        _make(made, region)
    return made


def _usable(files: Certificates, region: str) -> bool:
    if not all(path.is_file() for path in astuple(files)):
        return False
    try:
        server = x509.load_pem_x509_certificate(files.certificate.read_bytes())
        authority = x509.load_pem_x509_certificate(files.ca.read_bytes())
        server.verify_directly_issued_by(authority)
        x509.load_pem_x509_certificate(files.store_certificate.read_bytes()).verify_directly_issued_by(authority)
        names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    tomorrow = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    return server.not_valid_after_utc > tomorrow and names.get_values_for_type(x509.DNSName) == host_names(region)


def _make(files: Certificates, region: str) -> None:
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca = (
        _builder(_AUTHORITY, _AUTHORITY, ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    files.ca.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    _issue(files.certificate, files.key, "local cloud", host_names(region), ca_key)
    _issue(files.store_certificate, files.store_key, "local cloud stores", ["localhost"], ca_key)


def _issue(certificate: Path, key_file: Path, name: str, hosts: list[str], ca_key: ec.EllipticCurvePrivateKey) -> None:
    """Make a server's key and certificate for `hosts` and 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    names: list[x509.GeneralName] = [x509.DNSName(host) for host in hosts]
    names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    server = (
        _builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), _AUTHORITY, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    key_file.touch(mode=0o600)
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    certificate.write_bytes(server.public_bytes(serialization.Encoding.PEM))


def _builder(subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(days=DAYS_VALID))
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
