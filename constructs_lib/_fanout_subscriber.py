"""Who hears of a fan-out's messages, and what SNS demands of a filter."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod

from aws_cdk import Duration
from aws_cdk import aws_sns as sns

from constructs_lib._checks import in_range, matches, not_empty, seconds_in_range

# Source: Amazon SNS developer guide, "Filter policy constraints".
_MAX_KEYS = 5
_MAX_COMBINATIONS = 150
# Source: Amazon SQS developer guide, "Message quotas" and "Configuring a dead-letter queue".
_MAX_VISIBILITY_SECONDS = 12 * 3600
_MAX_RECEIVES = 1000


@dataclass(frozen=True)
class Subscriber:
    """One who gets a queue of its own.

    Args:
        name: Words of letters and digits joined by hyphens, the first letter first, 1-64 characters: "order-audit".
        filter_attributes: Message attribute -> condition; all must hold. Left out, like ``filter_body``: hears all.
        filter_body: Key of the JSON body -> condition, or nested keys; all must hold. Not with ``filter_attributes``:
            SNS looks at one of the two. A body that is not JSON does not match.
        visibility_timeout: 0 s-12 h; at least six times the consumer's timeout. Default 3 minutes, for one of 30 s.
        max_receive_count: Deliveries before a message becomes a dead letter, 1-1000. Default 3.

    Raises:
        ValueError: A value is out of range, both filters are given, or a filter breaks a limit of SNS: at most 5 keys
            and 150 combinations of values, where each key of a body counts its values times its depth.

    Example:
        dear = {"total": sns.SubscriptionFilter.numeric_filter(greater_than=1000)}
        audit = Subscriber("audit", filter_attributes=dear)
    """

    name: str
    filter_attributes: Mapping[str, sns.SubscriptionFilter] | None = None
    filter_body: Mapping[str, sns.FilterOrPolicy] | None = None
    visibility_timeout: Duration | None = None
    max_receive_count: int = 3

    def __post_init__(self) -> None:
        words = "1 to 64 characters: words of letters and digits joined by '-', beginning with a letter"
        matches("name", self.name, r"(?=.{1,64}$)[A-Za-z][A-Za-z0-9]*(-[A-Za-z0-9]+)*", words)
        in_range(f"max_receive_count of {self.name!r}", self.max_receive_count, 1, _MAX_RECEIVES)
        seconds_in_range(f"visibility_timeout of {self.name!r}", self.visibility, 0, _MAX_VISIBILITY_SECONDS)
        if self.filter_attributes is not None and self.filter_body is not None:
            raise ValueError(f"filter_body of {self.name!r}: must be left out beside filter_attributes, got both")
        if self.filter_attributes is not None:
            _check("filter_attributes", self.name, [(len(f.conditions), 1) for f in self.filter_attributes.values()])
        if self.filter_body is not None:
            _check("filter_body", self.name, list(_leaves(self.filter_body)))

    @property
    def construct_id(self) -> str:
        """``order-audit`` -> ``OrderAudit``."""
        return "".join(word[:1].upper() + word[1:] for word in self.name.split("-"))

    @property
    def visibility(self) -> Duration:
        """``visibility_timeout``, or its default."""
        return self.visibility_timeout or Duration.minutes(3)

    def attributes_with(self, required: str | None) -> Mapping[str, sns.SubscriptionFilter] | None:
        """The filter on attributes, holding this subscriber to the attribute that every message must have."""
        if required is None or self.filter_body is not None or required in (self.filter_attributes or {}):
            return self.filter_attributes
        both = {**(self.filter_attributes or {}), required: sns.SubscriptionFilter.exists_filter()}
        named = f"{self.name!r} with required_attribute {required!r}"
        in_range(f"filter_attributes (keys) of {named}", len(both), 1, _MAX_KEYS)
        return both


def _leaves(body: Mapping[str, sns.FilterOrPolicy], depth: int = 1) -> Iterator[tuple[int, int]]:
    """(number of values, depth) of each key that has a condition."""
    for node in body.values():
        if isinstance(node, sns.Policy):
            yield from _leaves(node.policy_doc, depth + 1)
        elif isinstance(node, sns.Filter):
            yield len(node.filter_doc.conditions), depth


def _check(prop: str, name: str, leaves: list[tuple[int, int]]) -> None:
    not_empty(f"{prop} of {name!r}", leaves)
    in_range(f"{prop} (keys) of {name!r}", len(leaves), 1, _MAX_KEYS)
    combinations = prod(values * depth for values, depth in leaves)
    in_range(f"{prop} (combinations of values) of {name!r}", combinations, 1, _MAX_COMBINATIONS)
