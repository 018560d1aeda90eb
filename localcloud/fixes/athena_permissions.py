"""Athena's calls are authorized on the query's workgroup, and a query reads and writes with the rights of who asks.

Without this fix the emulator authorizes GetQueryExecution and the like on `*`, so a role with the rights to one
workgroup is denied; a query without a workgroup is asked of all of them instead of `primary`; whoever may start a query
reads every table, whatever the caller may do in Glue and S3; and a query has succeeded before its result is there,
which is then not where the query says.
"""

import json
from typing import Any
from urllib.parse import urlparse

from localcloud import roles
from localcloud.internals import need


def apply() -> None:
    """Wrap the naming of the resource, the run of a query and the writing of its result."""
    _name_the_workgroup()
    athena = need("services.athena", "_executions", "_run_duckdb", "_save_query_results", "_table_references")
    glue = need("services.glue", "_tables", "_arn")
    run, save = athena._run_duckdb, athena._save_query_results

    async def ran(query: str, database: str, catalog: str | None = None) -> Any:
        for reference in athena._table_references(query):
            name = f"{reference.database or database or 'default'}/{reference.table}"
            _demand("glue:GetTable", glue._arn("table", name))
            table = glue._tables.get(name) or {}
            location = urlparse((table.get("StorageDescriptor") or {}).get("Location", ""))
            if location.netloc:
                _demand("s3:ListBucket", f"arn:aws:s3:::{location.netloc}")
                _demand("s3:GetObject", f"arn:aws:s3:::{location.netloc}{location.path.rstrip('/')}/object")
        return await run(query, database, catalog)

    async def saved(query_id: str) -> None:
        execution = athena._executions[query_id]
        execution["Status"]["State"] = "RUNNING"
        result = urlparse(execution["ResultConfiguration"]["OutputLocation"])
        _demand("s3:GetBucketLocation", f"arn:aws:s3:::{result.netloc}")
        _demand("s3:PutObject", f"arn:aws:s3:::{result.netloc}{result.path}")
        # It takes the place of the result for a folder.
        configuration = execution["ResultConfiguration"]
        told, configuration["OutputLocation"] = (
            configuration["OutputLocation"],
            result.geturl().rpartition("/")[0] + "/",
        )
        try:
            await save(query_id)
        finally:
            configuration["OutputLocation"] = told
        if execution["Status"]["State"] == "RUNNING":
            execution["Status"]["State"] = "SUCCEEDED"

    vars(athena).update(_run_duckdb=ran, _save_query_results=saved)


def _name_the_workgroup() -> None:
    actions = need("core.iam_actions", "extract_resource_arn")
    athena = need("services.athena", "_executions", "_arn_workgroup")
    extract = actions.extract_resource_arn

    def resource(service: str, *request: Any, **more: Any) -> Any:
        named = extract(service, *request, **more)
        if service != "athena" or named != "*":
            return named
        try:
            body = json.loads(request[3])
        except (ValueError, TypeError):
            return named
        if "QueryString" in body:
            return athena._arn_workgroup("primary")
        execution = athena._executions.get(body.get("QueryExecutionId", ""))
        return athena._arn_workgroup(execution["WorkGroup"]) if execution else named

    vars(actions)["extract_resource_arn"] = resource


def _demand(action: str, on: str) -> None:
    who = need("core.iam_evaluator", "caller_arn").caller_arn().split(":")
    # The emulator's root may do everything, as it does everywhere.
    if who[5].startswith("assumed-role/"):
        role = f"arn:aws:iam::{who[4]}:role/{who[5].split('/')[1]}"
        if not roles.may(role, action, on):
            raise PermissionError(f"Insufficient permissions: {role} is not authorized to perform {action} on {on}")
