"""The rotation function against a real PostgreSQL: whatever breaks, a password is replaced, and never told."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import psycopg
import pytest
from cryptography import x509

from database_rotation import database
from database_rotation import handler as rotation
from database_rotation.rules import Credentials, RotationError, parsed
from tests.functions.paid_fakes import Context
from tests.functions.real_postgres import USER, Postgres, postgres
from tests.functions.rotation_fakes import FIRST, NEXT, SECRET, FakeSecretsManager

FIRST_PASSWORD = "the first password"
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres(FIRST_PASSWORD) as started:
        yield started


@pytest.fixture
def login(server: Postgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """The secret's value; the password is put back at the end."""
    monkeypatch.setenv("PGSSLROOTCERT", str(server.ca))
    value = {"engine": "postgres", "host": "localhost", "port": server.port, "username": USER, "dbname": "postgres"}
    yield {**value, "password": FIRST_PASSWORD, "dbInstanceIdentifier": "kept"}
    for tried in ("new-secret-1", "new-secret-2"):
        if database.logs_in(parsed(json.dumps({**value, "password": tried}))):
            database.set_password(parsed(json.dumps({**value, "password": tried})), FIRST_PASSWORD)


@pytest.fixture
def secrets(login: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSecretsManager]:
    fake = FakeSecretsManager.rotating(login)
    monkeypatch.setattr(boto3, "client", lambda service, **_: {"secretsmanager": fake}[service])
    rotation.secrets.cache_clear()
    yield fake
    rotation.secrets.cache_clear()


def ask(step: str, version: str = NEXT) -> None:
    rotation.handler({"SecretId": SECRET, "ClientRequestToken": version, "Step": step}, Context())


def logs_in(login: dict[str, Any], password: str) -> bool:
    return database.logs_in(parsed(json.dumps({**login, "password": password})))


def test_four_steps_replace_the_password(secrets: FakeSecretsManager, login: dict[str, Any]) -> None:
    for step in STEPS:
        ask(step)
    assert secrets.stages == {FIRST: ["AWSPREVIOUS"], NEXT: ["AWSPENDING", "AWSCURRENT"]}
    assert json.loads(secrets.values[NEXT]) == {**login, "password": "new-secret-1"}, "another key has changed"
    assert logs_in(login, "new-secret-1")
    assert not logs_in(login, FIRST_PASSWORD), "the old password still logs in"


def test_each_step_may_be_asked_again(secrets: FakeSecretsManager, login: dict[str, Any]) -> None:
    for step in STEPS:
        ask(step)
        ask(step)
    assert secrets.made == 1, "a step asked again made another password"
    assert logs_in(login, "new-secret-1")


def test_the_password_is_long_and_of_characters_that_rds_takes(secrets: FakeSecretsManager) -> None:
    ask("createSecret")
    assert secrets.asked["PasswordLength"] >= 32
    assert set('/"@ ') <= set(secrets.asked["ExcludeCharacters"])


def test_what_was_set_and_never_finished_is_found_and_goes_on(
    secrets: FakeSecretsManager, login: dict[str, Any]
) -> None:
    """The function died after the database took the pending password: the next attempt has a version of its own."""
    ask("createSecret")
    ask("setSecret")
    assert logs_in(login, "new-secret-1")
    for step in ("setSecret", "testSecret", "finishSecret"):
        ask(step)
    assert secrets.stages[NEXT] == ["AWSPENDING", "AWSCURRENT"]


def test_the_previous_password_helps_when_the_current_one_does_not(
    secrets: FakeSecretsManager, login: dict[str, Any]
) -> None:
    """The stage was moved by hand: what is current was never set in the database."""
    wrong = "33333333-3333-3333-3333-333333333333"
    secrets.values[wrong] = json.dumps({**login, "password": "never set"})
    secrets.stages = {FIRST: ["AWSPREVIOUS"], wrong: ["AWSCURRENT"], NEXT: ["AWSPENDING"]}
    for step in STEPS:
        ask(step)
    assert logs_in(login, "new-secret-1")


def test_a_previous_version_without_an_address_is_passed_over(
    secrets: FakeSecretsManager, login: dict[str, Any]
) -> None:
    """As CloudFormation leaves it: the secret was made first, and then attached to its database."""
    before = "44444444-4444-4444-4444-444444444444"
    secrets.values[before] = json.dumps({name: login[name] for name in ("username", "password")})
    secrets.stages[before] = ["AWSPREVIOUS"]
    for step in STEPS[:3]:
        ask(step)
    assert logs_in(login, "new-secret-1")
    secrets.values[FIRST] = secrets.values[before]
    with pytest.raises(RotationError, match="the secret has no host"):
        ask("setSecret")


def test_after_moving_to_a_restored_database_the_password_is_rotated_there(
    secrets: FakeSecretsManager, login: dict[str, Any]
) -> None:
    """The runbook: its address was written into the secret, so the version before is of the former database."""
    former = "55555555-5555-5555-5555-555555555555"
    secrets.values[former] = json.dumps({**login, "host": "former.invalid"})
    secrets.stages[former] = ["AWSPREVIOUS"]
    for step in STEPS:
        ask(step)
    assert secrets.stages == {former: [], FIRST: ["AWSPREVIOUS"], NEXT: ["AWSPENDING", "AWSCURRENT"]}
    assert logs_in(login, "new-secret-1")


@pytest.mark.parametrize(("name", "value"), [("host", "former.invalid"), ("username", "somebody")])
def test_a_previous_version_of_another_login_is_never_used(
    secrets: FakeSecretsManager, login: dict[str, Any], name: str, value: str
) -> None:
    former = "55555555-5555-5555-5555-555555555555"
    secrets.values[former] = json.dumps({**login, name: value})
    secrets.stages[former] = ["AWSPREVIOUS"]
    secrets.values[FIRST] = json.dumps({**login, "password": "somebody changed it"})
    ask("createSecret")
    with pytest.raises(RotationError, match="neither the pending, nor the current, nor the previous password"):
        ask("setSecret")
    assert logs_in(login, FIRST_PASSWORD)


def test_the_test_of_a_new_schedule_changes_nothing(secrets: FakeSecretsManager, login: dict[str, Any]) -> None:
    """RotateSecret without an immediate rotation, as when a stack is made, asks for this step alone.

    Source: AWS Secrets Manager API reference, RotateSecret, RotateImmediately.
    """
    secrets.values[NEXT] = secrets.values[FIRST]
    ask("testSecret")
    assert (secrets.made, secrets.stages[FIRST]) == (0, ["AWSCURRENT"])
    assert logs_in(login, FIRST_PASSWORD)


def test_when_no_known_password_logs_in_nothing_is_changed(secrets: FakeSecretsManager, login: dict[str, Any]) -> None:
    secrets.values[FIRST] = json.dumps({**login, "password": "somebody changed it"})
    ask("createSecret")
    with pytest.raises(RotationError, match="neither the pending, nor the current, nor the previous password"):
        ask("setSecret")
    with pytest.raises(RotationError, match="does not take the pending password"):
        ask("testSecret")
    assert secrets.stages[FIRST] == ["AWSCURRENT"]
    assert logs_in(login, FIRST_PASSWORD)


@pytest.mark.parametrize(("name", "value"), [("username", "postgres"), ("host", "elsewhere.invalid")])
def test_a_password_is_set_for_the_known_user_and_host_alone(
    secrets: FakeSecretsManager, login: dict[str, Any], name: str, value: str
) -> None:
    secrets.values[NEXT] = json.dumps({**login, "password": "new-secret-1", name: value})
    with pytest.raises(RotationError, match=f"the pending {name} must be the current one"):
        ask("setSecret")
    assert logs_in(login, FIRST_PASSWORD)


@pytest.mark.parametrize("step", STEPS)
def test_no_step_is_done_while_rotation_is_off(secrets: FakeSecretsManager, step: str) -> None:
    secrets.enabled = False
    with pytest.raises(RotationError, match="rotation is not enabled"):
        ask(step)
    assert secrets.made == 0


@pytest.mark.parametrize(
    ("version", "says"), [("unknown", "version unknown has no stage"), ("old", "version old is not pending")]
)
def test_a_version_that_is_not_pending_is_refused(secrets: FakeSecretsManager, version: str, says: str) -> None:
    secrets.stages["old"] = ["AWSPREVIOUS"]
    with pytest.raises(RotationError, match=says):
        ask("createSecret", version)


def test_a_version_that_is_current_already_is_left_alone(secrets: FakeSecretsManager, login: dict[str, Any]) -> None:
    for step in STEPS:
        ask(step, FIRST)
    assert secrets.made == 0
    assert secrets.stages[FIRST] == ["AWSCURRENT"]
    assert logs_in(login, FIRST_PASSWORD)


def test_an_unknown_step_is_refused(secrets: FakeSecretsManager) -> None:
    with pytest.raises(RotationError, match=r"step must be one of .* got 'deleteSecret'"):
        ask("deleteSecret")


def test_setting_before_creating_is_refused(secrets: FakeSecretsManager) -> None:
    with pytest.raises(RotationError, match="createSecret comes first"):
        ask("setSecret")


def test_a_server_that_is_not_who_it_says_gets_no_password(
    secrets: FakeSecretsManager,
) -> None:
    """With the roots of RDS, which did not sign for this server, there is no connection at all."""
    ask("createSecret")
    with pytest.MonkeyPatch.context() as changed:
        changed.delenv("PGSSLROOTCERT")
        with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
            ask("setSecret")


def test_a_server_under_another_name_gets_no_password(server: Postgres, login: dict[str, Any]) -> None:
    asked = Credentials("database.example.com", server.port, USER, FIRST_PASSWORD, "postgres")
    with pytest.MonkeyPatch.context() as changed:
        changed.setenv("PGHOSTADDR", "127.0.0.1")  # as if a name led there
        with pytest.raises(psycopg.OperationalError, match="does not match host name"):
            database.logs_in(asked)


def test_a_server_that_is_away_is_an_error_and_no_wrong_password(server: Postgres, login: dict[str, Any]) -> None:
    asked = Credentials("localhost", 1, USER, FIRST_PASSWORD, "postgres")
    with pytest.raises(psycopg.OperationalError, match="Connection refused"):
        database.logs_in(asked)


def test_no_password_is_logged_by_the_function_nor_by_the_database(
    secrets: FakeSecretsManager, login: dict[str, Any], server: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    for step in STEPS:
        ask(step)
    secrets.values["broken"], secrets.stages["broken"] = "{broken " + FIRST_PASSWORD, ["AWSPENDING"]
    with pytest.raises(RotationError, match="not a JSON object"):
        ask("setSecret", "broken")
    said = str([vars(record) for record in caplog.records]) + str(caplog.text)
    assert "step done" in said
    assert not any(password in said for password in (FIRST_PASSWORD, "new-secret-1")), "the function tells a password"
    statements = server.log.read_text()
    assert "ALTER USER" in statements, "the log does not show what it would have to hide"
    assert not any(password in statements for password in (FIRST_PASSWORD, "new-secret-1")), "the database tells one"
    assert FIRST_PASSWORD not in repr(parsed(json.dumps(login)))


def test_every_root_certificate_is_one_and_lasts() -> None:
    found = x509.load_pem_x509_certificates(database.BUNDLE.read_bytes())
    assert len(found) == 81, "three kinds of key for each of 27 regions"
    for one in found:
        assert one.not_valid_after_utc.year >= 2061, one.subject
        assert one.extensions.get_extension_for_class(x509.BasicConstraints).value.ca, one.subject
        assert one.issuer == one.subject, f"{one.subject} is no root"
        one.verify_directly_issued_by(one)
