"""The keys: who has them, that they stay the same, and how a new one takes over from an old one."""

import json
from functools import partial
from typing import Any

from journeys._cognito import User
from journeys._paid_shop import Key, Shop
from journeys._paid_signature import Signed
from journeys._world import World


def keys_stay(world: World, shop: Shop) -> None:
    """CloudFormation asks again, as it does when a deployment is repeated, and when the stack is deleted."""
    maker = _Maker(world)
    for key in shop.keys.values():
        with world.step(f"the key {key.name!r} stays the same however often CloudFormation asks for it") as step:
            answer = maker.ask("Update", key)
            assert answer["Status"] == "SUCCESS", f"expected SUCCESS, got {answer}"
            assert answer["Data"]["PublicKey"] == shop.public_key(key.id), "the key has changed"
            assert answer["PhysicalResourceId"] == key.secret, f"it would be replaced: {answer['PhysicalResourceId']}"
            gone = maker.ask("Delete", key)
            assert gone["Status"] == "SUCCESS", f"expected SUCCESS, got {gone}"
            assert "PRIVATE KEY" in shop.private_key(key), "the secret's value is gone"
            assert "PRIVATE" not in json.dumps([answer, gone]), "the answer has a private key"
            step.show(id=key.id, update="same key", delete="secret untouched")


def keys_are_nowhere_else(world: World, shop: Shop) -> None:
    """Not in the functions' settings, not in what CloudFormation knows of the stack, not in a log."""
    with world.step("the private keys are in their secrets and nowhere else") as step:
        functions = [world.out["KeyMakerName"], world.out["ShopFunctionName"]]
        found = [world.client("lambda").get_function_configuration(FunctionName=name) for name in functions]
        seen = {"settings": json.dumps([one.get("Environment") for one in found]), "outputs": json.dumps(world.out)}
        for one in found:
            group = one["LoggingConfig"]["LogGroup"]
            # An empty log would prove nothing; lines need a moment to arrive.
            seen[group] = world.eventually(partial(_log, world, group), within=60, what=f"lines in {group}")
        # A line from the middle of each key, as it would be found even without the words around it.
        marks = ["PRIVATE KEY", *(shop.private_key(key).splitlines()[5] for key in shop.keys.values())]
        leaks = [f"{where} has {mark[:12]}..." for where, text in seen.items() for mark in marks if mark in text]
        assert not leaks, "; ".join(leaks)
        secret = next(iter(shop.keys.values())).secret
        world.refused("AccessDenied", shop.publisher.client("secretsmanager").get_secret_value, SecretId=secret)
        step.show(looked_at=", ".join(seen), another_role="AccessDenied")


def rotation(world: World, shop: Shop, user: User, video: str) -> None:
    """The three deployments of a rotation, as an operator makes them by hand; all is put back at the end."""
    old_link = shop.signed_url(user, video)
    old = Signed.read(old_link).key_id
    new = next(key for key in shop.keys.values() if key.id != old)
    with world.step("rotation: the new key signs, and links of both keys play") as step:
        _sign_with(world, new.name)
        new_link = world.eventually(
            lambda: _signed_by(shop.signed_url(user, video), new.id), within=60, what=f"a link signed by {new.name}"
        )
        assert Signed.read(new_link).holds(shop.public_key(new.id)), "the signature does not hold"
        answers = {"old": shop.get(old_link).status, "new": shop.get(new_link).status}
        assert set(answers.values()) == {200}, f"expected 200 for both, got {answers}"
        step.show(old_key=old, new_key=new.id, **answers)

    with world.step("rotation: once the old key is out of the group its links are refused, the new one's play") as step:
        _trust(world, [new.id])
        refused = world.eventually(lambda: _status(shop, old_link) == 403, within=300, what="the old link refused")
        assert _status(shop, new_link) == 200, "the new link is refused too"
        step.show(old_key=403 if refused else 200, new_key=200)


def _log(world: World, group: str) -> str:
    pages = world.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
    return "\n".join(event["message"] for page in pages for event in page["events"])


def _signed_by(link: str, key_id: str) -> str:
    return link if Signed.read(link).key_id == key_id else ""


def _status(shop: Shop, link: str) -> int:
    return shop.get(link).status


def _sign_with(world: World, name: str) -> None:
    """What a deployment with another ``signs_with`` does to the function."""
    functions, function = world.client("lambda"), world.out["ShopFunctionName"]
    before = functions.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    world.cleanup(_set_environment, world, before)
    _set_environment(world, {**before, "SIGNING_KEY": name})


def _set_environment(world: World, variables: dict[str, str]) -> None:
    functions, function = world.client("lambda"), world.out["ShopFunctionName"]
    functions.update_function_configuration(FunctionName=function, Environment={"Variables": variables})
    functions.get_waiter("function_updated_v2").wait(FunctionName=function)


def _trust(world: World, key_ids: list[str]) -> None:
    """What a deployment with other ``signing_keys`` does to the key group."""
    group = world.client("cloudfront").get_key_group(Id=world.out["KeyGroupId"])["KeyGroup"]["KeyGroupConfig"]
    world.cleanup(_set_group, world, group)
    _set_group(world, {**group, "Items": key_ids})


def _set_group(world: World, config: dict[str, Any]) -> None:
    cloudfront, group = world.client("cloudfront"), world.out["KeyGroupId"]
    tag = cloudfront.get_key_group(Id=group)["ETag"]
    cloudfront.update_key_group(Id=group, IfMatch=tag, KeyGroupConfig=config)


class _Maker:
    """Asks the key maker as CloudFormation does: by an event with a URL to which it puts its answer."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._bucket = f"journey-{world.token}"
        s3: Any = world.client("s3")
        place = {} if world.region == "us-east-1" else {"LocationConstraint": world.region}
        s3.create_bucket(Bucket=self._bucket, **({"CreateBucketConfiguration": place} if place else {}))
        world.cleanup(s3.delete_bucket, Bucket=self._bucket)

    def ask(self, request_type: str, key: Key) -> Any:
        s3, name = self._world.client("s3"), f"{request_type}-{key.name}"
        url = s3.generate_presigned_url("put_object", Params={"Bucket": self._bucket, "Key": name})
        event = {
            "RequestType": request_type,
            "ResponseURL": url,
            "StackId": "journey",
            "RequestId": self._world.token,
            "ResourceType": "Custom::SigningKeyPair",
            "LogicalResourceId": "Pair",
            "PhysicalResourceId": key.secret,
            "ResourceProperties": {"SecretArn": key.secret},
        }
        maker, payload = self._world.out["KeyMakerName"], json.dumps(event).encode()
        done = self._world.client("lambda").invoke(FunctionName=maker, Payload=payload)
        assert not done.get("FunctionError"), f"{request_type}: the function failed: {done['Payload'].read().decode()}"
        self._world.cleanup(s3.delete_object, Bucket=self._bucket, Key=name)
        return json.loads(s3.get_object(Bucket=self._bucket, Key=name)["Body"].read())
