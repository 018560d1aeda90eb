// Which address is which page; following a link inside the site changes the page without loading it anew.

import { element } from "/assets/dom.js";
import { listPage, postPage, subscribePage } from "/assets/reading.js";
import { writePage } from "/assets/writing.js";

const PAGES = [
  [/^\/$/, () => listPage()],
  [/^\/posts\/([^/]+)\/?$/, (id) => postPage(decodeURIComponent(id))],
  [/^\/subscribe\/?$/, () => subscribePage()],
  [/^\/write\/?$/, () => writePage(go)],
];
const main = document.getElementById("main");
let shown = 0;

async function show(path) {
  const mine = (shown += 1);
  main.setAttribute("aria-busy", "true");
  const [title, ...content] = await made(path);
  if (mine !== shown) return; // the reader has gone on meanwhile
  document.title = `${title} - MyBlog`;
  main.replaceChildren(...content);
  main.removeAttribute("aria-busy");
  for (const link of document.querySelectorAll("nav a")) {
    if (link.pathname === path) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

async function made(path) {
  const [pattern, page] = PAGES.find(([pattern]) => pattern.test(path)) ?? [];
  try {
    if (pattern) return await page(...path.match(pattern).slice(1));
    return missing();
  } catch (error) {
    return error.status === 404 ? missing() : ["Error", element("h1", {}, "That did not work"), element("p", {}, error.message)];
  }
}

function missing() {
  const back = element("p", {}, "The page may have moved. ", element("a", { href: "/" }, "See all posts"), ".");
  return ["Not found", element("h1", {}, "There is nothing here"), back];
}

async function go(path) {
  history.pushState(null, "", path);
  await show(path);
  main.focus();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  const plain = !event.defaultPrevented && event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
  if (!link || !plain || link.origin !== location.origin || link.hash) return;
  event.preventDefault();
  go(link.pathname);
});
addEventListener("popstate", () => show(location.pathname));
show(location.pathname);
