"""The CDK app: context -> settings -> the catalog's stacks; nothing else."""

import sys

import aws_cdk as cdk

from stacks import catalog
from stacks.settings import Settings


def build(app: cdk.App) -> cdk.App:
    """Define the stacks that the context names, or all of them."""
    settings = Settings.from_context(app.node.try_get_context)
    for scenario in catalog.load(settings.scenarios):
        scenario.stack(
            app,
            scenario.stack_id,
            settings=settings,
            stack_name=f"{settings.prefix}{scenario.stack_id}",
            description=scenario.summary,
            tags={"project": "classic-aws-architectures", "scenario": scenario.key},
        )
    return app


if __name__ == "__main__":
    try:
        build(cdk.App()).synth()
    except (ValueError, RuntimeError) as refusal:
        sys.exit(f"error: {refusal}")
