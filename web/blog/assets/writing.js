// What authors do: sign in, bring a photo, write a post. The token lives in this page alone and is gone with it.

import { call, photoWhenDone, uploadPhoto } from "/assets/api.js";
import { element, field, form, say, status } from "/assets/dom.js";
import { signIn } from "/assets/sign-in.js";

let token = null;

export async function writePage(go) {
  return token ? editor(go) : signInForm(go);
}

function signInForm(go) {
  const told = status();
  const email = element("input", { name: "email", type: "email", autocomplete: "username", required: true });
  const password = element("input", { name: "password", type: "password", autocomplete: "current-password", required: true });
  const made = form({}, [field("E-mail address", email), field("Password", password)], "Sign in", told, async (data) => {
    say(told, "Signing in …");
    token = await signIn(data.get("email"), data.get("password"));
    await go("/write");
  });
  return ["Sign in", element("h1", {}, "Sign in to write"), made];
}

function editor(go) {
  const told = status();
  const shown = element("div");
  let photo = null;
  const file = element("input", { name: "file", type: "file", accept: "image/jpeg,image/png,image/webp,image/gif" });
  file.addEventListener("change", () => bring(file.files[0]));

  async function bring(chosen) {
    photo = null;
    shown.replaceChildren();
    if (!chosen) return;
    try {
      say(told, "The photo is on its way …");
      const id = await uploadPhoto(chosen, token);
      const ready = await photoWhenDone(id, token);
      photo = id;
      shown.replaceChildren(element("img", { class: "preview", src: ready.thumbnail, alt: "Your photo" }));
      say(told, "The photo is ready.");
    } catch (error) {
      say(told, error.message, true);
    }
  }

  const made = form(
    { novalidate: true },
    [
      field("Title", element("input", { name: "title", maxlength: "120", required: true })),
      field("Text", element("textarea", { name: "text", required: true })),
      field("Photo (JPEG, PNG, WebP or GIF, up to 20 MB)", file),
      shown,
    ],
    "Publish",
    told,
    async (data) => {
      const body = { title: data.get("title"), text: data.get("text"), ...(photo ? { photo } : {}) };
      const post = await call("POST", "/posts", { token, body });
      await go(`/posts/${post.id}`);
    },
  );
  return ["Write", element("h1", {}, "A new post"), made];
}
