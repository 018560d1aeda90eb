"""The script with which an instance becomes a server: Amazon Linux 2023, one Python application as a systemd unit."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

_ENVIRONMENT_END = "ENVIRONMENT"


@dataclass(frozen=True)
class Boot:
    """What the script is told; any text may be a token of the CDK.

    Attributes:
        package: The application's package; also its user's, unit's and folders' name.
        port: Where it listens.
        source: s3:// URL of the archive with the packages.
        dependencies: s3:// URL of the archive with ``python/...``; None: it has none.
        environment: The application's environment.
        log_group: Name of the log group.
        region: The region.
        signal_to: (stack, logical id) of the resource that waits to hear how it went.
        mount: (file system id, access point id, folder, writable) of a shared file system; None: there is none.
        downloads: File -> https:// URL.
    """

    package: str
    port: int
    source: str
    dependencies: str | None
    environment: Mapping[str, str]
    log_group: str
    region: str
    signal_to: tuple[str, str]
    mount: tuple[str, str, str, bool] | None = None
    downloads: Mapping[str, str] = field(default_factory=dict)


def script(boot: Boot) -> str:
    """The script, without its first line. Whatever fails ends it; CloudFormation is told how it ended either way."""
    parts = [_head(boot), _software(boot), _application(boot), _downloads(boot), _mount(boot), _environment(boot)]
    return "\n".join([*filter(None, [*parts, _unit(boot), _logs(boot), _start(boot)])])


def _head(boot: Boot) -> str:
    stack, resource = boot.signal_to
    return f"""set -euo pipefail
tell() {{
  /opt/aws/bin/cfn-signal --exit-code "$1" --stack '{stack}' --resource '{resource}' --region '{boot.region}' || true
}}
trap 'tell $?' EXIT
# The way out may take a moment to be there.
again() {{
  local tries
  for tries in 1 2 3 4; do "$@" && return; sleep $((tries * 5)); done
  "$@"
}}"""


def _software(boot: Boot) -> str:
    # The image brings some of them; those that it brings are left as they are.
    wanted = ["python3.13", "amazon-cloudwatch-agent", "aws-cfn-bootstrap", "logrotate"]
    return f"again dnf install --assumeyes --quiet {' '.join([*wanted, *(['amazon-efs-utils'] if boot.mount else [])])}"


def _application(boot: Boot) -> str:
    """The user and the packages.

    The user's home is not below /home, which the unit closes: libpq looks there for a certificate of the client, takes
    "there is none" for an answer and "you may not look" for an error (its fe-secure-openssl.c, initialize_SSL).
    """
    root = f"/opt/{boot.package}"
    archives = {"source": boot.source} | ({"dependencies": boot.dependencies} if boot.dependencies else {})
    user = f"useradd --system --no-create-home --home-dir {root} --shell /sbin/nologin {boot.package}"
    lines = [user, f"install -d {root}"]
    for name, url in archives.items():
        lines += [
            f"again aws s3 cp --only-show-errors '{url}' /tmp/{name}.zip",
            f"/usr/bin/python3.13 -m zipfile -e /tmp/{name}.zip {root}/{name}",
            f"rm /tmp/{name}.zip",
        ]
    return "\n".join([*lines, f"chmod -R a+rX,go-w {root}"])


def _downloads(boot: Boot) -> str:
    # Folders that curl makes (--create-dirs) are closed to the application's user: 0750 (curl(1)).
    return "\n".join(
        f"mkdir -p '{PurePosixPath(path).parent}'"
        f"\nagain curl --fail --silent --show-error --proto '=https' --output '{path}' '{url}'"
        f"\nchmod 0644 '{path}'"
        for path, url in boot.downloads.items()
    )


def _mount(boot: Boot) -> str:
    if not boot.mount:
        return ""
    file_system, access_point, folder, writable = boot.mount
    options = f"tls,iam,accesspoint={access_point},{'rw' if writable else 'ro'},noexec,nosuid,nodev"
    return f"""install -d {folder}
echo '{file_system}:/ {folder} efs _netdev,{options} 0 0' >> /etc/fstab
again mount -t efs -o {options} {file_system}:/ {folder}"""


def _environment(boot: Boot) -> str:
    lines = [f"{name}={value}" for name, value in {"PORT": str(boot.port), **boot.environment}.items()]
    end = _ENVIRONMENT_END
    return "\n".join(
        [
            f"cat > /etc/{boot.package}.env <<'{end}'",
            *lines,
            end,
            # It names secrets, though it holds none.
            f"chmod 0600 /etc/{boot.package}.env",
        ]
    )


def _unit(boot: Boot) -> str:
    """The unit. Its output is opened by systemd itself, so the application can neither cut nor remove its own log.

    Source of the restrictions: systemd.exec(5), "Sandboxing"; ``systemd-analyze security`` lists them.
    """
    name, waits = boot.package, " remote-fs.target" if boot.mount else ""
    # "strict" makes every file system read-only, a mounted one too.
    writes = f"ReadWritePaths={boot.mount[2]}\n" if boot.mount and boot.mount[3] else ""
    return f"""install -d -m 0755 /var/log/{name}
cat > /etc/systemd/system/{name}.service <<'UNIT'
[Unit]
Description={name}
Wants=network-online.target
After=network-online.target{waits}
StartLimitIntervalSec=0

[Service]
User={name}
Group={name}
EnvironmentFile=/etc/{name}.env
Environment=PYTHONPATH=/opt/{name}/source:/opt/{name}/dependencies/python
Environment=PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WorkingDirectory=/opt/{name}
ExecStart=/usr/bin/python3.13 -m {name}
Restart=always
RestartSec=2
TimeoutStopSec=30
StandardOutput=append:/var/log/{name}/output.log
StandardError=inherit
UMask=0077
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
{writes}ProtectHome=yes
ProtectProc=invisible
ProtectClock=yes
ProtectHostname=yes
ProtectControlGroups=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
PrivateTmp=yes
PrivateDevices=yes
LockPersonality=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
SystemCallArchitectures=native
SystemCallFilter=@system-service

[Install]
WantedBy=multi-user.target
UNIT"""


def _logs(boot: Boot) -> str:
    """The CloudWatch agent follows the file, which is turned over before it fills the disk."""
    file = f"/var/log/{boot.package}/output.log"
    follow = {"file_path": file, "log_group_name": boot.log_group, "log_stream_name": "{instance_id}"}
    agent = {"agent": {"run_as_user": "root"}, "logs": {"logs_collected": {"files": {"collect_list": [follow]}}}}
    return f"""cat > /etc/logrotate.d/{boot.package} <<'ROTATE'
{file} {{
  size 50M
  rotate 3
  compress
  copytruncate
  missingok
}}
ROTATE
cat > /etc/{boot.package}-logs.json <<'AGENT'
{json.dumps(agent, indent=2)}
AGENT
/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl \\
  -a fetch-config -m ec2 -s -c file:/etc/{boot.package}-logs.json"""


def _start(boot: Boot) -> str:
    url = f"http://127.0.0.1:{boot.port}/health"
    return f"""systemctl daemon-reload
systemctl enable --now {boot.package}.service
# Healthy, or CloudFormation hears that it is not and keeps the servers it has.
curl --fail --silent --show-error --max-time 5 --retry 60 --retry-delay 2 --retry-all-errors {url}
"""
