"""One health check of a target, by the settings of its group."""

import asyncio
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Verdict:
    """What a check found; reasons and texts are those of the API's TargetHealth."""

    passed: bool
    reason: str = ""
    description: str = ""


async def check(host: str, port: int, config: Any) -> Verdict:
    """GET the path of the check and see that the status is one of the matcher's.

    Args:
        host: the target's address.
        port: the target's port; the check may name another.
        config: the target group, as the emulator keeps it.
    """
    asked = str(config.get("HealthCheckPort") or "traffic-port")
    try:
        async with asyncio.timeout(config["HealthCheckTimeoutSeconds"]):
            status = await _status(host, port if asked == "traffic-port" else int(asked), config["HealthCheckPath"])
    except TimeoutError:
        return Verdict(False, "Target.Timeout", "Request timed out")
    except (OSError, ValueError):
        return Verdict(False, "Target.FailedHealthChecks", "Health checks failed")
    if matches(status, (config.get("Matcher") or {}).get("HttpCode", "200")):
        return Verdict(True)
    return Verdict(False, "Target.ResponseCodeMismatch", f"Health checks failed with these codes: [{status}]")


async def _status(host: str, port: int, path: str) -> int:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        request = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUser-Agent: ELB-HealthChecker/2.0\r\n"
        writer.write(f"{request}Accept-Encoding: gzip, compressed\r\nConnection: close\r\n\r\n".encode())
        line = await reader.readline()
        version, _, rest = line.decode("latin-1").partition(" ")
        if not version.startswith("HTTP/"):
            raise ValueError(f"no HTTP: {line!r}")
        return int(rest[:3])
    finally:
        writer.close()


def matches(status: int, matcher: str) -> bool:
    """Whether a status is among "200", "200,202" or "200-299"."""
    for part in matcher.split(","):
        first, _, last = part.strip().partition("-")
        if int(first) <= status <= int(last or first):
            return True
    return False
