"""A shared file system as servers see it: through an access point, at a folder."""

from dataclasses import dataclass

from aws_cdk import aws_efs as efs

from constructs_lib._checks import matches


@dataclass(frozen=True)
class MountedFileSystem:
    """An EFS file system at a folder of every server, over TLS, as the access point's user.

    Args:
        file_system: The file system. Its policy decides beside the servers' role: with none it lets in everybody, and
            that of the CDK lets whoever may mount write as well, even as root. Bring one that allows nothing.
        access_point: The access point; its user and root folder are all that a server gets.
        folder: Where it is mounted, below /mnt: "/mnt/releases".
        writable: Whether servers may write. Default False.

    Raises:
        ValueError: ``folder`` is not of that form.

    Example:
        files = efs.FileSystem(stack, "Files", vpc=vpc, allow_anonymous_access=True, file_system_policy=policy)
        point = files.add_access_point("Releases", path="/releases")
        mounted = MountedFileSystem(file_system=files, access_point=point, folder="/mnt/releases")
    """

    file_system: efs.IFileSystem
    access_point: efs.IAccessPoint
    folder: str
    writable: bool = False

    def __post_init__(self) -> None:
        matches("folder", self.folder, r"/mnt/[a-z0-9_-]+", "a folder below /mnt as '/mnt/releases'")

    @property
    def actions(self) -> tuple[str, ...]:
        """What a server must be allowed to do."""
        write = ("elasticfilesystem:ClientWrite",) if self.writable else ()
        return ("elasticfilesystem:ClientMount", *write)
