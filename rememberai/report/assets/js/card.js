// Photos and their words, as they stand everywhere on the page.

import { isTypical, eventOf, photos, picture, sourceOf, textOf, photosOf, book } from "./book.js";
import { button, el, icon } from "./dom.js";
import { selection, select } from "./state.js";
import { t, titleOf } from "./words.js";

const AHEAD = "600px"; // how far below the window pictures are fetched
const AT_ONCE = 60; // cards that are added when the end comes near

let begun = AT_ONCE;

const watcher = new IntersectionObserver(
  (entries) => entries.filter((entry) => entry.isIntersecting).forEach(({ target }) => show(target)),
  { rootMargin: AHEAD },
);

// A page on paper needs what no window came near to.
window.addEventListener("beforeprint", () => document.querySelectorAll("img:not([src])").forEach(show));

function show(image) {
  watcher.unobserve(image);
  const address = picture(Number(image.dataset.photo));
  if (address === undefined) document.addEventListener("DOMContentLoaded", () => show(image), { once: true });
  else image.src = address;
}

// The memory or caption is what a picture says to those who can't see it.
export function alternative(photo) {
  return textOf(photo) ?? t("alt.wordless", { name: photos.name[photo] });
}

// The picture of a photo, fetched when it comes near the window; a card of its words if it has none.
export function view(photo) {
  if (!photos.picture[photo]) return wordCard(photo);
  const image = el("img", { alt: alternative(photo), "data-photo": photo, decoding: "async" });
  watcher.observe(image);
  return image;
}

function wordCard(photo) {
  const text = textOf(photo) ?? photos.name[photo];
  return el("span", { class: `words ${colourOf(photos.event[photo])}` }, el("q", { dir: "auto" }, text));
}

// A memory is set as a quotation by a person, a caption as a label by a machine.
export function words(photo, short = false) {
  const source = sourceOf(photo);
  if (source === "wordless") return el("p", { class: "wordless" }, t("wordless"));
  return el(
    "p",
    { class: `${source}${short ? " short" : ""}` },
    el("span", { class: "source" }, icon(source), t(`source.${source}`)),
    el("span", { class: "said", dir: "auto" }, textOf(photo)),
  );
}

// options: open(photo), called when the card is chosen; selectable: it has a box to tick.
export function photoCard(photo, { open, selectable = false, event = false }) {
  const of = event ? eventOf(photo) : null;
  return el(
    "li",
    { class: `photo${photos.picture[photo] ? "" : " wordy"}`, "data-card": photo },
    button("", () => open(photo), { class: "open", "aria-label": alternative(photo) }, view(photo)),
    isTypical(photo) && !event ? badge() : null,
    selectable ? box(photo) : null,
    photos.picture[photo] || sourceOf(photo) !== "memory" ? words(photo, true) : el("p", { class: "memory short" }, el("span", { class: "source" }, icon("memory"), t("source.memory"))),
    of ? el("a", { class: "of", href: `#/event/${of.id}`, dir: "auto" }, titleOf(of)) : null,
  );
}

export function badge() {
  return el("span", { class: "badge", title: t("typical.long") }, icon("typical"), t("typical"));
}

function box(photo) {
  const tick = el("input", {
    type: "checkbox",
    "aria-label": t("select.one", { what: alternative(photo) }),
    onchange: () => select([photo], tick.checked),
  });
  tick.checked = selection.has(photo);
  return el("label", { class: "box" }, tick);
}

// Build a view in which no gallery begins with fewer cards than those that stand there.
export function keepingCards(build) {
  begun = Math.max(AT_ONCE, document.querySelectorAll("main [data-card]").length);
  build();
  begun = AT_ONCE;
}

// A list of cards that grows as its end comes near.
export function gallery(some, options) {
  const list = el("ul", { class: "gallery" });
  const end = el("div", { class: "end" });
  let shown = 0;
  const grow = (n) => {
    const next = some.slice(shown, shown + n);
    list.append(...next.map((photo) => photoCard(photo, { ...options, open: (i) => options.open(i, some) })));
    shown += next.length;
    if (shown >= some.length) sentinel.disconnect();
  };
  const sentinel = new IntersectionObserver((entries) => entries[0].isIntersecting && grow(AT_ONCE), { rootMargin: AHEAD });
  sentinel.observe(end);
  grow(begun);
  return el("div", {}, list, end);
}

const SHADES = 12;
let shades = [];

// The class that gives an event its colour: the largest twelve differ, further ones repeat them.
export function colourOf(event) {
  return `e${shadeOf(event)}`;
}

export function shadeOf(event) {
  if (event < 0) return SHADES;
  return shades[event] % SHADES;
}

export function shade() {
  const order = book.events.map((_, event) => event);
  order.sort((a, b) => photosOf(b).length - photosOf(a).length || book.events[a].id - book.events[b].id);
  shades = [];
  order.forEach((event, place) => (shades[event] = place));
}

shade();
