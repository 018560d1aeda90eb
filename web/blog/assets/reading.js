// What readers see: the list of posts, a post, the subscription.

import { call } from "/assets/api.js";
import { element, field, form, say, status } from "/assets/dom.js";

const DATE = new Intl.DateTimeFormat("en", { dateStyle: "long" });

export async function listPage() {
  const list = element("ul", { class: "posts" });
  const told = status();
  const more = element("button", { class: "more", type: "button", hidden: true }, "Older posts");
  let before = null;

  async function load() {
    more.disabled = true;
    const page = await call("GET", `/posts?limit=6${before ? `&before=${before}` : ""}`);
    list.append(...page.posts.map(card));
    before = page.before;
    more.hidden = !before;
    more.disabled = false;
    if (!list.childElementCount) say(told, "There are no posts yet.");
  }

  more.addEventListener("click", () => load().catch((error) => say(told, error.message, true)));
  await load();
  return ["Posts", element("h1", {}, "Notes from the road"), told, list, more];
}

function card(post) {
  return element(
    "li",
    { class: post.photo ? "post-card with-photo" : "post-card" },
    post.photo ? element("img", { src: post.photo, alt: "", loading: "lazy" }) : null,
    element(
      "div",
      { class: "words" },
      element("h2", {}, element("a", { href: `/posts/${post.id}` }, post.title)),
      published(post),
      element("p", {}, post.excerpt),
    ),
  );
}

function published(post) {
  return element("time", { datetime: post.published }, DATE.format(new Date(post.published)));
}

export async function postPage(id) {
  const post = await call("GET", `/posts/${encodeURIComponent(id)}`);
  const article = element(
    "article",
    {},
    element("h1", {}, post.title),
    published(post),
    post.photo ? element("img", { src: post.photo, alt: `Photo of the post “${post.title}”` }) : null,
    ...post.text.split(/\n{2,}/).map((paragraph) => element("p", {}, paragraph)),
  );
  return [post.title, article, element("p", {}, element("a", { href: "/" }, "All posts"))];
}

export async function subscribePage() {
  const told = status();
  const email = element("input", { name: "email", type: "email", autocomplete: "email", required: true });
  const made = form({ novalidate: true }, [field("Your e-mail address", email)], "Subscribe", told, async (data, made) => {
    const answer = await call("POST", "/subscribers", { body: { email: data.get("email") } });
    made.reset();
    say(told, answer.detail);
  });
  const why = element("p", {}, "A short mail when there is something new. Never more than that.");
  return ["Subscribe", element("h1", {}, "Subscribe"), why, made];
}
