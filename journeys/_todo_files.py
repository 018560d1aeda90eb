"""Files of the to-do app's users: everybody has a folder of their own."""

from typing import Any

from journeys._identity import Identity
from journeys._todo_app import App, other_client
from journeys._world import World


def journey(world: World, ada: App, bob: App) -> None:
    """Prove that folders are open to their owners alone."""
    bucket = world.out["FilesBucketName"]
    with world.step("a user uploads, lists, downloads and deletes files in their own folder") as step:
        mine, acting = ada.user.credentials(world.out["IdentityPoolId"])
        theirs, other = bob.user.credentials(world.out["IdentityPoolId"])
        s3, key = acting.client("s3"), f"{mine}/list.txt"
        for identity, folder in ((acting, mine), (other, theirs)):
            identity.client("s3").put_object(Bucket=bucket, Key=f"{folder}/list.txt", Body=folder.encode())
            world.cleanup(_remove_all, world, bucket, folder)
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == mine.encode()
        s3.put_object(Bucket=bucket, Key=f"{mine}/gone.txt", Body=b"")
        assert _listed(s3, bucket, mine) == [f"{mine}/gone.txt", key], "the folder does not hold what was put there"
        s3.delete_object(Bucket=bucket, Key=f"{mine}/gone.txt")
        assert _listed(s3, bucket, mine) == [key], "the file is still there"
        step.show(folder=mine, files=1)

    with world.step("another's folder is closed: AccessDenied to read, write, list and delete") as step:
        one: Any = {"Bucket": bucket, "Key": f"{theirs}/list.txt"}
        world.refused("AccessDenied", s3.get_object, **one)
        world.refused("AccessDenied", s3.put_object, **one, Body=b"stolen")
        world.refused("AccessDenied", s3.delete_object, **one)
        for prefix in ({"Prefix": f"{theirs}/"}, {"Prefix": theirs}, {"Prefix": ""}, {}):
            world.refused("AccessDenied", s3.list_objects_v2, Bucket=bucket, **prefix)
        world.refused("AccessDenied", s3.put_object, Bucket=bucket, Key=f"{mine}-more/list.txt", Body=b"x")
        held = other.client("s3").get_object(**one)["Body"].read()
        assert held == theirs.encode(), "Bob's file was changed"
        step.show(read="AccessDenied", write="AccessDenied", list="AccessDenied", delete="AccessDenied")

    _credentials_open_nothing_else(world, ada, acting, mine, theirs)


def _credentials_open_nothing_else(world: World, ada: App, acting: Identity, mine: str, theirs: str) -> None:
    with world.step("these credentials open nothing else; without a token, or without TLS, there is nothing") as step:
        world.refused("AccessDenied", acting.client("s3").list_buckets)
        world.refused("AccessDenied", acting.client("dynamodb").list_tables)
        identities, pool = world.client("cognito-identity"), world.out["IdentityPoolId"]
        guest = world.refused("NotAuthorized", identities.get_id, IdentityPoolId=pool)
        plain = acting.client("s3", tls=False)
        world.refused("AccessDenied", plain.get_object, Bucket=world.out["FilesBucketName"], Key=f"{mine}/list.txt")
        world.refused("NotAuthorized", other_client(world, ada.user).credentials, identity_pool=pool)
        logins = {ada.user.provider: ada.user.id_token}
        world.refused("NotAuthorized", identities.get_credentials_for_identity, IdentityId=theirs, Logins=logins)
        step.show(guest=guest, without_tls="AccessDenied", other_app="NotAuthorized", others_identity="NotAuthorized")


def _listed(s3: Any, bucket: str, folder: str) -> list[str]:
    return [found["Key"] for found in s3.list_objects_v2(Bucket=bucket, Prefix=f"{folder}/")["Contents"]]


def _remove_all(world: World, bucket: str, folder: str) -> None:
    s3 = world.client("s3")
    for found in s3.list_object_versions(Bucket=bucket, Prefix=f"{folder}/").get("Versions", []):
        s3.delete_object(Bucket=bucket, Key=found["Key"], VersionId=found["VersionId"])
