"""Clients work with an application whose servers, zone, database and password fail or change under them."""

from journeys import _web_app_backup as backup
from journeys import _web_app_doors as doors
from journeys import _web_app_drills as drills
from journeys import _web_app_outages as outages
from journeys import _web_app_requests as requests
from journeys._steps import NotRunError
from journeys._web_app import App
from journeys._world import World

READS = (
    "Url",
    "ServerGroupName",
    "TargetGroupArn",
    "LoadBalancerGroupId",
    "ServersGroupId",
    "DatabaseGroupId",
    "DatabaseIdentifier",
    "DatabaseSecretArn",
    "RotationFunctionName",
    "AlarmTopicArn",
    "VaultName",
)


def run(world: World) -> None:
    app, data = App(world), doors.Database(world)
    _arrives(world, app)
    requests.crud(world, app)
    requests.refusals(world, app)
    doors.groups(world)
    doors.instance(world)
    doors.refusals(world, data)
    drills.server_killed(world, app)
    drills.zone_lost(world, app)
    drills.replaced(world, app)
    # Rotation before the outages: what reconnects after them must do so with the new password.
    outages.rotated(world, app, data)
    outages.stopped_and_started(world, app)
    outages.failed_over(world, app)
    backup.restored(world, app, data)
    backup.planned(world)
    _only_an_account(world, app)


def _arrives(world: World, app: App) -> None:
    with world.step("the application answers by its name over TLS, from servers in two zones") as step:
        servers = app.find_servers()
        zones = {server.zone for server in servers}
        assert len(zones) > 1, f"all servers are in {zones}"
        assert app.send("GET", "/health").status == 200
        document = app.send("GET", "/openapi.json").json()
        world.eventually(app.answers, within=60, what="the application reads and writes")
        step.show(url=app.url, servers=len(servers), zones=", ".join(sorted(zones)), api=document["info"]["title"])


def _only_an_account(world: World, app: App) -> None:
    with world.step("instances boot by themselves, with session tokens for their metadata and without a key") as step:
        ids = [server.target for server in app.find_servers()]
        if not all(target.startswith("i-") for target in ids):
            raise NotRunError("these servers are processes of this machine, and no instances that boot")
        found = world.client("ec2").describe_instances(InstanceIds=ids)["Reservations"]
        instances = [one for reservation in found for one in reservation["Instances"]]
        assert all(one["MetadataOptions"]["HttpTokens"] == "required" for one in instances), "metadata for anybody"
        assert not any(one.get("KeyName") for one in instances), "there is a key"
        step.show(instances=", ".join(ids))
    world.not_run(
        "the database is restored to a minute of your choice",
        "a moment can be restored once automated backups have written its log away, some minutes later; a snapshot was "
        "restored here instead",
    )
