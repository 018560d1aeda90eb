"""The blog as its people see it: its pages, its API, and who is who."""

from collections.abc import Mapping
from typing import Any

from journeys._cognito import User, Users
from journeys._http import Response
from journeys._world import World


class Blog:
    """Pages and API under the site's own name, and what is left behind at the end.

    Attributes:
        author: Signed in, in the authors' group.
        reader: Signed in, in no group.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.url = world.out["SiteUrl"]
        self._pool = world.out["UserPoolId"]
        users = Users(world, pool=self._pool, client=world.out["UserPoolClientId"])
        self.reader = users.sign_up("reader")
        self.author = users.sign_up("author")
        group = {"UserPoolId": self._pool, "GroupName": world.out["AuthorsGroupName"]}
        world.client("cognito-idp").admin_add_user_to_group(Username=self.author.email, **group)
        # Groups are in tokens that are made from now on.
        self.author.sign_in()

    def get(self, path: str) -> Response:
        """Somebody's browser asks for a page, a file or an open part of the API."""
        return self._world.http("GET", f"{self.url}{path}")

    def post(self, path: str, body: Any, user: User | None = None, token: str | None = None) -> Response:
        """Somebody's browser sends something."""
        token = user.id_token if user else token
        headers = {"Authorization": token} if token else {}
        return self._world.http("POST", f"{self.url}{path}", json=body, headers=headers)

    def publish(self, title: str, **more: str) -> Mapping[str, str]:
        """The author writes a post; it leaves with the journey."""
        answer = self.post("/api/posts", {"title": title, "text": f"About {title}.", **more}, self.author)
        assert answer.status == 201, f"expected 201, got {answer.status}: {answer.text}"
        post: Mapping[str, str] = answer.json()
        self.forget_post(post["id"])
        return post

    def forget_post(self, post_id: str) -> None:
        """Delete a post at the end."""
        key = {"blog": {"S": "blog"}, "id": {"S": post_id}}
        dynamodb = self._world.client("dynamodb")
        self._world.cleanup(dynamodb.delete_item, TableName=self._world.out["PostsTableName"], Key=key)

    def token_of_another_app(self) -> str:
        """An author's token that was made for another app of the same users."""
        cognito = self._world.client("cognito-idp")
        made = cognito.create_user_pool_client(
            UserPoolId=self._pool, ClientName=self._world.token, ExplicitAuthFlows=["ALLOW_USER_SRP_AUTH"]
        )
        client = made["UserPoolClient"]["ClientId"]
        self._world.cleanup(cognito.delete_user_pool_client, UserPoolId=self._pool, ClientId=client)
        elsewhere = User(self._world, self._pool, client, self.author.email, self.author.password)
        elsewhere.sign_in()
        return elsewhere.id_token
