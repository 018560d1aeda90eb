"""To-dos in their table: partition key ``user``, sort key ``id``; every write is conditional."""

from typing import Any

from botocore.exceptions import ClientError

from todo_api.connection import Connection
from todo_api.rules import Change, Todo


class UnknownTodoError(LookupError):
    """The user has no to-do of that id."""


class VersionConflictError(ValueError):
    """The to-do is of another version by now.

    Args:
        current: The version it has.
    """

    def __init__(self, current: int) -> None:
        super().__init__(f"version: must be the current one, {current}; read the to-do again and repeat your change")
        self.current = current


class Store:
    """The to-dos of all users; each call is about one user's.

    Args:
        table: The table's name.
        connection: To DynamoDB.
    """

    def __init__(self, table: str, connection: Connection) -> None:
        self._table = table
        self._connection = connection

    def add(self, user: str, todo: Todo) -> None:
        """Keep a new to-do. The same one may be there already, from an attempt of ours whose answer was lost."""
        self._call(
            "put_item",
            Item=_item(user, todo),
            ConditionExpression="attribute_not_exists(id) OR (created = :created AND #version = :first)",
            ExpressionAttributeNames={"#version": "version"},
            ExpressionAttributeValues={":created": {"S": todo.created.isoformat()}, ":first": {"N": "1"}},
        )

    def get(self, user: str, todo_id: str, *, fresh: bool = False) -> Todo:
        """One to-do.

        Args:
            user: Whose.
            todo_id: Which.
            fresh: As it is now, past every cache.

        Raises:
            UnknownTodoError: There is none.
        """
        answer = self._call("get_item", Key=_key(user, todo_id), ConsistentRead=fresh)
        if "Item" not in answer:
            raise UnknownTodoError(todo_id)
        return _todo(answer["Item"])

    def page(self, user: str, *, limit: int, after: str | None = None, fresh: bool = False) -> tuple[list[Todo], bool]:
        """Up to ``limit`` to-dos in the order of their creation, and whether there are more."""
        start = {"ExclusiveStartKey": _key(user, after)} if after else {}
        # One more than is shown tells whether there are more; the largest page is far from DynamoDB's 1 MB.
        answer = self._call(
            "query",
            KeyConditionExpression="#user = :user",
            ExpressionAttributeNames={"#user": "user"},
            ExpressionAttributeValues={":user": {"S": user}},
            Limit=limit + 1,
            ConsistentRead=fresh,
            **start,
        )
        found = [_todo(item) for item in answer["Items"]]
        return found[:limit], len(found) > limit

    def change(self, user: str, todo_id: str, change: Change) -> Todo:
        """Change a to-do that is still of the version that the change was made for.

        Raises:
            UnknownTodoError: There is none.
            VersionConflictError: It has changed since.
        """
        values = change.values()
        sets = ["#version = :next"] + [f"#{name} = :{name}" for name, value in values.items() if value is not None]
        removes = [f"#{name}" for name, value in values.items() if value is None]
        new = {f":{name}": _attribute(value) for name, value in values.items() if value is not None}
        answer = self._conditional(
            "update_item",
            user,
            todo_id,
            UpdateExpression=f"SET {', '.join(sets)}" + (f" REMOVE {', '.join(removes)}" if removes else ""),
            ConditionExpression="#version = :seen",
            ExpressionAttributeNames={"#version": "version", **{f"#{name}": name for name in values}},
            ExpressionAttributeValues={
                ":seen": {"N": str(change.version)},
                ":next": {"N": str(change.version + 1)},
                **new,
            },
            ReturnValues="ALL_NEW",
        )
        return _todo(answer["Attributes"])

    def remove(self, user: str, todo_id: str, version: int) -> None:
        """Delete a to-do that is still of this version.

        Raises:
            UnknownTodoError: There is none.
            VersionConflictError: It has changed since.
        """
        self._conditional(
            "delete_item",
            user,
            todo_id,
            ConditionExpression="#version = :seen",
            ExpressionAttributeNames={"#version": "version"},
            ExpressionAttributeValues={":seen": {"N": str(version)}},
        )

    def _conditional(self, operation: str, user: str, todo_id: str, **request: Any) -> dict[str, Any]:
        try:
            return self._call(operation, Key=_key(user, todo_id), **request)
        except ClientError as refusal:
            if refusal.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
        # Outside the handler: what is raised here is the caller's error, not a consequence of DynamoDB's.
        raise VersionConflictError(self.get(user, todo_id, fresh=True).version)

    def _call(self, operation: str, **request: Any) -> dict[str, Any]:
        return self._connection.call(operation, TableName=self._table, **request)


def _key(user: str, todo_id: str) -> dict[str, Any]:
    return {"user": {"S": user}, "id": {"S": todo_id}}


def _item(user: str, todo: Todo) -> dict[str, Any]:
    fields = todo.model_dump(exclude={"id"}, exclude_none=True)
    return _key(user, todo.id) | {name: _attribute(value) for name, value in fields.items()}


def _todo(item: dict[str, Any]) -> Todo:
    plain = {name: next(iter(value.values())) for name, value in item.items()}
    return Todo.model_validate(plain | {"version": int(plain["version"])})


def _attribute(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"BOOL": value}
        case int():
            return {"N": str(value)}
        case str():
            return {"S": value}
        case _:
            return {"S": value.isoformat()}
