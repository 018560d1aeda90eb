"""What a server is to be, as it was deployed."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Plan:
    """Everything that starting one takes.

    Attributes:
        name: The service's or group's name, for people.
        package: Its Python package.
        count: How many there are to be.
        environment: Its environment, secrets included, as deployed.
        role: ARN of the role it acts under; None: none.
        groups: ARNs of the target groups that it belongs to.
        zones: Where they are placed, in turn.
        log_group: Name of the log group of its output; None: its output goes to a file alone.
        log_prefix: What the names of its log streams begin with.
        log_role: ARN of the role that writes them.
        mounts: Folder inside the server -> (file system id, access point id or None).
        stop_seconds: How long it may take to finish after TERM.
    """

    name: str
    package: str
    count: int
    environment: Mapping[str, str]
    role: str | None
    groups: tuple[str, ...]
    zones: tuple[str, ...]
    log_group: str | None = None
    log_prefix: str = ""
    log_role: str | None = None
    mounts: Mapping[str, tuple[str, str | None]] = field(default_factory=dict)
    stop_seconds: float = 30.0
