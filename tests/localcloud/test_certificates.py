"""localcloud/certificates.py."""

import datetime as dt
from pathlib import Path

import pytest
from cryptography import x509

from localcloud import certificates


def test_the_authority_signs_a_certificate_for_every_name(tmp_path: Path) -> None:
    made = certificates.ensure(tmp_path, "eu-west-1")
    server = x509.load_pem_x509_certificate(made.certificate.read_bytes())
    server.verify_directly_issued_by(x509.load_pem_x509_certificate(made.ca.read_bytes()))
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "*.execute-api.eu-west-1.amazonaws.com" in names.get_values_for_type(x509.DNSName)
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    assert made.key.stat().st_mode & 0o077 == 0


def test_the_stores_have_a_certificate_of_their_own(tmp_path: Path) -> None:
    made = certificates.ensure(tmp_path, "eu-west-1")
    store = x509.load_pem_x509_certificate(made.store_certificate.read_bytes())
    store.verify_directly_issued_by(x509.load_pem_x509_certificate(made.ca.read_bytes()))
    names = store.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    assert made.store_key.stat().st_mode & 0o077 == 0
    assert made.store_key.read_bytes() != made.key.read_bytes()


def test_they_are_kept(tmp_path: Path) -> None:
    first = certificates.ensure(tmp_path, "eu-west-1").certificate.read_bytes()
    assert certificates.ensure(tmp_path, "eu-west-1").certificate.read_bytes() == first


@pytest.mark.parametrize(
    "spoil", ["other region", "missing", "no store", "garbage", "other authority", "about to expire"]
)
def test_they_are_made_anew_when_of_no_use(tmp_path: Path, spoil: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if spoil == "about to expire":
        monkeypatch.setattr(certificates, "DAYS_VALID", 1)
    made = certificates.ensure(tmp_path, "us-east-1" if spoil == "other region" else "eu-west-1")
    first = made.certificate.read_bytes()
    if spoil == "missing":
        made.key.unlink()
    elif spoil == "no store":
        made.store_certificate.unlink()
    elif spoil == "garbage":
        made.certificate.write_text("none")
    elif spoil == "other authority":
        made.ca.write_bytes(certificates.ensure(tmp_path / "other", "eu-west-1").ca.read_bytes())
    monkeypatch.setattr(certificates, "DAYS_VALID", 30)
    after = certificates.ensure(tmp_path, "eu-west-1").certificate.read_bytes()
    assert after != first
    assert x509.load_pem_x509_certificate(after).not_valid_after_utc > dt.datetime.now(dt.UTC) + dt.timedelta(days=20)
