"""Readers read and subscribe, an author writes and brings photos; who may not is refused, what is wrong is said."""

import re
from typing import Any

from journeys._blog import Blog
from journeys._blog_photos import photos
from journeys._blog_release import release
from journeys._blog_welcome import subscribe
from journeys._cognito import claims, tampered, unsigned
from journeys._world import World

READS = (
    "SiteUrl",
    "SiteBucketName",
    "DistributionId",
    "SiteReleaseFunctionName",
    "SiteArchiveBucketName",
    "SiteArchiveKey",
    "UserPoolId",
    "UserPoolClientId",
    "AuthorsGroupName",
    "PostsTableName",
    "ReplicaRegion",
    "SubscribersTableName",
    "SubscribersStreamArn",
    "MailerFunctionName",
    "WelcomeFailureQueueUrl",
    "UploadsBucketName",
    "RenditionsBucketName",
    "ThumbnailQueueUrl",
    "ThumbnailDeadLetterQueueUrl",
)
# Readers' answers are kept in front of the API for a minute.
CACHED = 90
SECURITY = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "strict-origin-when-cross-origin",
    "strict-transport-security": "max-age=63072000; includeSubDomains",
}
WRONG_POSTS: tuple[tuple[str, Any, str], ...] = (
    ("no title", {"text": "x"}, "title"),
    ("a blank title", {"title": "  ", "text": "x"}, "title"),
    ("a title of 121 characters", {"title": "x" * 121, "text": "x"}, "title"),
    ("an unknown field", {"title": "x", "text": "x", "author": "me"}, "author"),
    ("a text that is a number", {"title": "x", "text": 7}, "text"),
)


def run(world: World) -> None:
    blog = Blog(world)
    _pages(world, blog)
    release(world, blog)
    _confined(world, blog)
    _posts(world, blog)
    _refusals(world, blog)
    _replica(world, blog)
    subscribe(world, blog)
    photos(world, blog)


def _pages(world: World, blog: Blog) -> None:
    with world.step("the home page and its assets come with the right types, caching and headers") as step:
        page = blog.get("/")
        assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8"), page.status
        assert "max-age=60" in page.headers["cache-control"], page.headers["cache-control"]
        assets = sorted(set(re.findall(r'"(/assets/[^"]+)"', page.text)))
        assert len(assets) >= 3, f"the page names {assets}"
        for path in assets:
            assert re.search(r"\.[0-9a-f]{12}\.\w+$", path), f"{path} has no hash in its name"
            asset = blog.get(path)
            wanted = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
            kind = asset.headers["content-type"]
            assert (asset.status, kind) == (200, wanted[path.rsplit(".", 1)[1]]), f"{path}: {asset.status} {kind}"
            assert "immutable" in asset.headers["cache-control"], f"{path}: {asset.headers['cache-control']}"
        step.show(page=200, assets=len(assets), page_cache=page.headers["cache-control"], asset=assets[0])

    with world.step("every answer carries the security headers; HTTP is redirected to HTTPS") as step:
        for path in ("/", "/subscribe", "/api/posts", "/robots.txt", "/nowhere"):
            headers = blog.get(path).headers
            for name, value in SECURITY.items():
                assert headers.get(name) == value, f"{path}: {name} must be {value!r}, got {headers.get(name)!r}"
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy, f"{path}: {policy}"
            assert "unsafe" not in policy, f"{path}: {policy}"
        plain = world.http("GET", f"{blog.url.replace('https:', 'http:')}/subscribe")
        assert (plain.status, plain.headers.get("location")) == (301, f"{blog.url}/subscribe"), plain.status
        step.show(http=plain.status, location=plain.headers["location"], **SECURITY)

    with world.step("pages of the application are the page, anything else is 404") as step:
        home = blog.get("/").body
        for path in ("/posts/0123", "/subscribe", "/write"):
            assert (blog.get(path).status, blog.get(path).body) == (200, home), path
        found = {path: blog.get(path).status for path in ("/nowhere", "/posts/", "/nowhere.txt", "/assets/none.js")}
        assert set(found.values()) == {404}, found
        assert "There is nothing here" in blog.get("/nowhere").text
        step.show(**found)


def _confined(world: World, blog: Blog) -> None:
    with world.step("the files are reached through the distribution alone: S3 itself refuses") as step:
        s3 = world.client("s3")
        for bucket, key in ((world.out["SiteBucketName"], "index.html"), (world.out["RenditionsBucketName"], "x.jpg")):
            where: Any = {"Bucket": bucket, "Key": key}
            direct = s3.generate_presigned_url("get_object", Params=where).partition("?")[0]
            answer = world.http("GET", direct)
            assert answer.status == 403, f"{direct}: expected 403, got {answer.status}"
        hidden = blog.get("/rejected/thumbnail/x.json")
        assert hidden.status == 404, f"records of rejections must not be served, got {hidden.status}"
        step.show(s3=403, rejected=hidden.status)


def _posts(world: World, blog: Blog) -> None:
    with world.step("an author writes posts; everybody reads them and finds them in the list, newest first") as step:
        made = [blog.publish(f"Day {day} <b>&amp;</b> 湖 {world.token}") for day in (1, 2, 3)]
        for post in made:
            told = blog.get(f"/api/posts/{post['id']}")
            assert (told.status, told.json()) == (200, post), told.text
            assert "s-maxage=60" in told.headers["cache-control"], told.headers["cache-control"]
        wanted = [post["id"] for post in reversed(made)]

        def listed() -> bool:
            return [post["id"] for post in blog.get("/api/posts?limit=3").json()["posts"]] == wanted

        world.eventually(listed, within=CACHED, what="the three posts first in the list")
        step.show(posts=len(made), first=made[-1]["id"], title=made[-1]["title"])

    with world.step("the list comes page by page, without gaps or repetition") as step:
        seen: list[str] = []
        before = ""
        while len(seen) < 3:
            page = blog.get(f"/api/posts?limit=1&before={before}" if before else "/api/posts?limit=1").json()
            seen += [post["id"] for post in page["posts"]]
            before = page["before"]
            if not before:
                break
        assert seen == wanted, f"expected {wanted}, got {seen}"
        assert "text" not in page["posts"][0], "the list must leave texts out"
        step.show(pages=len(seen))

    with world.step("what is no post is 404, a wrong page number 400, each with its reason") as step:
        missing, wrong = blog.get(f"/api/posts/{'0' * 24}"), blog.get("/api/posts?limit=0")
        assert (missing.status, wrong.status) == (404, 400), (missing.status, wrong.status)
        assert missing.headers["content-type"] == "application/problem+json", missing.headers["content-type"]
        step.show(missing=missing.json()["detail"], wrong=wrong.json()["detail"])


def _refusals(world: World, blog: Blog) -> None:
    post = {"title": "not mine", "text": "to write"}
    with world.step("a reader is refused: 403 for posts and photos") as step:
        for path, body in (("/api/posts", post), ("/api/photos", {"contentType": "image/png", "size": 1})):
            answer = blog.post(path, body, blog.reader)
            assert answer.status == 403, f"{path}: expected 403, got {answer.status}: {answer.text}"
        looked = blog.reader.http("GET", f"{blog.url}/api/photos/{'0' * 24}")
        assert looked.status == 403, f"expected 403, got {looked.status}"
        step.show(status=403, detail=answer.json()["detail"])

    with world.step("without a token, and with a forged or foreign one: 401") as step:
        groups = {"cognito:groups": ["authors"]}
        assert claims(blog.author.id_token)["cognito:groups"] == ["authors"]
        tokens = {
            "none": None,
            "nonsense": "x.y.z",
            "reader as author": tampered(blog.reader.id_token, **groups),
            "unsigned": unsigned(blog.author.id_token),
            "of another app": blog.token_of_another_app(),
        }
        found = {what: blog.post("/api/posts", post, token=token).status for what, token in tokens.items()}
        assert set(found.values()) == {401}, found
        step.show(**found)

    with world.step("a post that is not as it must be: 400 with the field named, and nothing is stored") as step:
        for what, body, named in WRONG_POSTS:
            answer = blog.post("/api/posts", body, blog.author)
            assert answer.status == 400, f"{what}: expected 400, got {answer.status}: {answer.text}"
            assert named in {error["field"] for error in answer.json()["errors"]}, f"{what}: {answer.text}"
        answer = world.http(
            "POST", f"{blog.url}/api/posts", body='{"title": ', headers={"Authorization": blog.author.id_token}
        )
        assert answer.status == 400, f"malformed JSON: expected 400, got {answer.status}: {answer.text}"
        step.show(**{what: 400 for what, _, _ in WRONG_POSTS}, malformed=400)


def _replica(world: World, blog: Blog) -> None:
    table, region = world.out["PostsTableName"], world.out["ReplicaRegion"]
    there = world.client("dynamodb", region)
    with world.step(f"a post written in {world.region} is read in {region}") as step:
        post = blog.publish(f"Far away {world.token}")
        key = {"blog": {"S": "blog"}, "id": {"S": post["id"]}}
        item: Any = world.eventually(lambda: there.get_item(TableName=table, Key=key).get("Item"), what="it there")
        assert item["title"]["S"] == post["title"], item
        step.show(region=region, title=item["title"]["S"])

    with world.step(f"a post written in {region} is read in {world.region}") as step:
        elsewhere = post["id"][:12] + "f" * 12
        there.put_item(TableName=table, Item={**item, "id": {"S": elsewhere}, "title": {"S": f"Back {world.token}"}})
        blog.forget_post(elsewhere)
        # One that was asked for too early would be remembered as missing by the edge.
        here = {**key, "id": {"S": elsewhere}}
        world.eventually(lambda: "Item" in world.client("dynamodb").get_item(TableName=table, Key=here), what="it here")
        told = blog.get(f"/api/posts/{elsewhere}")
        assert (told.status, told.json()["title"]) == (200, f"Back {world.token}"), told.text
        step.show(region=world.region, title=told.json()["title"])
