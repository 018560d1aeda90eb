"""The environment of a server: what was deployed, its role's credentials, and the way into this cloud."""

import os
from pathlib import Path

from localcloud.environment import REGION
from localcloud.servers import file_systems
from localcloud.servers.plan import Plan
from localcloud.servers.roles import Cloud, Role


class Surroundings:
    """Makes environments.

    Args:
        cloud: the local cloud.
        proxy_url: the proxy that knows its names.
        state: the cloud's state folder.
        sources: the folder of the server packages.
    """

    def __init__(self, cloud: Cloud, *, proxy_url: str, state: Path, sources: Path) -> None:
        self._cloud, self._state = cloud, state
        self._given = {
            "PATH": os.defpath,
            "HOME": str(state / "home"),
            "TMPDIR": str(state / "tmp"),
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(sources),
            "PYTHONUNBUFFERED": "1",
            "AWS_ENDPOINT_URL": cloud.endpoint_url,
            "AWS_CA_BUNDLE": str(cloud.ca_bundle),
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "SSL_CERT_FILE": str(cloud.ca_bundle),
            "PGSSLROOTCERT": str(cloud.ca_bundle),
            "HTTPS_PROXY": proxy_url,
            "NO_PROXY": "127.0.0.1,localhost",
        }

    def of(self, plan: Plan, port: int, role: Role | None) -> dict[str, str]:
        """The environment of one server.

        Args:
            plan: what it is to be.
            port: where it listens here.
            role: under which it acts.
        """
        deployed = file_systems.moved(plan.environment, self._folders(plan))
        credentials = role.environment if role else {}
        # Ours last: what is deployed names ports and files of a container or an instance.
        return {**deployed, **self._given, **credentials, "PORT": str(port)}

    def _folders(self, plan: Plan) -> dict[str, Path]:
        efs, every = self._cloud.client("efs"), self._state / file_systems.FOLDER
        return {
            mounted: file_systems.folder_of(every, system, file_systems.root_of(efs, access_point))
            for mounted, (system, access_point) in plan.mounts.items()
        }
