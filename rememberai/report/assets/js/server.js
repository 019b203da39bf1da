// The server behind a live page: the search by meaning, and corrections.

import { book, live, photos, take } from "./book.js";
import { shade } from "./card.js";
import { changed, clearSelection, filters, rank, refresh } from "./state.js";
import { el } from "./dom.js";
import { knows, t } from "./words.js";

const rowOf = new Map(live ? photos.id.map((id, photo) => [id, photo]) : []);
let asked = 0;
export let isAsking = false;

// Rank the photos by the meaning of a text; absent where there is no server.
export const askMeaning = live && (async (text) => {
  const mine = (asked += 1);
  isAsking = text !== "";
  if (!text) return;
  const answer = await request(`api/search?${new URLSearchParams({ q: text })}`);
  if (mine !== asked || filters.text !== text) return;
  isAsking = false;
  rank(answer && answer.photos.map((id) => rowOf.get(id)).filter((photo) => photo !== undefined));
});

export function askWhy(event) {
  return request(`api/why/${event}`);
}

// Correct something; the page then shows the store as it is. Gives whether it was done.
export async function correct(verb, body) {
  const answer = await request(`api/${verb}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-RememberAI-Token": live.token },
    body: JSON.stringify({ ...body, revision: book.revision }),
  });
  if (!answer) return null;
  if (!answer.order) return location.reload(); // others changed the book since this page came
  take(answer);
  shade();
  refresh();
  clearSelection();
  changed("book");
  say(t(`done.${verb}`));
  return answer;
}

async function request(address, options) {
  try {
    const answer = await fetch(address, options);
    const body = await answer.json();
    if (answer.ok) return body;
    say(knows(`refused.${body.code}`) ? t(`refused.${body.code}`, body.fields) : body.error, true);
  } catch {
    say(t("server.gone"), true);
  }
  return null;
}

// Tell what was done, or what went wrong.
export function say(text, wrong = false) {
  const note = el("p", { class: `note${wrong ? " wrong" : ""}`, role: wrong ? "alert" : "status" }, text);
  document.querySelectorAll(".note").forEach((other) => other.remove());
  (document.querySelector("dialog[open]") ?? document.body).append(note); // a dialog covers the body
  setTimeout(() => note.remove(), wrong ? 12000 : 5000);
}
