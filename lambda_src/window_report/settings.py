"""What the function is told by its environment; a missing variable is named by pydantic."""

from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    """Environment variables, upper case.

    Attributes:
        database: ``DATABASE``: of the Glue catalog.
        table: ``TABLE``: the events in it.
        workgroup: ``WORKGROUP``: of Athena; says where results go and how much a query may scan.
        reports_bucket: ``REPORTS_BUCKET``: where reports are written.
    """

    database: str
    table: str
    workgroup: str
    reports_bucket: str
