"""A serverless cache is a Redis server behind TLS, with the users of its user group.

Without this fix the emulator has no more than a record of it when there is no Docker, whose endpoint is a name that
leads nowhere, and its users have neither passwords nor IAM. With it each cache has a server of its own at localhost;
an IAM user signs in with a signed request of a principal that IAM lets connect; the user `default` is off unless the
cache has no user group.
"""

import hashlib
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from localcloud.fixes import _cache_login as login
from localcloud.internals import need
from localcloud.stores.front import ADDRESS, Front
from localcloud.stores.home import StoreError
from localcloud.stores.redis import Redis

Record = dict[str, Any]
Parameters = dict[str, Any]
_OK = 200
_USERS = ("_create_user", "_modify_user")
_MEMBERS = ("_delete_user", "_modify_user_group")


@dataclass(frozen=True)
class _Cache:
    server: Redis
    front: Front
    password: str
    """Of every IAM user in Redis; the front alone knows it."""


_caches: dict[str, _Cache] = {}
"""By ARN."""


def apply() -> None:
    """Wrap what the actions call."""
    elasticache = need(
        "services.elasticache",
        *("_create_serverless_cache", "_modify_serverless_cache", "_delete_serverless_cache"),
        *("_serverless_caches", "_users", "_user_groups", "_p", "_error", "_user_xml", "_xml", *_USERS, *_MEMBERS),
    )
    wrapped = _Service(elasticache)
    changed: dict[str, Callable[[Parameters], Any]] = {
        "_create_serverless_cache": wrapped.create,
        "_modify_serverless_cache": wrapped.modify,
        "_delete_serverless_cache": wrapped.delete,
    }
    changed |= {name: wrapped.user(getattr(elasticache, name)) for name in _USERS}
    changed |= {name: wrapped.then_set_users(getattr(elasticache, name)) for name in _MEMBERS}
    vars(elasticache).update({name: _answering(elasticache, each) for name, each in changed.items()})


def _answering(elasticache: Any, handler: Callable[[Parameters], Any]) -> Callable[[Parameters], Any]:
    """What Redis refuses is refused to the caller: an access string that this version does not know."""

    def answered(p: Parameters) -> Any:
        try:
            return handler(p)
        except StoreError as error:
            return elasticache._error("InvalidParameterValue", str(error), 400)

    return answered


class _Service:
    def __init__(self, elasticache: Any) -> None:
        self._service = elasticache
        self._create = elasticache._create_serverless_cache
        self._modify = elasticache._modify_serverless_cache
        self._delete = elasticache._delete_serverless_cache

    def create(self, p: Parameters) -> Any:
        """CreateServerlessCache."""
        answer = self._create(p)
        if answer[0] != _OK:
            return answer
        cache = self._service._serverless_caches[self._get(p, "ServerlessCacheName").lower()]
        most = cache["CacheUsageLimits"].get("DataStorage", {}).get("Maximum")
        server = Redis(max_gigabytes=most)
        front = Front(server.socket, lambda user, given: self._in_scope_admit(cache, user, given))
        _caches[cache["ARN"]] = _Cache(server, front, secrets.token_hex())
        cache["Endpoint"] = {"Address": ADDRESS, "Port": front.port}
        cache["ReaderEndpoint"] = dict(cache["Endpoint"])
        try:
            self._set_users(cache)
        except StoreError:
            self.delete(p)
            raise
        return self._create_answer(cache)

    def modify(self, p: Parameters) -> Any:
        """ModifyServerlessCache."""
        answer = self._modify(p)
        if answer[0] == _OK:
            self._set_users(self._service._serverless_caches[self._get(p, "ServerlessCacheName").lower()])
        return answer

    def delete(self, p: Parameters) -> Any:
        """DeleteServerlessCache."""
        cache = self._service._serverless_caches.get(self._get(p, "ServerlessCacheName").lower())
        answer = self._delete(p)
        if answer[0] == _OK and cache and (gone := _caches.pop(cache["ARN"], None)):
            gone.front.close()
            gone.server.remove()
        return answer

    def user(self, change: Callable[[Parameters], Any]) -> Callable[[Parameters], Any]:
        """CreateUser and ModifyUser, which remember how the user signs in."""

        def changed(p: Parameters) -> Any:
            kind = self._get(p, "AuthenticationMode.Type")
            name = self._get(p, "UserName")
            if kind == "iam" and name and name != self._get(p, "UserId"):
                # ElastiCache user guide, "Authenticating with IAM", limitations.
                message = "For IAM-enabled users the user id and the user name must be identical."
                return self._service._error("InvalidParameterValue", message, 400)
            answer = change(p)
            if answer[0] == _OK:
                self._remember(self._service._users[self._get(p, "UserId")], kind, p)
                self._set_all_users()
            return answer

        return changed

    def then_set_users(self, change: Callable[[Parameters], Any]) -> Callable[[Parameters], Any]:
        """A change of user groups, which every cache that has the group then knows."""

        def changed(p: Parameters) -> Any:
            answer = change(p)
            self._set_all_users()
            return answer

        return changed

    def _create_answer(self, cache: Record) -> Any:
        body = self._service._serverless_cache_xml(cache | {"Status": "creating"})
        result = f"<CreateServerlessCacheResult><ServerlessCache>{body}</ServerlessCache></CreateServerlessCacheResult>"
        return self._service._xml(200, "CreateServerlessCacheResponse", result)

    def _remember(self, user: Record, kind: str, p: Parameters) -> None:
        names = [f"{prefix}Passwords.member.{n}" for prefix in ("", "AuthenticationMode.") for n in (1, 2)]
        passwords = [given for name in names if (given := self._get(p, name))]
        if kind == "iam":
            user["Authentication"], user["_passwords"] = {"Type": "iam", "PasswordCount": 0}, []
        elif passwords:
            user["Authentication"] = {"Type": "password", "PasswordCount": len(passwords)}
            user["_passwords"] = [hashlib.sha256(given.encode()).hexdigest() for given in passwords]
        elif kind == "no-password-required" or self._get(p, "NoPasswordRequired") == "true":
            user["Authentication"], user["_passwords"] = {"Type": "no-password", "PasswordCount": 0}, []

    def _set_all_users(self) -> None:
        for cache in self._service._serverless_caches.values():
            self._set_users(cache)

    def _set_users(self, cache: Record) -> None:
        ours = _caches.get(cache["ARN"])
        if ours is None:
            return
        # Without a user group everybody is let in, as on AWS: the network is the only border then.
        users: dict[str, list[str]] = {"default": ["on", "nopass", "~*", "&*", "+@all"]}
        if group := cache.get("UserGroupId"):
            users = {}
            for user in self._members(group):
                users[user["UserName"]] = [*self._sign_in(user, ours.password), *user["AccessString"].split()]
        ours.server.set_users(users)

    @staticmethod
    def _sign_in(user: Record, password: str) -> list[str]:
        kind = user["Authentication"]["Type"]
        if kind == "iam":
            return [f">{password}"]
        return ["nopass"] if kind == "no-password" else [f"#{each}" for each in user.get("_passwords", [])]

    def _in_scope_admit(self, cache: Record, name: str, given: str) -> str | None:
        """`_admit` from the fronts' own thread, which knows no account and region."""
        region, account = cache["ARN"].split(":")[3:5]
        with need("core.responses", "request_scope").request_scope(account, region):
            return self._admit(cache, name, given)

    def _admit(self, cache: Record, name: str, given: str) -> str | None:
        """What Redis is to be told for the password that a client gives."""
        members = self._members(cache["UserGroupId"]) if cache.get("UserGroupId") else []
        user = next((each for each in members if each["UserName"] == name), None)
        if user is None or user["Authentication"]["Type"] != "iam":
            return given
        try:
            login.check(given, user=user, cache=cache)
        except login.RefusedError as error:
            logging.getLogger("elasticache").warning("%s is not let in to %s: %s", name, cache["ARN"], error)
            return None
        return _caches[cache["ARN"]].password

    def _members(self, group: str) -> list[Record]:
        """The users of a group."""
        listed = self._service._user_groups.get(group) or {"UserIds": []}
        return [self._service._users[each] for each in listed["UserIds"] if each in self._service._users]

    def _get(self, p: Parameters, name: str) -> str:
        return str(self._service._p(p, name))
