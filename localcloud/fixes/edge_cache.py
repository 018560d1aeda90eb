"""A distribution keeps what a load balancer behind it answers, as its cache policies say.

Without this fix the emulator asks the origin every time. Here a stand-in for the edge's cache, for behaviours whose
origin is a load balancer: path and the policy's query, headers and cookies are the key; what is asked for by many at
once is fetched once; ranges and If-None-Match are answered from the whole object; invalidations are heeded. Errors are
never kept, and what has expired is fetched anew, not asked after.
"""

import asyncio
import functools
import re
import time
from contextvars import ContextVar
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlencode

from localcloud.fixes._edge_objects import Answer, Store, lifetime, tailored
from localcloud.fixes.own_origins import is_balancer
from localcloud.internals import need

_PATH = re.compile(r"<(?:\w+:)?Path>([^<]*)</")
# Of a request that fetches a whole object to keep it.
_OF_THE_VIEWER = {"range", "if-range", "if-none-match", "if-modified-since", "if-match", "if-unmodified-since"}
_behaviour: ContextVar[Any] = ContextVar("behaviour", default=None)
_hit: ContextVar[bool] = ContextVar("hit", default=False)


def apply() -> None:
    """Wrap the fetch from the origin, the choice of the behaviour, the last headers and invalidations."""
    cloudfront = need(
        "services.cloudfront",
        *("_fetch_from_origin", "_match_behavior", "_add_cloudfront_headers", "_create_invalidation"),
        *("_cache_policies", "_MANAGED_CACHE_POLICIES"),
    )
    match, add, invalidate = (
        cloudfront._match_behavior,
        cloudfront._add_cloudfront_headers,
        cloudfront._create_invalidation,
    )
    edge = _Edge(cloudfront, cloudfront._fetch_from_origin)

    def matched(parsed: Any, path: str) -> Any:
        found = match(parsed, path)
        _behaviour.set(found)
        _hit.set(False)
        return found

    @functools.wraps(add)
    def added(headers: Any, x_cache: str, *rest: Any, **more: Any) -> Any:
        seen = "Hit from cloudfront" if _hit.get() and x_cache.startswith("Miss") else x_cache
        return add(headers, seen, *rest, **more)

    def invalidated(distribution: str, body: bytes) -> Any:
        answer = invalidate(distribution, body)
        if answer[0] < 300:  # noqa: PLR2004
            edge.store.forget(distribution, [unescape(path) for path in _PATH.findall(bytes(body).decode())])
        return answer

    vars(cloudfront).update(
        _fetch_from_origin=edge.fetch,
        _match_behavior=matched,
        _add_cloudfront_headers=added,
        _create_invalidation=invalidated,
    )


class _Edge:
    def __init__(self, cloudfront: Any, fetch: Any) -> None:
        self._cloudfront, self._fetch = cloudfront, fetch
        self.store = Store()
        self._fetching: dict[tuple[Any, ...], asyncio.Future[None]] = {}

    async def fetch(self, origin: Any, method: str, *request: Any) -> Any:
        policy = self._policy(origin, method)
        if policy is None:
            return await self._fetch(origin, method, *request)
        uri, query, headers, *_rest = request
        key = _key(policy, request[-1], uri, query, headers)
        if key in self._fetching:
            await asyncio.shield(self._fetching[key])
        if found := self.store.get(key):
            _hit.set(True)
            status, reason, kept, data = found.answer
            aged = {**kept, "age": str(int(time.monotonic() - found.since))}
            return tailored((status, reason, aged, data), headers, head=method == "HEAD")
        if method == "HEAD" or key in self._fetching:
            # Whoever waited for what may not be kept asks for itself.
            return await self._fetch(origin, method, *request)
        self._fetching[key] = asyncio.get_running_loop().create_future()
        try:
            answer: Answer = await self._fetch(origin, "GET", uri, query, _of_the_edge(headers), b"", *request[4:])
            if seconds := lifetime(answer, *_limits(policy)):
                self.store.put(key, answer, seconds)
        finally:
            self._fetching.pop(key).set_result(None)
        return tailored(answer, headers, head=False)

    def _policy(self, origin: Any, method: str) -> Any:
        """The cache policy under which a request may be answered from here; None: it is passed on."""
        behaviour = _behaviour.get() or {}
        known = self._cloudfront
        identity = behaviour.get("cache_policy_id")
        found = known._cache_policies.get(identity) or known._MANAGED_CACHE_POLICIES.get(identity)
        if method not in {"GET", "HEAD"} or not found or not _limits(found["Config"])[2]:
            return None
        return found["Config"] if is_balancer(origin["domain_name"]) else None


def _limits(policy: Any) -> tuple[float, float, float]:
    """Least, usual and longest seconds."""
    return float(policy["MinTTL"]), float(policy.get("DefaultTTL", 86400)), float(policy.get("MaxTTL", 31536000))


def _of_the_edge(headers: Any) -> dict[str, Any]:
    return {name: value for name, value in headers.items() if name.lower() not in _OF_THE_VIEWER}


def _key(policy: Any, distribution: str, uri: str, query: str, headers: Any) -> tuple[Any, ...]:
    said = policy.get("Parameters") or {}
    pairs = parse_qsl(query, keep_blank_values=True)
    asked = urlencode([pair for pair in pairs if _is_in(said, "QueryString", "QueryStrings", pair[0])])
    of_headers = tuple((name.lower(), headers.get(name.lower())) for name in said.get("Headers") or [])
    cookies = headers.get("cookie") if said.get("CookieBehavior", "none") != "none" else None
    compressed = said.get("EnableAcceptEncodingGzip") or said.get("EnableAcceptEncodingBrotli")
    return distribution, uri, asked, of_headers, cookies, headers.get("accept-encoding") if compressed else None


def _is_in(said: Any, kind: str, names: str, name: str) -> bool:
    behaviour = said.get(f"{kind}Behavior", "none")
    listed = name in (said.get(names) or [])
    return {"all": True, "whitelist": listed, "allExcept": not listed}.get(behaviour, False)
