"""What a signed-in user may ask for."""

import time
from collections.abc import Callable
from typing import Any

from paid_content_api import rules
from paid_content_api.rules import Video
from paid_content_api.settings import Settings
from paid_content_api.shop import Shop
from paid_content_api.signing import Signer
from paid_content_api.store import Store


class Service:
    """Answers a user.

    Args:
        settings: Domain, and how long links last.
        store: The tables.
        shop: Sells.
        signer: Gives the signer; asked only when there is something to sign.
        clock: Seconds since 1970.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        shop: Shop,
        signer: Callable[[], Signer],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._store = store
        self._shop = shop
        self._signer = signer
        self._clock = clock

    def status(self, user: str) -> dict[str, Any]:
        """Which videos the user may watch, and until when."""
        now = self._clock()
        lasting = [purchase for purchase in self._store.purchases(user) if purchase.lasts(now)]
        videos = [{"videoId": one.video_id, "expiresAt": rules.moment(one.expires_at)} for one in lasting]
        return {"premium": bool(videos), "videos": videos}

    def purchase(self, user: str, video_id: str, key: str | None) -> dict[str, Any]:
        """Buy a video."""
        return self._shop.sell(user, self._video(video_id), rules.idempotency_key(key))

    def link(
        self, user: str, video_id: str, *, seconds: str | None, bind_ip: str | None, address: str
    ) -> dict[str, Any]:
        """A URL of the video's file."""
        video, expires_at, bound = self._granted(user, video_id, seconds, bind_ip, address)
        url = rules.file_url(self._settings.distribution_domain, video)
        return {
            "url": self._signer().url(url, expires_at, address=bound),
            "expiresAt": rules.moment(expires_at),
            "boundTo": bound,
        }

    def stream(
        self, user: str, video_id: str, *, seconds: str | None, bind_ip: str | None, address: str
    ) -> dict[str, Any]:
        """The playlist of the video's stream, and the cookies that open it and its segments."""
        video, expires_at, bound = self._granted(user, video_id, seconds, bind_ip, address)
        domain = self._settings.distribution_domain
        every_file = rules.stream_url(domain, video.id, "*")
        return {
            "url": rules.stream_url(domain, video.id, "index.m3u8"),
            "cookies": self._signer().cookies(every_file, expires_at, address=bound),
            "expiresAt": rules.moment(expires_at),
            "boundTo": bound,
        }

    def _granted(
        self, user: str, video_id: str, seconds: str | None, bind_ip: str | None, address: str
    ) -> tuple[Video, int, str | None]:
        """The video, when access to it ends, and the address that it is bound to.

        Raises:
            ProblemError: There is no such video, the user may not watch it, or a parameter is wrong.
        """
        video, now = self._video(video_id), self._clock()
        purchase = self._store.purchase(user, video.id)
        rules.must_be_premium(purchase, video, now)
        lasts = rules.validity(seconds, self._settings.link_seconds)
        bound = rules.bound_address(bind_ip, address, always=self._settings.bind_ip)
        # No link outlives the purchase.
        over = purchase.expires_at if purchase else 0
        return video, min(int(now) + lasts, over), bound

    def _video(self, video_id: str) -> Video:
        video = self._store.video(rules.video_id(video_id))
        if video is None:
            raise rules.unknown_video(video_id)
        return video
