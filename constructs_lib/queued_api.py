"""API Gateway -> SQS -> worker: requests are taken at once and worked on when there is time."""

import json

from aws_cdk import Duration, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from constructs_lib import _problems
from constructs_lib._acknowledge import acknowledge
from constructs_lib._alarms import alarm_when
from constructs_lib._checks import matches
from constructs_lib._consumer import VISIBILITY_PER_TIMEOUT
from constructs_lib._rest_api import access_log_group, check_limits, regional_rest_api
from constructs_lib.queue_with_dlq import QueueWithDlq


class QueuedApi(Construct):
    """Queue-based load levelling: POST is checked at the edge, put into a queue and answered 202; a worker drains it.

    Defines a regional REST API (TLS 1.2 and up, access logs, tracing, throttling, a JSON schema checked before anything
    else), an integration that sends the body to SQS without a function in between, the queue with its dead letters,
    the worker's event source with partial batch failures, and alarms on 5xx answers, dead letters and age.

    A request that the schema refuses is answered 400 with the rule that it broke and the rules of all fields, as
    problem details (RFC 9457). An accepted one is answered 202 with ``id``, the SQS message id.

    Args:
        path: Path that takes the POST, one segment: "orders".
        schema: JSON schema of the body (API Gateway knows draft 4). The ``description`` of each property is shown to
            callers who are refused.
        worker: Function that handles SQS batches and returns partial batch failures. Its timeout sets the visibility.
        authorization: Who may call. Default ``AuthorizationType.IAM``: SigV4 and ``grant_invoke``; NONE: anybody.
        rate_limit: Requests per second, 1-10000. Default 100.
        burst_limit: Requests at once, 1-5000. Default 200.
        batch_size: Messages per invocation of the worker, 1-10. Default 10.
        max_receive_count: Deliveries before a message becomes a dead letter, 1-1000. Default 3.
        encryption_key: Customer-managed key for the queues. Left out: the key that SQS manages.

    Attributes:
        api: The REST API; ``url`` is where to POST.
        queue: The queue between; ``dead_letter_queue`` is where poison ends.
        dead_letter_queue: Dead letters of ``queue``.
        access_log: Log group of one JSON line per request.
        alarms: All alarms of the parts.

    Raises:
        ValueError: A prop is out of range.

    Example:
        intake = QueuedApi(stack, "Intake", path="orders", schema=schema, worker=worker.function)
        intake.grant_invoke(shop)
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        path: str,
        schema: apigateway.JsonSchema,
        worker: lambda_.IFunction,
        authorization: apigateway.AuthorizationType = apigateway.AuthorizationType.IAM,
        rate_limit: int = 100,
        burst_limit: int = 200,
        batch_size: int = 10,
        max_receive_count: int = 3,
        encryption_key: kms.IKey | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        matches("path", path, r"[A-Za-z0-9._-]+", "one path segment of letters, digits, '.', '_' and '-'")
        check_limits(rate_limit, burst_limit)

        timeout = worker.timeout if isinstance(worker, lambda_.Function) else None
        self._messages = QueueWithDlq(
            self,
            "Messages",
            visibility_timeout=Duration.seconds(VISIBILITY_PER_TIMEOUT * (timeout.to_seconds() if timeout else 30)),
            max_receive_count=max_receive_count,
            encryption_key=encryption_key,
        )
        self.queue = self._messages.queue
        self.dead_letter_queue = self._messages.dead_letter_queue
        self.access_log = access_log_group(self)
        self.api = regional_rest_api(self, access_log=self.access_log, rate_limit=rate_limit, burst_limit=burst_limit)
        self._method = self._post(path, schema, authorization, encryption_key)
        if authorization == apigateway.AuthorizationType.IAM:
            self._acknowledge_signed()
        self.url = self.api.url_for_path(f"/{path}")
        self._messages.add_consumer(worker, batch_size=batch_size)
        server_errors = self.api.metric_server_error(period=Duration.minutes(5), statistic="Sum")
        self.alarms = [
            *self._messages.alarms,
            alarm_when(self, "ServerErrorsAlarm", server_errors, above=0, says="answers 5xx"),
        ]

    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` POST, when ``authorization`` is IAM."""
        return iam.Grant.add_to_principal(
            grantee=grantee, actions=["execute-api:Invoke"], resource_arns=[self._method.method_arn]
        )

    def _acknowledge_signed(self) -> None:
        acknowledge(
            self._method, {"AwsSolutions-COG4": "Callers are services and roles that sign (SigV4), not Cognito users."}
        )
        acknowledge(
            self.api.deployment_stage,
            {"AwsSolutions-APIG3": "Only callers with an IAM grant get in, and the stage throttles them."},
        )

    def _post(
        self,
        path: str,
        schema: apigateway.JsonSchema,
        authorization: apigateway.AuthorizationType,
        encryption_key: kms.IKey | None,
    ) -> apigateway.Method:
        role = iam.Role(self, "SendRole", assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"))
        self.queue.grant(role, "sqs:SendMessage")
        if encryption_key:
            encryption_key.grant(role, "kms:Decrypt", "kms:GenerateDataKey")
        model = self.api.add_model("Body", content_type="application/json", schema=schema)
        _problems.answer_refusals(self.api, schema)
        send = apigateway.AwsIntegration(
            service="sqs",
            path=f"{Stack.of(self).account}/{self.queue.queue_name}",
            integration_http_method="POST",
            options=apigateway.IntegrationOptions(
                credentials_role=role,
                passthrough_behavior=apigateway.PassthroughBehavior.NEVER,
                request_parameters={"integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"},
                request_templates={"application/json": "Action=SendMessage&MessageBody=$util.urlEncode($input.body)"},
                integration_responses=[
                    apigateway.IntegrationResponse(
                        status_code="202",
                        selection_pattern="2\\d{2}",
                        response_templates={
                            "application/json": json.dumps(
                                {"id": "$input.path('$.SendMessageResponse.SendMessageResult.MessageId')"}
                            )
                        },
                    ),
                    # Whatever SQS refused is ours to mend, and must not look like success.
                    apigateway.IntegrationResponse(
                        status_code="503", response_templates={"application/json": _problems.UNAVAILABLE}
                    ),
                ],
            ),
        )
        return self.api.root.add_resource(path).add_method(
            "POST",
            send,
            authorization_type=authorization,
            request_models={"application/json": model},
            request_validator=self.api.add_request_validator(
                "Validator", validate_request_body=True, validate_request_parameters=True
            ),
            method_responses=[apigateway.MethodResponse(status_code=status) for status in ("202", "503")],
        )
