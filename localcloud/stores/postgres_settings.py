"""What a PostgreSQL server is told: who may connect how, and the parameters of its DB parameter group."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from localcloud.stores.home import Home

ADMIN = "rdsadmin"
"""The superuser, who comes through the socket in the server's own folder alone; as RDS calls it."""
FORCE_TLS = "rds.force_ssl"

_OURS = frozenset({
    *("listen_addresses", "port", "unix_socket_directories", "data_directory", "hba_file", "config_file", "ident_file"),
    *("ssl", "ssl_cert_file", "ssl_key_file", "ssl_ca_file", "fsync", "full_page_writes"),
    # Sized for an instance class of AWS, not for this machine.
    *("shared_buffers", "huge_pages", "effective_cache_size", "max_wal_size", "min_wal_size", "max_worker_processes"),
    *("logging_collector", "log_destination", "log_directory", "log_filename", "archive_command", "archive_mode"),
})  # fmt: skip
"""Parameters that the local cloud decides."""

# RDS writes its log so: Amazon RDS user guide, "Parameters that affect logging behavior".
_LOG_PREFIX = "%t:%r:%u@%d:[%p]:"


def known(home: Home, programs: Path) -> dict[str, str]:
    """Every parameter that this PostgreSQL knows -> where it can be set; "postmaster" takes a restart."""
    lines = home.run(programs / "bin" / "postgres", "--describe-config").splitlines()
    found = (line.split("\t") for line in lines)
    return {parts[0].lower(): parts[1] for parts in found if len(parts) > 1}


def takes_restart(name: str, parameters: Mapping[str, str]) -> bool:
    """Whether a parameter is static, as RDS calls it."""
    return parameters.get(name.lower()) == "postmaster"


def configuration(folder: Path, port: int, group: Mapping[str, str], parameters: Mapping[str, str]) -> str:
    """The text of postgresql.conf.

    Args:
        folder: the server's.
        port: of 127.0.0.1.
        group: the parameters of the DB parameter group.
        parameters: what this PostgreSQL knows.
    """
    ours = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": str(folder),
        "ssl": "on",
        "ssl_cert_file": str(folder / "server.pem"),
        "ssl_key_file": str(folder / "server.key"),
        "ssl_min_protocol_version": "TLSv1.2",
        "password_encryption": "scram-sha-256",
        "timezone": "UTC" if Path("/usr/share/zoneinfo/UTC").exists() else "GMT",
        "log_line_prefix": _LOG_PREFIX,
        # The data is gone with the local cloud: nothing need survive this machine. What is committed survives the
        # server's sudden end, as a failover does on AWS: it has been given to the operating system.
        "fsync": "off",
        "full_page_writes": "off",
        "shared_buffers": "16MB",
        "max_wal_size": "64MB",
        "min_wal_size": "4MB",
        "wal_keep_size": "16MB",
        "wal_level": "replica",
    }
    given = {
        name.lower(): value
        for name, value in group.items()
        # A dotted name is an extension's or RDS's own: PostgreSQL keeps it, and SHOW tells it. A formula of the
        # instance class ({DBInstanceClassMemory/32768}) means nothing here.
        if (name.lower() in parameters or "." in name) and name.lower() not in _OURS and "{" not in value and value
    }
    return "".join(f"{name} = {_quoted(value)}\n" for name, value in (ours | given).items())


def access(*, force_tls: bool) -> str:
    """The text of pg_hba.conf: passwords by SCRAM, the administrator through the socket alone."""
    rules = [
        f"local all {ADMIN} trust",
        f"local replication {ADMIN} trust",
        f"host all {ADMIN} all reject",
        "hostssl all all 127.0.0.1/32 scram-sha-256",
    ]
    if not force_tls:
        rules.append("hostnossl all all 127.0.0.1/32 scram-sha-256")
    return "\n".join(rules) + "\n"


def roles(master: str) -> Iterable[str]:
    """The statements that make RDS's roles; `master` is an identifier, quoted."""
    # Amazon RDS user guide, "Understanding PostgreSQL roles and permissions".
    for name in ("rds_superuser", "rds_password", "rds_replication", "rds_iam"):
        yield f"CREATE ROLE {name} NOLOGIN"
    given = ("pg_monitor", "pg_signal_backend", "pg_checkpoint", "pg_maintain", "pg_use_reserved_connections")
    yield f"GRANT {', '.join(given)}, pg_create_subscription, rds_password, rds_replication, rds_iam TO rds_superuser"
    yield f"CREATE ROLE {master} LOGIN CREATEDB CREATEROLE INHERIT VALID UNTIL 'infinity'"
    yield f"GRANT rds_superuser TO {master} WITH ADMIN OPTION"
    yield f"ALTER DATABASE postgres OWNER TO {master}"


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
