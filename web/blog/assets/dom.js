// Makes elements without ever turning text into markup.

export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "class") made.className = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child != null));
  return made;
}

export function status() {
  return element("p", { class: "status", role: "status", "aria-live": "polite" });
}

export function say(where, text, bad = false) {
  where.classList.toggle("bad", bad);
  where.textContent = text;
}

// Runs what a form asks for; while it runs the button waits, and what goes wrong is said.
export function form(properties, fields, button, told, submit) {
  const send = element("button", { type: "submit" }, button);
  const made = element("form", properties, ...fields, told, send);
  made.addEventListener("submit", async (event) => {
    event.preventDefault();
    send.disabled = true;
    for (const input of made.elements) input.removeAttribute("aria-invalid");
    try {
      await submit(new FormData(made), made);
    } catch (error) {
      for (const wrong of error.errors ?? []) made.elements[wrong.field]?.setAttribute("aria-invalid", "true");
      say(told, error.message, true);
    } finally {
      send.disabled = false;
    }
  });
  return made;
}

export function field(label, input) {
  return element("label", {}, label, input);
}
