// The blog's API, behind the site's own name.

export class Problem extends Error {
  constructor(problem) {
    const wrong = (problem.errors ?? []).map(({ field, rule }) => `${field}: ${rule}`);
    super(wrong.join("; ") || problem.detail || problem.title || "Something went wrong.");
    this.status = problem.status;
    this.errors = problem.errors ?? [];
  }
}

export async function call(method, path, { body, token } = {}) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (token) headers.Authorization = token;
  const answer = await fetch(`/api${path}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  const told = (await answer.json().catch(() => null)) ?? {};
  if (!answer.ok) throw new Problem({ title: "The blog does not answer.", ...told, status: answer.status });
  return told;
}

// Straight to storage: the signed URL is the right to put exactly this file there.
export async function uploadPhoto(file, token) {
  const ticket = await call("POST", "/photos", { token, body: { contentType: file.type, size: file.size } });
  const put = await fetch(ticket.url, { method: ticket.method, headers: ticket.headers, body: file });
  await put.text(); // an answer that is not read counts as broken off
  if (!put.ok) throw new Problem({ title: `The photo was not taken (${put.status}).` });
  return ticket.id;
}

export async function photoWhenDone(id, token) {
  for (let tries = 0; tries < 60; tries += 1) {
    const photo = await call("GET", `/photos/${id}`, { token });
    if (photo.status === "rejected") throw new Problem({ detail: `The photo cannot be used: ${photo.reason}` });
    if (photo.status === "ready") return photo;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  throw new Problem({ detail: "The photo is not ready yet; publish without it, or try again." });
}
