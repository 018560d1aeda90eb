"""The CloudFront function in front of a site's pages: which path is which file, and 404 for the rest."""

import json
import re
from collections.abc import Mapping, Sequence

from constructs_lib._checks import matches

# Source: Amazon CloudFront developer guide, "Quotas on CloudFront Functions": 10 KB.
_MAX_BYTES = 10 * 1024
_TEMPLATE = """\
// Made by StaticSiteWithCloudFront: a path with a dot is a file, a page of the application is index.html, others: 404.
var PAGES = %(pages)s;
var HEADERS = %(headers)s;
var NOT_FOUND = %(not_found)s;
function handler(event) {
  var request = event.request;
  var uri = request.uri;
  if (uri.substring(uri.lastIndexOf('/')).indexOf('.') !== -1) return request;
  for (var i = 0; i < PAGES.length; i++) {
    if (new RegExp(PAGES[i]).test(uri)) {
      request.uri = '/index.html';
      return request;
    }
  }
  return {
    statusCode: 404,
    statusDescription: 'Not Found',
    headers: HEADERS,
    body: { encoding: 'text', data: NOT_FOUND }
  };
}
"""


def check_routes(routes: Sequence[str]) -> None:
    """Raise ValueError unless each is a path whose segments are words, or ``*`` for any word."""
    for route in routes:
        matches("page_routes", route, r"(/([A-Za-z0-9_-]+|\*))+", "paths like '/about' or '/posts/*'")


def router_code(routes: Sequence[str], headers: Mapping[str, str], not_found: str) -> str:
    """The function's source.

    Raises:
        ValueError: It is longer than CloudFront takes, which only a long 404.html can make it.
    """
    patterns = ["^/$", *(f"^{re.sub(r'[*]', '[^/]+', route)}/?$" for route in routes)]
    said = {"content-type": "text/html; charset=utf-8", "cache-control": "public, max-age=60", **headers}
    code = _TEMPLATE % {
        "pages": json.dumps(patterns),
        "headers": json.dumps({name: {"value": value} for name, value in said.items()}),
        "not_found": json.dumps(not_found),
    }
    if len(code.encode()) > _MAX_BYTES:
        raise ValueError(
            f"site: 404.html must be short, since the function that holds it may have {_MAX_BYTES} bytes, "
            f"got {len(code.encode())}"
        )
    return code
