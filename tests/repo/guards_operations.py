"""What must hold in every template so that it can be run: one sentence per offence, nothing when all is well."""

import re

from tests.repo.guards_security import Guard
from tests.repo.policies import refers_to, target_of
from tests.templates import Template, resources

_PHYSICAL_NAMES = {
    "AWS::ApiGateway::ApiKey": "Name",
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::DynamoDB::GlobalTable": "TableName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::Events::Rule": "Name",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Role": "RoleName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Lambda::LayerVersion": "LayerName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::SecretsManager::Secret": "Name",
    "AWS::StepFunctions::StateMachine": "StateMachineName",
}


def dead_letters(template: Template) -> list[str]:
    """Whatever works asynchronously has a place for what it failed at."""
    offences = []
    for logical_id, mapping in resources(template, "AWS::Lambda::EventSourceMapping").items():
        queue = target_of(mapping.get("EventSourceArn"), template, "AWS::SQS::Queue")
        redrives = queue is not None and "deadLetterTargetArn" in queue.get("RedrivePolicy", {})
        if not redrives and "OnFailure" not in mapping.get("DestinationConfig", {}):
            offences.append(f"{logical_id}: must read from a queue that redrives, or have a failure destination")
    for logical_id, subscription in resources(template, "AWS::SNS::Subscription").items():
        if subscription["Protocol"] in {"sqs", "lambda", "https", "firehose"} and "RedrivePolicy" not in subscription:
            offences.append(f"{logical_id}: must have a redrive policy for what cannot be delivered")
    for logical_id, rule in resources(template, "AWS::Events::Rule").items():
        if any("DeadLetterConfig" not in target for target in rule.get("Targets", [])):
            offences.append(f"{logical_id}: each target must have a dead-letter queue")
    for logical_id, function in resources(template, "AWS::Lambda::Function").items():
        if _is_invoked_asynchronously(template, logical_id) and "DeadLetterConfig" not in function:
            configs = resources(template, "AWS::Lambda::EventInvokeConfig").values()
            own = [one for one in configs if refers_to(one["FunctionName"], logical_id)]
            if not any("OnFailure" in one.get("DestinationConfig", {}) for one in own):
                offences.append(f"{logical_id}: is invoked asynchronously, so must have dead letters of its own")
    return offences


def _is_invoked_asynchronously(template: Template, function: str) -> bool:
    services = {"s3.amazonaws.com", "sns.amazonaws.com", "events.amazonaws.com", "ses.amazonaws.com"}
    permissions = resources(template, "AWS::Lambda::Permission").values()
    return any(refers_to(one["FunctionName"], function) and one["Principal"] in services for one in permissions)


def logs_end(template: Template) -> list[str]:
    """Log groups have a retention, and functions write to one of them, not to one that nobody defined."""
    groups, functions = resources(template, "AWS::Logs::LogGroup"), resources(template, "AWS::Lambda::Function")
    endless = [name for name, group in groups.items() if "RetentionInDays" not in group]
    implicit = [name for name, one in functions.items() if "LogGroup" not in one.get("LoggingConfig", {})]
    return [f"{name}: must have RetentionInDays" for name in endless] + [
        f"{name}: must say its LoggingConfig.LogGroup" for name in implicit
    ]


def no_physical_names(template: Template) -> list[str]:
    """Nothing is named by hand, so that a scenario can be deployed twice."""
    return [
        f"{logical_id}: must leave {prop} to CloudFormation, got {properties[prop]!r}"
        for kind, prop in _PHYSICAL_NAMES.items()
        for logical_id, properties in resources(template, kind).items()
        # SNS wants FIFO topics to be named; the CDK derives that name from the stack's own.
        if prop in properties and not (kind == "AWS::SNS::Topic" and properties.get("FifoTopic") is True)
    ]


def alarms_are_heard(template: Template) -> list[str]:
    """Every alarm tells somebody when it is raised and when it is over."""
    return [
        f"{logical_id}: must have {prop}"
        for logical_id, alarm in resources(template, "AWS::CloudWatch::Alarm").items()
        for prop in ("AlarmActions", "OKActions")
        if not alarm.get(prop)
    ]


def outputs_are_named(template: Template) -> list[str]:
    """Outputs are declared at stack scope, in PascalCase: a hash in the id is one of some construct inside."""
    return [
        f"{name}: must be an output of the stack itself, in PascalCase"
        for name in template.get("Outputs", {})
        if not re.fullmatch(r"([A-Z][a-z0-9]*)+", name) or re.search(r"[0-9A-F]{8}$", name)
    ]


GUARDS: tuple[Guard, ...] = (dead_letters, logs_end, no_physical_names, alarms_are_heard, outputs_are_named)
