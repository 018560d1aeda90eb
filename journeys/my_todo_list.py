"""Two people keep their to-dos and files: each sees what is theirs, and what is wrong or not theirs is refused."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import ClientError

from journeys import _todo_files as files
from journeys._cognito import User, Users, tampered, unsigned
from journeys._http import Response
from journeys._todo_app import App, other_client, other_pool
from journeys._token_expiry import refused_when_expired
from journeys._world import NotRunError, World

READS = ("ApiUrl", "UserPoolId", "UserPoolClientId", "IdentityPoolId", "FilesBucketName", "CacheEndpoint")

WRONG: tuple[tuple[str, Any, str], ...] = (
    ("no title", {"done": True}, "title"),
    ("an empty title", {"title": ""}, "title"),
    ("a title of blanks", {"title": "   "}, "title"),
    ("a title of 201 characters", {"title": "x" * 201}, "title"),
    ("a title that is a number", {"title": 7}, "title"),
    ("done that is text", {"title": "tea", "done": "yes"}, "done"),
    ("a due date that is none", {"title": "tea", "due": "2026-02-30"}, "due"),
    ("an unknown field", {"title": "tea", "user": "somebody"}, "user"),
)


def run(world: World) -> None:
    with world.step("two people sign up and sign in; a wrong password does not") as step:
        users = Users(world, pool=world.out["UserPoolId"], client=world.out["UserPoolClientId"])
        ada, bob = App(world, users.sign_up("ada")), App(world, users.sign_up("bob"))
        liar = User(world, world.out["UserPoolId"], world.out["UserPoolClientId"], ada.user.email, "Wrong-passw0rd!")
        message = world.refused("NotAuthorized", liar.sign_in)
        step.show(ada=ada.user.sub, bob=bob.user.sub, wrong_password=message)
    kept = _to_dos(world, ada)
    _each_their_own(world, ada, bob, _conflict(world, ada, kept))
    _cursors(world, ada, bob)
    _wrong_requests(world, ada)
    _wrong_tokens(world, ada)
    refused_when_expired(world, ada.user, ada.url("/todos", seen="expiry"))
    files.journey(world, ada, bob)
    _caches(world, ada)


def _to_dos(world: World, ada: App) -> dict[str, Any]:
    with world.step("to-dos are added, with and without a date") as step:
        added = [ada.add(f"{world.token} {number}", due="2026-12-24") for number in range(4)]
        added.append(ada.add("  tea, 日本茶 \U0001f375  "))
        assert added[-1]["title"] == "tea, 日本茶 \U0001f375", f"the title was changed: {added[-1]}"
        assert {todo["version"] for todo in added} == {1}, added
        step.show(added=len(added), first=added[0]["id"])

    with world.step("the list comes in pages, in order, everything once") as step:
        pages = ada.pages(limit=2)
        assert [len(page) for page in pages] == [2, 2, 1], f"pages of {[len(page) for page in pages]}"
        assert [todo for page in pages for todo in page] == added, "the list is not what was added"
        step.show(pages=len(pages), todos=sum(map(len, pages)))

    with world.step("a to-do is changed, completed and read again") as step:
        todo = added[0]
        changed = _expect(ada.change(todo["id"], version=1, title="milk", due=None), 200).json()
        done = _expect(ada.change(todo["id"], version=2, done=True), 200).json()
        assert done == todo | {"title": "milk", "due": None, "done": True, "version": 3}, done
        assert ada.read(todo["id"]).json() == done, "what is read is not what was written"
        step.show(title=done["title"], done=done["done"], version=f"1 -> {changed['version']} -> {done['version']}")

    with world.step("a to-do is deleted and then unknown") as step:
        gone = added[1]["id"]
        _expect(ada.send("DELETE", f"/todos/{gone}", version=1), 204)
        answers = [
            ada.read(gone),
            ada.send("DELETE", f"/todos/{gone}", version=1),
            ada.change(gone, version=1, done=True),
        ]
        assert [answer.status for answer in answers] == [404, 404, 404], [answer.text for answer in answers]
        step.show(deleted=gone, afterwards=404)
    return dict(done)


def _conflict(world: World, ada: App, todo: dict[str, Any]) -> dict[str, Any]:
    with world.step("two phones change the same to-do at once: one is told of the conflict, 409") as step:
        seen = todo["version"]
        with ThreadPoolExecutor(2) as phones:
            answers = list(phones.map(lambda title: ada.change(todo["id"], version=seen, title=title), ("one", "two")))
        assert sorted(answer.status for answer in answers) == [200, 409], [answer.text for answer in answers]
        won, lost = sorted((answer.json() for answer in answers), key=lambda answer: "status" in answer)
        assert lost["current_version"] == won["version"] == seen + 1, lost
        _expect(ada.send("DELETE", f"/todos/{todo['id']}", version=seen), 409)
        assert ada.read(todo["id"]).json() == won, "what is kept is not what the first phone was told"
        step.show(kept=won["title"], detail=lost["detail"])
    return dict(won)


def _each_their_own(world: World, ada: App, bob: App, todo: dict[str, Any]) -> None:
    with world.step("nobody sees or touches another's to-dos: 404, whatever the request claims") as step:
        mine = bob.add("Bob's own")
        assert bob.pages(limit=10) == [[mine]], "Bob's list is not his own alone"
        path, sub = f"/todos/{todo['id']}", ada.user.sub
        answers = [
            bob.read(todo["id"]),
            bob.change(todo["id"], version=todo["version"], title="stolen"),
            bob.send("DELETE", path, version=todo["version"]),
            bob.send("GET", path, seen="1", user=sub, sub=sub),
            bob.user.http("GET", bob.url(path, seen="2"), headers={"X-User": sub, "x-amzn-oidc-identity": sub}),
        ]
        assert {answer.status for answer in answers} == {404}, [answer.text for answer in answers]
        _expect(bob.write("POST", "/todos", {"title": "for Ada", "user": sub}), 400)
        assert ada.read(todo["id"]).json() == todo, "Bob changed Ada's to-do"
        step.show(read=404, changed=404, deleted=404)


def _cursors(world: World, ada: App, bob: App) -> None:
    with world.step("a cursor that was changed, or is another's, is refused and tells nothing: 400") as step:
        cursor = ada.send("GET", "/todos", limit=1, seen="c").json()["cursor"]
        mangled = cursor[:-1] + ("A" if cursor[-1] != "A" else "B")
        answers = [
            bob.send("GET", "/todos", cursor=cursor),
            *(ada.send("GET", "/todos", cursor=c) for c in (mangled, "x", "")),
        ]
        assert {answer.status for answer in answers} == {400}, [answer.text for answer in answers]
        assert len({answer.json()["detail"] for answer in answers}) == 1, [answer.text for answer in answers]
        step.show(status=400, detail=answers[0].json()["detail"])


def _wrong_requests(world: World, ada: App) -> None:
    for what, body, field in WRONG:
        with world.step(f"{what}: 400 that names {field}") as step:
            problem = _expect(ada.write("POST", "/todos", body), 400).json()
            assert [error["field"] for error in problem["errors"]] == [field], problem
            step.show(status=400, detail=problem["detail"])

    with world.step("malformed JSON 400, unknown and impossible ids 404, unknown route 404") as step:
        url, json_type = ada.url("/todos"), {"Content-Type": "application/json"}
        malformed = _expect(ada.user.http("POST", url, body='{"title": ', headers=json_type), 400)
        _expect(ada.user.http("POST", url, body="title=tea", headers={"Content-Type": "text/plain"}), 415)
        unknown = [ada.read("0" * 32), ada.read("nothing"), ada.send("GET", "/elsewhere"), ada.send("PUT", "/todos")]
        assert {answer.status for answer in unknown} == {404}, [answer.text for answer in unknown]
        step.show(malformed=malformed.json()["detail"], unknown=404)


def _wrong_tokens(world: World, ada: App) -> None:
    good, url = ada.user.id_token, ada.url("/todos", seen="tokens")
    _expect(world.http("GET", url, headers={"Authorization": good}), 200)
    with world.step("no token, a forged one, or one for something else: 401") as step:
        wrong = {
            "none": None,
            "forged": tampered(good, sub="00000000-0000-0000-0000-000000000000"),
            "longer": tampered(good, exp=4_000_000_000),
            "unsigned": unsigned(good),
            "garbage": "not.a.token",
            "access_token": ada.user.access_token,
            "other_app": other_client(world, ada.user).id_token,
            "other_pool": other_pool(world).id_token,
        }
        for what, token in wrong.items():
            answer = world.http("GET", url, headers={"Authorization": token} if token else None)
            assert answer.status == 401, f"{what}: expected 401, got {answer.status}: {answer.text}"
            assert answer.json()["status"] == 401, f"{what}: no problem details: {answer.text}"
            step.show(**{what: 401})


def _caches(world: World, ada: App) -> None:
    with world.step("the API keeps an answer for its caller, and a new `seen` reads past it") as step:
        api, stage = world.out["ApiUrl"].removeprefix("https://").split(".")[0], "v1"
        status = world.client("apigateway").get_stage(restApiId=api, stageName=stage).get("cacheClusterStatus")
        if status != "AVAILABLE":
            raise NotRunError(f"this API has no cache at work (its status is {status}): nothing is kept")
        ada.send("GET", "/todos", seen="cached")
        ada.add("after the answer was kept")
        again, fresh = ada.send("GET", "/todos", seen="cached").json(), ada.send("GET", "/todos", seen="new").json()
        assert again != fresh, f"the cache is {status}, and yet the answer was not kept"
        step.show(cache=status, kept=len(again["items"]), fresh=len(fresh["items"]))

    with world.step("reads go through a DAX cluster, encrypted at rest and on the way") as step:
        found = _clusters(world)
        mine = [each for each in found if each["ClusterDiscoveryEndpoint"].get("URL") == world.out["CacheEndpoint"]]
        assert [each["Status"] for each in mine] == ["available"], mine
        assert mine[0]["SSEDescription"]["Status"] == "ENABLED", mine
        assert mine[0]["ClusterEndpointEncryptionType"] == "TLS", mine
        step.show(cluster=mine[0]["ClusterName"], nodes=mine[0]["TotalNodes"])


def _clusters(world: World) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = world.client("dax").describe_clusters()["Clusters"]
    except ClientError as error:
        if "AccessDenied" in error.response["Error"]["Code"]:
            raise
        raise NotRunError(f"there is no DAX here, so the function asked DynamoDB itself: {error}") from error
    return found


def _expect(answer: Response, status: int) -> Response:
    assert answer.status == status, f"expected {status}, got {answer.status}: {answer.text}"
    return answer
