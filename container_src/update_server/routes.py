"""Requests in, files out."""

import base64
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

import anyio.to_thread
from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse

from service_kit import openapi
from service_kit.problems import ProblemError, UnavailableError, not_found
from service_kit.waiting import within
from update_server.conditions import changed_since, continues, matches_strongly, matches_weakly, same_since
from update_server.names import MANIFEST
from update_server.ranges import UnsatisfiableRangeError, wanted
from update_server.releases import Document, Releases, UnknownFileError

_T = TypeVar("_T")
# A file of a version never changes, so nobody needs to ask twice; which version is the newest changes any time.
FOR_EVER = "public, max-age=31536000, immutable"
FOR_A_MOMENT = "public, max-age=30"
# A network file system that hangs must not hang the callers.
_FIND_SECONDS = 5
_SHARED = {
    503: "The releases cannot be read; try again after Retry-After.",
    412: "It is another one than If-Match or If-Unmodified-Since says.",
}
_RESPONSES: dict[int | str, dict[str, Any]] = {304: {"description": "You have it already."}}
_FILE_RESPONSES: dict[int | str, dict[str, Any]] = {
    **_RESPONSES,
    200: {"description": "The file.", "content": {"application/octet-stream": {}}},
    206: {"description": "The ranges asked for.", "content": {"application/octet-stream": {}}},
}


def router(releases: Releases) -> APIRouter:
    """The routes. HEAD goes with every GET; the document shows GET alone."""
    made = APIRouter(prefix="/releases", tags=["releases"])

    @made.get("/latest.json", operation_id="get_latest", responses=_RESPONSES, openapi_extra=openapi.problems(_SHARED))
    @made.api_route("/latest.json", methods=["GET", "HEAD"], include_in_schema=False)
    async def latest(request: Request) -> Response:
        """The manifest of the newest release."""
        return _document(request, await _found(releases.latest))

    @made.get(
        "/{version}/{file}",
        operation_id="get_file",
        response_class=FileResponse,
        responses=_FILE_RESPONSES,
        openapi_extra=openapi.problems(_SHARED | {416: "No byte of the range is there."}),
    )
    @made.api_route("/{version}/{file}", methods=["GET", "HEAD"], include_in_schema=False)
    async def file(version: str, file: str, request: Request) -> Response:
        """A file of a release, whole or in ranges; or the release's manifest."""
        if file == MANIFEST:
            return _document(request, await _found(lambda: releases.manifest(version)))
        found = await _found(lambda: releases.file(version, file))
        headers = _validators(found.sha256, FOR_EVER)
        # Starlette sends the same date as Last-Modified, so it counts.
        if answer := _conditional(request, headers, found.state.st_mtime):
            return answer
        _narrow(request, found.state.st_size, headers["ETag"])
        return FileResponse(found.path, headers=headers, media_type="application/octet-stream", stat_result=found.state)

    return made


async def _found(find: Callable[[], _T]) -> _T:
    try:
        # A thread that hangs in the file system cannot be ended; it is left alone, so that the caller gets an answer.
        return await within(_FIND_SECONDS, anyio.to_thread.run_sync(find, abandon_on_cancel=True))
    except UnknownFileError as error:
        raise not_found("file") from error
    except TimeoutError as error:
        raise UnavailableError("The releases cannot be read at the moment; try again.") from error


def _document(request: Request, document: Document) -> Response:
    headers = _validators(document.sha256, FOR_A_MOMENT)
    answer = _conditional(request, headers)
    return answer or Response(document.content, headers=headers, media_type="application/json")


def _validators(sha256: str, kept: str) -> dict[str, str]:
    digest = base64.b64encode(bytes.fromhex(sha256)).decode()
    # Of the whole file, in answers with a part of it, too (RFC 9530): what was put together can be checked.
    return {"ETag": f'"{sha256}"', "Repr-Digest": f"sha-256=:{digest}:", "Cache-Control": kept}


def _conditional(request: Request, headers: dict[str, str], modified: float | None = None) -> Response | None:
    """The answer to a caller who has it already, or wants another one; dates count where there is no validator."""
    etag, asked = headers["ETag"], request.headers
    required, known = (", ".join(asked.getlist(name)) for name in ("If-Match", "If-None-Match"))
    if required and not matches_strongly(required, etag):
        raise ProblemError(HTTPStatus.PRECONDITION_FAILED, "It is not the one that If-Match names.")
    if not required and modified is not None and changed_since(asked.get("If-Unmodified-Since", ""), modified):
        raise ProblemError(HTTPStatus.PRECONDITION_FAILED, "It was changed after If-Unmodified-Since.")
    unchanged = modified is not None and same_since(asked.get("If-Modified-Since", ""), modified)
    if matches_weakly(known, etag) if known else unchanged:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return None


def _narrow(request: Request, size: int, etag: str) -> None:
    """Leave Starlette a Range header that it answers as RFC 9110 says, or none.

    It sends ranges well, but reads the header differently: another unit and a broken header are its 400 (they are to be
    ignored), one range of several behind the end is its 416, and it gives HEAD ranges, which are defined for GET alone.
    """
    asked, only_if = request.headers.get("Range"), request.headers.get("If-Range")
    kept = [(name, value) for name, value in request.scope["headers"] if name not in {b"range", b"if-range"}]
    if asked and size and request.method == "GET" and (only_if is None or continues(only_if, etag)):
        try:
            ranges = wanted(asked, size)
        except UnsatisfiableRangeError as error:
            raise ProblemError(
                HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
                f"Range: {error}.",
                headers={"Content-Range": f"bytes */{size}"},
            ) from error
        if ranges:
            text = ", ".join(f"{start}-{end - 1}" for start, end in ranges)
            kept.append((b"range", f"bytes={text}".encode()))
    request.scope["headers"] = kept
