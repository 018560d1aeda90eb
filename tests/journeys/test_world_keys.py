"""Acting under credentials that a journey was given."""

from pathlib import Path

from journeys._target import Target
from journeys._world import World

LOCAL = Target(
    endpoint_url="https://127.0.0.1:4566",
    plain_endpoint_url="http://127.0.0.1:4567",
    ca_bundle="/state/ca.pem",
    region="eu-west-1",
    access_key_id="test",
    secret_access_key="secret",
    sms_url=None,
)


def test_the_credentials_are_used_and_the_worlds_own_are_kept(tmp_path: Path) -> None:
    world = World("order-queue", LOCAL, {}, build=tmp_path)
    given = world.with_keys("ASIAGIVEN", "secret-of-it", "token-of-it")
    keys = given._session.get_credentials()
    own = world._session.get_credentials()
    assert keys is not None
    assert own is not None
    assert (keys.access_key, keys.secret_key, keys.token) == ("ASIAGIVEN", "secret-of-it", "token-of-it")
    assert own.access_key == "test"
    assert given.region == "eu-west-1"
    world.clean_up()


def test_they_are_put_away_with_the_journey(tmp_path: Path) -> None:
    world = World("order-queue", LOCAL, {}, build=tmp_path)
    given = world.with_keys("ASIAGIVEN", "secret-of-it", "token-of-it")
    given._clients[("s3", "eu-west-1", True)] = Closing()
    world.clean_up()
    assert Closing.closed == 1


class Closing:
    """A client that counts its end."""

    closed = 0

    def close(self) -> None:
        Closing.closed += 1
