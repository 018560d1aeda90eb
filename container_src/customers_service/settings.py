"""What the server is told by its environment."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from service_kit.settings import AwsSettings


class Settings(AwsSettings):
    """Environment variables, upper case.

    Attributes:
        database_secret_arn: The secret of the database: JSON with username, password, host, port and dbname.
        pgsslrootcert: The authorities that the database's certificate may come from. The image and the instances have
            those of Amazon RDS here.
    """

    database_secret_arn: Annotated[str, Field(min_length=1)]
    pgsslrootcert: Path = Path("/opt/rds/global-bundle.pem")
