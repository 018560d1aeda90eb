"""Resource types whose making waits: they must not hold the emulator's event loop meanwhile. Runs inside it."""

from localcloud.internals import need


def off_loop(*resource_types: str) -> None:
    """Make the emulator's CloudFormation run these types on threads of their own."""
    stacks = need("services.cloudformation.stacks", "_runs_on_worker_thread")
    before = stacks._runs_on_worker_thread

    def runs_on_worker_thread(resource_type: str) -> bool:
        return resource_type in resource_types or bool(before(resource_type))

    vars(stacks)["_runs_on_worker_thread"] = runs_on_worker_thread
