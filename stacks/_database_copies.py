"""Where another region keeps copies of a database's recovery points: ``-c options=copies -c copies_region=...``."""

import re
from typing import Any

from aws_cdk import ArnFormat, Environment, Stack, Token
from aws_cdk import aws_backup as backup
from aws_cdk import aws_kms as kms
from constructs import Construct

from stacks.settings import Settings

_ID = "ResilientWebAppCopies"
_REGION = r"[a-z]{2}(-[a-z]+)+-\d"
# Source: AWS Backup API reference, CreateBackupVault.
_LONGEST_NAME = 50


class ResilientWebAppCopies(Stack):
    """A vault in another region, with a key of its own there: it opens without the region that was lost."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)
        key = kms.Key(
            self,
            "Key",
            description="Copies of recovery points",
            enable_key_rotation=True,
            removal_policy=settings.removal_policy,
        )
        # Named, because a reference cannot cross regions; after the stack, so that a clone has another.
        backup.BackupVault(
            self,
            "Vault",
            backup_vault_name=self.stack_name,
            encryption_key=key,
            removal_policy=settings.removal_policy,
        )


def copies_vault(stack: Stack, settings: Settings) -> backup.IBackupVault:
    """Define the other region's stack beside this one; its vault.

    Raises:
        ValueError: No other region was named, or the prefix leaves no name for the vault.
    """
    if not settings.copies_region:
        raise ValueError("copies_region: must be named for the option copies, got none; give -c copies_region")
    if not re.fullmatch(_REGION, settings.copies_region):
        raise ValueError(f"copies_region: must be a region as eu-central-1, got {settings.copies_region!r}")
    if settings.copies_region == stack.region:
        raise ValueError(f"copies_region: must be another region than the stack's, got {settings.copies_region!r}")
    if len(settings.prefix) + len(_ID) > _LONGEST_NAME:
        longest = _LONGEST_NAME - len(_ID)
        raise ValueError(f"prefix: must be at most {longest} characters for the option copies, got {settings.prefix!r}")
    app = stack.node.scope
    if not isinstance(app, Construct):
        raise TypeError("stack: must be in an app")
    copies = ResilientWebAppCopies(
        app,
        _ID,
        settings=settings,
        stack_name=f"{settings.prefix}{_ID}",
        env=Environment(
            region=settings.copies_region, account=None if Token.is_unresolved(stack.account) else stack.account
        ),
    )
    stack.add_stack_dependency(copies)
    arn = stack.format_arn(
        service="backup",
        region=settings.copies_region,
        resource="backup-vault",
        resource_name=copies.stack_name,
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )
    return backup.BackupVault.from_backup_vault_arn(stack, "CopiesVault", arn)
