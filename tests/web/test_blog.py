"""web/blog in a real browser, through the local CloudFront, as its people use it."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from journeys._blog_welcome import mails
from journeys._pictures import broken, pictures
from tests.web.browser import Complaints
from tests.web.conftest import Visited

pytestmark = pytest.mark.cloud

TEXT = (
    "The road bends, and there it lies: still, wide, and older than any name it was given.\n\nWe stayed for two days."
)


def test_readers_find_and_read_posts(page: Page, visited: Visited, screenshots: Path) -> None:
    title = f"A <b>lake</b> & a lantern {visited.world.token}"
    visited.blog.publish("The long way down")
    visited.blog.publish(title)
    page.goto(visited.blog.url)
    expect(page.get_by_role("heading", level=1)).to_have_text("Notes from the road")
    # What an author typed is text, never markup.
    page.get_by_role("link", name=title).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    expect(page).to_have_title(f"{title} - MyBlog")
    expect(page.locator("main")).to_be_focused()
    address = page.url
    page.get_by_role("link", name="All posts").click()
    expect(page.get_by_role("link", name="Posts", exact=True)).to_have_attribute("aria-current", "page")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    page.goto(address)
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    page.screenshot(path=screenshots / "post.png")


def test_older_posts_come_on_request(page: Page, visited: Visited) -> None:
    for number in range(7):
        visited.blog.publish(f"Number {number}")
    page.goto(visited.blog.url)
    expect(page.get_by_role("listitem")).to_have_count(6)
    page.get_by_role("button", name="Older posts").click()
    expect(page.get_by_role("link", name="Number 0")).to_be_visible()


def test_a_reader_subscribes(page: Page, visited: Visited, complaints: Complaints, screenshots: Path) -> None:
    complaints.expected += ["400"]
    email = f"success+web-{visited.world.token}@simulator.amazonses.com"
    table, key = visited.world.out["SubscribersTableName"], {"email": {"S": email}}
    visited.world.cleanup(visited.world.client("dynamodb").delete_item, TableName=table, Key=key)
    page.goto(f"{visited.blog.url}/subscribe")
    field = page.get_by_label("Your e-mail address")
    field.fill("nobody")
    page.get_by_role("button", name="Subscribe").click()
    expect(page.get_by_role("status")).to_contain_text("must be an e-mail address")
    expect(field).to_have_attribute("aria-invalid", "true")
    page.screenshot(path=screenshots / "subscribe-refused.png")
    field.fill(email)
    page.get_by_role("button", name="Subscribe").click()
    expect(page.get_by_role("status")).to_contain_text("Thank you")
    expect(field).not_to_have_attribute("aria-invalid", "true")
    visited.world.eventually(lambda: mails(visited.world, email), what="the welcome")


def test_an_author_signs_in_brings_a_photo_and_publishes(page: Page, visited: Visited, screenshots: Path) -> None:
    blog = visited.blog
    page.goto(f"{blog.url}/write")
    sign_in(page, visited, blog.author.password)
    photo = pictures()[0]
    page.get_by_label("Photo").set_input_files({"name": "lake.jpg", "mimeType": "image/jpeg", "buffer": photo.data})
    expect(page.get_by_role("status")).to_have_text("The photo is ready.")
    preview = page.get_by_role("img", name="Your photo")
    assert preview.evaluate("image => image.decode().then(() => [image.naturalWidth, image.naturalHeight])") == [
        640,
        427,
    ]
    page.get_by_label("Title").fill("Evening at the lake")
    page.get_by_label("Text").fill(TEXT)
    page.screenshot(path=screenshots / "write.png", full_page=True)
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Evening at the lake")
    blog.forget_post(page.url.rsplit("/", 1)[1])
    expect(page.locator("article p")).to_have_count(2)
    shown = page.get_by_role("img", name="Photo of the post")
    assert shown.evaluate("image => image.decode().then(() => image.naturalWidth)") == 640
    page.screenshot(path=screenshots / "post-with-photo.png", full_page=True)
    page.get_by_role("link", name="All posts").click()
    expect(page.get_by_role("link", name="Evening at the lake").first).to_be_visible()
    page.locator(".post-card img").first.evaluate("image => image.decode()")
    page.screenshot(path=screenshots / "home.png", full_page=True)
    # Nothing of the sign-in is kept: a page that is loaded anew asks again.
    assert page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
    page.goto(f"{blog.url}/write")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in to write")


def test_a_wrong_password_and_a_broken_photo_are_told(page: Page, visited: Visited, complaints: Complaints) -> None:
    complaints.expected += ["cognito-idp", "400 ()"]
    page.goto(f"{visited.blog.url}/write")
    sign_in(page, visited, "not the password")
    expect(page.get_by_role("status")).to_contain_text("Incorrect username or password")
    sign_in(page, visited, visited.blog.author.password)
    (text,) = [one for one in broken() if one.name == "text.jpg"]
    page.get_by_label("Photo").set_input_files({"name": text.name, "mimeType": "image/jpeg", "buffer": text.data})
    expect(page.get_by_role("status")).to_contain_text("The photo cannot be used")


def test_what_is_not_there_is_said(page: Page, visited: Visited, complaints: Complaints) -> None:
    complaints.expected += ["404"]
    answer = page.goto(f"{visited.blog.url}/nowhere")
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_role("heading", level=1)).to_have_text("There is nothing here")
    assert page.evaluate("getComputedStyle(document.querySelector('.top')).display") == "flex", "it is not styled"
    page.goto(f"{visited.blog.url}/posts/{'0' * 24}")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is nothing here")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_by_day_and_by_night(page: Page, visited: Visited, screenshots: Path, scheme: str) -> None:
    visited.blog.publish("Word" * 25)
    page.set_viewport_size({"width": 360, "height": 740})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    for path in ("/", "/subscribe", "/write"):
        page.goto(f"{visited.blog.url}{path}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator("main")).not_to_have_attribute("aria-busy", "true")
        wide, room = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert wide <= room, f"{path} is {wide} pixels wide in {room}"
        cut = page.evaluate(
            "[...document.querySelectorAll('main :not(input, textarea)')]"
            ".filter(one => one.scrollWidth > one.clientWidth && getComputedStyle(one).display !== 'inline')"
            ".map(one => one.outerHTML.slice(0, 80))"
        )
        assert cut == [], f"{path} cuts words off"
        unnamed = page.evaluate(
            "[...document.querySelectorAll('input,textarea,button')]"
            ".filter(one => !one.labels?.length && !one.innerText)"
            ".concat([...document.querySelectorAll('img:not([alt])')]).map(one => one.outerHTML)"
        )
        assert unnamed == [], f"{path} has what nobody can name"
        page.screenshot(path=screenshots / f"phone-{scheme}-{path.strip('/') or 'home'}.png")


def test_the_policy_is_enforced_and_a_violation_would_be_seen(
    page: Page, visited: Visited, complaints: Complaints
) -> None:
    """The twin of all others: without it, no complaint could mean that nobody listens."""
    page.goto(visited.blog.url)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert complaints.said == []
    complaints.expected += ["Content Security Policy", "evil.example", "TrustedHTML", "TrustedScript"]
    page.evaluate("document.body.setAttribute('style', 'color: red')")
    page.evaluate("new Image().src = 'https://evil.example/x.png'")
    assert page.evaluate("fetch('https://evil.example/').then(() => 'sent', () => 'refused')") == "refused"
    assert page.evaluate("(() => { try { document.body.innerHTML = '<p>'; return 1 } catch { return 0 } })()") == 0
    told = " ".join(complaints.said)
    for directive in ("style-src", "img-src", "connect-src", "TrustedHTML"):
        assert directive in told, f"{directive} was not enforced: {complaints.said}"


def sign_in(page: Page, visited: Visited, password: str) -> None:
    page.get_by_label("E-mail address").fill(visited.blog.author.email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
