"""Devices reach AWS IoT by MQTT over TLS, on a free port of this machine alone, and with a certificate only.

Without this fix the emulator listens on port 8883 of every interface, and serves who shows no certificate without
asking any policy; the launcher therefore switches its listener off.
"""

import asyncio
import os
import socket
import ssl

from localcloud.internals import need


def apply() -> None:
    """Bind a free loopback port now, and switch the listener on with it."""
    iot = need(
        "services.iot",
        *("_mtls_start_locked", "_mtls_build_ssl_context", "_MtlsAcceptor", "_mtls_server", "_mtls_loop"),
    )
    build_context = iot._mtls_build_ssl_context
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.bind(("127.0.0.1", 0))
    bound.listen(100)  # a device that comes early waits in the backlog

    async def start() -> None:
        if iot._mtls_server is None:
            loop = asyncio.get_running_loop()
            server = await loop.create_server(iot._MtlsAcceptor, sock=bound)
            vars(iot).update(_mtls_server=server, _mtls_loop=loop)

    def context() -> ssl.SSLContext:
        made: ssl.SSLContext = build_context()
        made.verify_mode = ssl.CERT_REQUIRED
        return made

    vars(iot).update(_mtls_start_locked=start, _mtls_build_ssl_context=context)
    os.environ |= {"IOT_MTLS_PORT": str(bound.getsockname()[1]), "IOT_MTLS_ENABLED": "1"}
