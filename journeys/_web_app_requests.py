"""What the application does for a client, and what it refuses."""

from typing import Any

from journeys._web_app import App
from journeys._world import World

# What is wrong, what is sent, the field that the answer must name, a part of the rule that it must say.
WRONG: tuple[tuple[str, Any, str, str], ...] = (
    ("an empty name", {"name": ""}, "name", "at least 1"),
    ("a name of 101 characters", {"name": "x" * 101}, "name", "at most 100"),
    ("a name that is a number", {"name": 7}, "name", "string"),
    ("an address without @", {"email": "ada.example.com"}, "email", "pattern"),
    ("points below 0", {"rewardPoints": -1}, "rewardPoints", "greater than or equal to 0"),
    ("points that are text", {"rewardPoints": "many"}, "rewardPoints", "integer"),
    ("a field that nobody knows", {"colour": "red"}, "colour", "not permitted"),
)


def crud(world: World, app: App) -> None:
    """A customer's life, through the load balancer."""
    with world.step("a customer is added, read, changed, listed and removed through the load balancer") as step:
        asked = app.customer()
        added = app.send("POST", "/customers", json=asked)
        assert added.status == 201, f"expected 201, got {added.status}: {added.text}"
        made = added.json()
        assert {name: made[name] for name in asked} == asked, f"another customer came back: {made}"
        path = added.headers["Location"]
        assert app.send("GET", path).json() == made
        changed = app.send("PUT", path, json={**asked, "rewardPoints": 500, "version": made["version"]})
        assert changed.status == 200, f"expected 200, got {changed.status}: {changed.text}"
        assert (changed.json()["rewardPoints"], changed.json()["version"]) == (500, made["version"] + 1)
        assert made["id"] in _all_ids(app), "it is in no page of the list"
        assert app.send("DELETE", path).status == 204
        assert app.send("GET", path).status == 404
        step.show(id=made["id"], statuses="201, 200, 200, 200, 204, 404")

    with world.step("two who change the same customer: the second gets 409 and the version of now") as step:
        first = app.add()
        path, new = f"/customers/{first['id']}", {**app.customer(), "version": first["version"]}
        assert app.send("PUT", path, json=new).status == 200
        late = app.send("PUT", path, json=new)
        assert late.status == 409, f"expected 409, got {late.status}: {late.text}"
        assert late.json()["currentVersion"] == first["version"] + 1
        step.show(status=409, detail=late.json()["detail"])


def refusals(world: World, app: App) -> None:
    """Bad input is refused with the field and its rule, and nothing is kept of it."""
    before = _all_ids(app)
    for what, wrong, field, rule in WRONG:
        with world.step(f"{what}: 400 that names {field} and its rule") as step:
            answer = app.send("POST", "/customers", json=app.customer(**wrong))
            assert answer.status == 400, f"expected 400, got {answer.status}: {answer.text}"
            errors = {error["field"]: error["rule"] for error in answer.json()["errors"]}
            assert list(errors) == [field], f"expected {field} to be named, got {errors}"
            assert rule in errors[field], f"expected the rule {rule!r}, got {errors[field]!r}"
            step.show(status=400, rule=errors[field])

    with world.step("what is no request of the application: 400, 404, 405, 413, each said as a problem") as step:
        url, plain = app.url, {"Content-Type": "application/json"}
        seen = {
            "malformed JSON": world.http("POST", f"{url}/customers", body='{"name": ', headers=plain),
            "an unknown route": app.send("GET", "/nothing"),
            "an unknown customer": app.send("GET", "/customers/00000000-0000-4000-8000-000000000000"),
            "another method": app.send("PATCH", "/customers"),
            "a body of 70 000 bytes": app.send("POST", "/customers", json=app.customer(name="x" * 70_000)),
        }
        statuses = {what: answer.status for what, answer in seen.items()}
        assert list(statuses.values()) == [400, 404, 404, 405, 413], statuses
        for what, answer in seen.items():
            assert answer.headers["Content-Type"] == "application/problem+json", f"{what}: {answer.text}"
            assert answer.json()["correlationId"], f"{what}: no correlation id: {answer.text}"
        step.show(**{what.replace(" ", "_"): status for what, status in statuses.items()})

    with world.step("nothing that was refused was kept") as step:
        assert _all_ids(app) == before
        step.show(customers=len(before))

    with world.step("over plain HTTP there is a redirect to HTTPS, and nothing else") as step:
        answer = world.http("GET", f"{app.url.replace('https:', 'http:')}/customers?limit=1")
        assert answer.status == 301, f"expected 301, got {answer.status}: {answer.text}"
        to = answer.headers["Location"]
        assert to.startswith("https://"), f"it leads to {to}"
        assert to.endswith("/customers?limit=1"), f"it leads to {to}"
        step.show(status=301, location=to)


def _all_ids(app: App) -> list[str]:
    """Every customer's id, page by page."""
    found: list[str] = []
    cursor = ""
    while True:
        answer = app.send("GET", f"/customers?limit=100{cursor}")
        assert answer.status == 200, f"expected 200, got {answer.status}: {answer.text}"
        page = answer.json()
        found += [one["id"] for one in page["items"]]
        if not page.get("cursor"):
            return found
        cursor = f"&cursor={page['cursor']}"
