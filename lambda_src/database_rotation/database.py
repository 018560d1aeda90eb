"""The database's side of a rotation: who can log in, and giving a user another password."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from database_rotation.rules import Credentials

# The root certificates of RDS. PGSSLROOTCERT is libpq's own variable for another file.
BUNDLE = Path(__file__).with_name("rds-global-bundle.pem")
_CONNECT_SECONDS = 5
_STATEMENT_MILLISECONDS = 5000


class Refused(Exception):  # noqa: N818 - an answer, not a fault
    """The database is there and does not take the password."""


@contextmanager
def connected(credentials: Credentials) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    """A connection over TLS to a server whose certificate and name were verified.

    Raises:
        Refused: The password is wrong.
        psycopg.OperationalError: The database cannot be reached, or is not who it says.
    """
    try:
        connection = psycopg.connect(
            host=credentials.host,
            port=credentials.port,
            user=credentials.username,
            password=credentials.password,
            dbname=credentials.dbname,
            sslmode="verify-full",
            sslrootcert=os.environ.get("PGSSLROOTCERT") or str(BUNDLE),
            connect_timeout=_CONNECT_SECONDS,
            options=f"-c statement_timeout={_STATEMENT_MILLISECONDS}",
            application_name="database-rotation",
            autocommit=True,
        )
    except psycopg.OperationalError as error:
        # A failed login has no SQLSTATE in libpq; that it asked for the password says that the server was reached.
        if error.pgconn is not None and error.pgconn.used_password and "password authentication failed" in str(error):
            raise Refused from error
        raise
    with connection:
        yield connection


def logs_in(credentials: Credentials) -> bool:
    """Whether the database takes these credentials and answers a question.

    Raises:
        psycopg.OperationalError: The database cannot be reached, or is not who it says.
    """
    try:
        with connected(credentials) as connection:
            return connection.execute("SELECT current_user").fetchone() == (credentials.username,)
    except Refused:
        return False


def set_password(known: Credentials, password: str) -> None:
    """Give the user of ``known`` another password.

    libpq hashes it before it is sent (PQchangePassword), so that the statement, which the database may log, does not
    contain it.

    Raises:
        Refused: The known password is wrong.
        psycopg.OperationalError: The database cannot be reached, or did not do it.
    """
    with connected(known) as connection:
        connection.pgconn.change_password(known.username.encode(), password.encode())
