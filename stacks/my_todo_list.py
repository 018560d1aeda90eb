"""A mobile to-do list: users sign in, keep their to-dos by a REST API, and their files in a folder of their own."""

from typing import Any

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from constructs_lib import AlarmTopic, ApiRoute, CognitoRestApi, DaxCachedTable, PythonFunction, UserFiles
from constructs_lib._acknowledge import acknowledge
from stacks.scenario import Scenario
from stacks.settings import Settings

# As in lambda_src/todo_api/openapi.json; tests/functions/test_todo_api_openapi.py holds the two together.
ROUTES = (
    ApiRoute("GET", "/todos", query=("limit", "cursor", "seen")),
    ApiRoute("POST", "/todos"),
    ApiRoute("GET", "/todos/{todo_id}", query=("seen",)),
    ApiRoute("PATCH", "/todos/{todo_id}"),
    ApiRoute("DELETE", "/todos/{todo_id}"),
)


class MyTodoList(Stack):
    """1 sign in -> 2 API, by token -> 3 function -> 4 table behind a cache; 5 credentials -> 6 own files."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)

        # 3, 4 To-dos per user, read through the cache.
        todos = PythonFunction(
            self, "Todos", package="todo_api", target=settings.target, timeout=Duration.seconds(15), memory_mb=512
        )
        table = DaxCachedTable(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name="user", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            removal_policy=settings.removal_policy,
        )
        table.connect(
            todos,
            "dynamodb:GetItem",
            "dynamodb:Query",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "dynamodb:DeleteItem",
        )
        # 1, 2 Users sign in; the API verifies their token and keeps answers to GET for each of them.
        api = CognitoRestApi(
            self,
            "Api",
            handler=todos.function,
            routes=ROUTES,
            cache_ttl=Duration.seconds(30),
            removal_policy=settings.removal_policy,
        )
        waited_for = "API Gateway calls it and waits: its errors go to the caller."
        acknowledge(todos.function, {"Serverless-LambdaDLQ": waited_for})
        # 5, 6 The token buys credentials for the user's own folder.
        files = UserFiles(
            self,
            "Files",
            user_pool=api.user_pool,
            user_pool_client=api.user_pool_client,
            removal_policy=settings.removal_policy,
        )
        alarms = AlarmTopic(self, "Alarms", email=settings.alarm_email, removal_policy=settings.removal_policy)
        alarms.watch(todos.alarms, table.alarms, api.alarms)

        CfnOutput(self, "ApiUrl", value=api.url, description="Send the ID token as Authorization")
        CfnOutput(self, "UserPoolId", value=api.user_pool.user_pool_id)
        CfnOutput(self, "UserPoolClientId", value=api.user_pool_client.user_pool_client_id)
        CfnOutput(self, "IdentityPoolId", value=files.identity_pool.ref)
        CfnOutput(self, "FilesBucketName", value=files.bucket.bucket_name)
        if table.endpoint:
            CfnOutput(self, "CacheEndpoint", value=table.endpoint)


SCENARIO = Scenario(
    key="my-todo-list",
    stack=MyTodoList,
    summary="Cognito -> API Gateway -> Lambda -> DAX -> DynamoDB, and S3 folders by identity",
    source="seed 001, my to-do list, a mobile application backend",
)
