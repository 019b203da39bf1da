// Corrections, on a live page: of an event, of selected photos, of a photo's words.

import { book, eventOf, photos, photosOf } from "./book.js";
import { button, el, icon } from "./dom.js";
import { eventChoices } from "./filters.js";
import { correct } from "./server.js";
import { clearSelection, listen, selection } from "./state.js";
import { t, titleOf } from "./words.js";

// Whether the learned event of an event is right; what was confirmed can still be called wrong, and
// what was called wrong taken back.
export function opinions(event) {
  const { id, known, accepted, rejected } = book.events[event];
  if (known === null && !rejected.length) return null;
  if (known === null) return el("span", { class: "opinions" }, button(t("reconsider"), () => correct("reconsider", { event: id })));
  return el(
    "span",
    { class: "opinions" },
    accepted ? null : button("", () => correct("accept", { event: id }), {}, icon("check"), t("accept")),
    button("", () => correct("reject", { event: id }), {}, icon("close"), t("reject")),
  );
}

export function corrections(event) {
  const { id } = book.events[event];
  const name = el("input", { type: "text", value: titleOf(book.events[event]), required: true, "aria-label": t("title") });
  const others = eventSelect(id);
  return el(
    "details",
    { class: "correct" },
    el("summary", {}, t("correct")),
    form(t("rename"), () => correct("rename", { event: id, title: name.value }), name),
    book.events.length > 1
      ? form(t("merge"), () => mergeWith(id, Number(others.value)), el("label", {}, t("merge.with"), others))
      : null,
    el("p", { class: "hint" }, t("select.hint")),
  );
}

async function mergeWith(id, other) {
  await correct("merge", { events: [id, other] });
}

export function moveForm(some) {
  const from = some.length === 1 ? eventOf(some[0])?.id : null;
  const targets = eventSelect(from);
  if (!targets.length || some.some((photo) => photos.event[photo] === -3)) return null;
  const move = () => correct("move", { photos: some.map((i) => photos.id[i]), event: Number(targets.value) });
  return form(t("move"), move, el("label", {}, t("move.to"), targets));
}

export function memoryForm(photo) {
  const text = el("textarea", { rows: 3, required: true, placeholder: t("memory.hint"), "aria-label": t("memory.write") });
  text.value = photos.memory[photo] ?? "";
  const write = () => correct("memory", { photo: photos.id[photo], text: text.value });
  return el(
    "details",
    { class: "correct", open: photos.memory[photo] === null },
    el("summary", {}, t("memory.write")),
    form(t("save"), write, text),
  );
}

// A form with a button; while the server is asked, the button waits.
function form(label, done, ...fields) {
  const submit = el("button", { type: "submit" }, label);
  const sent = async (event) => {
    event.preventDefault();
    submit.disabled = true;
    await done();
    submit.disabled = false;
  };
  return el("form", { onsubmit: sent }, ...fields, submit);
}

function eventSelect(except) {
  const choices = eventChoices().filter(([id]) => id !== String(except));
  return el("select", {}, choices.map(([value, text]) => el("option", { value }, text)));
}

// The bar that comes up while photos are selected.
export function selectionBar() {
  const bar = el("aside", { class: "selected", "aria-label": t("selection") });
  const show = () => {
    const some = [...selection];
    bar.hidden = !some.length;
    for (const tick of document.querySelectorAll(".box input")) {
      tick.checked = selection.has(Number(tick.closest("[data-card]").dataset.card));
    }
    bar.replaceChildren(
      el("strong", {}, t("selected", { n: some.length })),
      ...actions(some),
      button("", clearSelection, { class: "close", "aria-label": t("select.clear") }, icon("close")),
    );
  };
  listen((what) => what !== "filters" && show());
  show();
  return bar;
}

function actions(some) {
  const events = new Set(some.map((photo) => photos.event[photo]));
  const [only] = events;
  const splits = events.size === 1 && only >= 0 && some.length < photosOf(only).length;
  const split = () => correct("split", { event: book.events[only].id, photos: some.map((i) => photos.id[i]) });
  return [moveForm(some), splits ? button(t("split"), split) : null].filter(Boolean);
}
