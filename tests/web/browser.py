"""A real browser for tests, from npm alone: Chromium of @sparticuz/chromium, driven by Playwright.

It reaches the local cloud under AWS's own names and trusts the local cloud's key and no other.
"""

import base64
import hashlib
import json
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import Browser, ConsoleMessage, Page, Response, sync_playwright

from localcloud.cdk import ROOT
from localcloud.cloud import LocalCloud

# Unpacks browser, fonts and the few libraries that a bare machine lacks, once; the package itself is made for Lambda.
_UNPACK = """
import chromium, { inflate } from "@sparticuz/chromium";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
const packed = join(dirname(fileURLToPath(import.meta.resolve("@sparticuz/chromium"))), "..", "bin");
chromium.setGraphicsMode = false;
await chromium.executablePath(packed);
await inflate(join(packed, "al2023.tar.br"));
"""
_FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{folder}/fonts</dir><cachedir>{folder}/font-cache</cachedir></fontconfig>
"""


def why_not() -> str | None:
    """Why there is no browser for this machine; None where there is one."""
    if platform.system() == "Linux" and platform.machine() == "x86_64":
        return None
    return f"@sparticuz/chromium is for Linux on x86_64, this is {platform.system()} on {platform.machine()}"


@contextmanager
def chromium(cloud: LocalCloud) -> Iterator[Browser]:
    """A running browser; it ends with the block."""
    folder = _unpacked()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=folder / "chromium",
            args=[
                f"--host-resolver-rules=MAP *:443 127.0.0.1:{cloud.ready.port}, MAP * ~NOTFOUND",
                f"--ignore-certificate-errors-spki-list={_key_of(cloud.ca_bundle.with_name('server.pem'))}",
                "--no-zygote",
            ],
            env={
                "HOME": str(folder),
                "LD_LIBRARY_PATH": str(folder / "al2023" / "lib"),
                "FONTCONFIG_FILE": str(folder / "fonts.conf"),
            },
        )
        try:
            yield browser
        finally:
            browser.close()


def _unpacked() -> Path:
    package = json.loads((ROOT / "node_modules" / "@sparticuz" / "chromium" / "package.json").read_text("utf-8"))
    folder = ROOT / "build" / "browser" / str(package["version"])
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Aside first: one that was interrupted must not be taken for a whole one.
        aside = Path(tempfile.mkdtemp(dir=folder.parent))
        env = {"TMPDIR": str(aside), "PATH": os.environ["PATH"]}
        node = ROOT / ".venv" / "bin" / "node"
        subprocess.run([node, "--input-type=module", "-e", _UNPACK], cwd=ROOT, env=env, check=True)
        (aside / "fonts.conf").write_text(_FONTS.format(folder=folder), encoding="utf-8")
        try:
            aside.rename(folder)
        except OSError:
            # Another worker was quicker; what it unpacked is the same.
            if not folder.exists():
                raise
            shutil.rmtree(aside)
    return folder


def _key_of(certificate: Path) -> str:
    key = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
    encoded = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(encoded).digest()).decode()


@dataclass
class Complaints:
    """What a page's console, its scripts and its requests complained of.

    Attributes:
        said: One text each.
        expected: Parts of texts that the test provokes.
    """

    said: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        """Note what this page complains of from now on."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.said.append(f"script: {error}"))
        page.on("requestfailed", lambda request: self.said.append(f"request: {request.url} {request.failure}"))
        page.on("response", self._response)

    @property
    def unexpected(self) -> list[str]:
        """All but what was provoked."""
        return [text for text in self.said if not any(part in text for part in self.expected)]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.said.append(f"console: {message.text} {_where(message.location)}")

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self.said.append(f"response: {response.status} {response.url}")


def _where(location: Any) -> str:
    return str(location.get("url", "")) if isinstance(location, dict) else ""
