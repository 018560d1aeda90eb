"""Every image is built as the house builds images, and a Dockerfile that is not is noticed."""

import datetime as dt
import warnings
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.repo.dockerfiles import instructions, lint, offences
from tests.templates import ROOT

SERVERS = sorted(path.parent.name for path in ROOT.glob("container_src/*/__main__.py"))
BUNDLE = ROOT / "container_src" / "service_kit" / "rds-global-bundle.pem"


def _dockerfile(package: str) -> Path:
    return ROOT / "container_src" / package / "Dockerfile"


@pytest.mark.parametrize("package", SERVERS)
def test_a_dockerfile_keeps_the_rules(package: str) -> None:
    assert offences(_dockerfile(package), package) == []
    assert lint(_dockerfile(package)) == []


def test_the_dockerfiles_differ_in_the_package_alone() -> None:
    assert len({_dockerfile(package).read_text().replace(package, "PACKAGE") for package in SERVERS}) == 1


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ("-slim-bookworm", "-slim", "base: must be one exact version"),
        ("3.13.17-slim-bookworm", "latest", "base: must be one exact version"),
        ("FROM ${PYTHON}\n", "FROM python:3\n", "FROM: must be ${PYTHON}"),
        ("FROM ${PYTHON}\n", "", "FROM: must be several stages"),
        ("USER 10001:10001", "USER root", "USER: must be numbers"),
        ("USER 10001:10001", "USER 0:0", "USER: must be numbers"),
        ("USER 10001:10001", "", "USER: must be numbers"),
        ('CMD ["python", "-m", "orders_service"]', "CMD python -m orders_service", "CMD: must be"),
        ("HEALTHCHECK", "# HEALTHCHECK", "HEALTHCHECK: must be there"),
        ("WORKDIR", "RUN apt-get update\nWORKDIR", "RUN: must be in an earlier stage"),
        ("COPY service_kit /app", "ADD service_kit /app", "ADD: must be COPY"),
        ("--require-hashes ", "", "pip: must require hashes"),
        ("PORT=8080", "DB_PASSWORD=x", "ENV: must hold no secret"),
    ],
)
def test_a_broken_rule_is_named(good: str, bad: str, said: str, tmp_path: Path) -> None:
    text = _dockerfile("orders_service").read_text()
    assert good in text
    (tmp_path / "Dockerfile").write_text(text.replace(good, bad))
    assert any(one.startswith(said) for one in offences(tmp_path / "Dockerfile", "orders_service"))


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ("RUN cd /tmp", "DL3003"),
        ("RUN apt-get install curl", "DL3008"),
        ("FROM debian", "DL3006"),
        ("RUN pip install flask # hadolint ignore=DL3013", "DL3013"),
    ],
)
def test_hadolint_is_really_asked(bad: str, code: str, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(f"{_dockerfile('orders_service').read_text()}{bad}\n")
    assert any(code in one for one in lint(tmp_path / "Dockerfile"))


def test_instructions_are_read_over_line_ends() -> None:
    assert instructions("# no\nRUN a \\\n  && b\n\nuser 1:1\n") == [("RUN", "a && b"), ("USER", "1:1")]


@pytest.mark.parametrize("package", SERVERS)
def test_what_is_copied_is_there_and_not_kept_out(package: str) -> None:
    ignored = (ROOT / "container_src" / ".dockerignore").read_text().splitlines()
    steps = instructions(_dockerfile(package).read_text())
    sources = [value.split()[0] for name, value in steps if name == "COPY" and not value.startswith("--from")]
    assert sources
    for source in sources:
        assert (ROOT / "container_src" / source).exists()
        assert f"!{source.split('/')[0]}" in ignored


def _expired(bundle: str, now: dt.datetime) -> list[str]:
    with warnings.catch_warnings():
        # An old authority has a serial number of 0.
        warnings.simplefilter("ignore")
        certificates = x509.load_pem_x509_certificates(bundle.encode())
    assert certificates
    for one in certificates:
        one.verify_directly_issued_by(one)
    return [
        one.subject.rfc4514_string()
        for one in certificates
        if not one.not_valid_before_utc < now < one.not_valid_after_utc
    ]


def test_the_authorities_of_the_database_are_good_for_another_year() -> None:
    assert _expired(BUNDLE.read_text(), dt.datetime.now(dt.UTC) + dt.timedelta(days=365)) == []
    assert BUNDLE.read_text().count("BEGIN CERTIFICATE") > 60


def test_an_authority_that_has_expired_is_noticed() -> None:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "old")])
    day = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, day, day + dt.timedelta(days=1))
    old = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
    assert _expired(BUNDLE.read_text() + old, dt.datetime.now(dt.UTC)) == ["CN=old"]


def test_servers_and_functions_trust_the_same_authorities() -> None:
    assert BUNDLE.read_bytes() == (ROOT / "lambda_src" / "database_rotation" / "rds-global-bundle.pem").read_bytes()
