// One photo, large, with all that is known of it.

import { book, eventOf, isTypical, live, photos, picture } from "./book.js";
import { alternative, badge, view } from "./card.js";
import { memoryForm, moveForm } from "./correct.js";
import { button, el, icon } from "./dom.js";
import { moment, place, t, titleOf } from "./words.js";

let dialog = null;
let among = [];
let current = -1;

// Open a photo; the arrow keys go on to the others of `some`.
export function openPhoto(photo, some = [photo]) {
  among = some;
  current = photo;
  if (!dialog) {
    dialog = el("dialog", { class: "lightbox", tabindex: -1, onkeydown: keyed, onclick: outside });
    document.body.append(dialog);
  }
  dialog.setAttribute("aria-label", t("photo"));
  fill();
  if (!dialog.open) dialog.showModal();
}

export function closePhoto() {
  dialog?.close();
}

// Show the photo anew, after its words or its event changed.
export function refreshPhoto() {
  if (!dialog?.open) return;
  fill();
  if (document.activeElement === document.body) dialog.focus(); // what had the keys is gone
}

function keyed(event) {
  if (event.target.matches("input, textarea, select")) return;
  if (event.key === "ArrowRight") turn(1);
  if (event.key === "ArrowLeft") turn(-1);
}

function outside(event) {
  if (event.target === dialog) dialog.close();
}

function turn(step) {
  const place = among.indexOf(current) + step;
  if (place < 0 || place >= among.length) return;
  const held = document.activeElement.className;
  current = among[place];
  fill();
  (dialog.querySelector(`.stage .${held || "none"}:enabled`) ?? dialog).focus();
}

function fill() {
  const at = among.indexOf(current);
  dialog.replaceChildren(
    button("", () => dialog.close(), { class: "close", "aria-label": t("close") }, icon("close")),
    el(
      "figure",
      {},
      el("div", { class: "stage" }, large(current), arrows(at)),
      el("figcaption", {}, told(current), facts(current), live ? memoryForm(current) : null, live ? moveForm([current]) : null),
    ),
  );
}

function arrows(at) {
  const arrow = (step, name, mark) =>
    button("", () => turn(step), { class: name, "aria-label": t(name), disabled: !(at + step in among) }, icon(mark));
  return among.length > 1 ? [arrow(-1, "previous", "back"), arrow(1, "following", "next")] : null;
}

function large(photo) {
  const address = picture(photo, "large");
  return address ? el("img", { src: address, alt: alternative(photo) }) : view(photo);
}

function told(photo) {
  const { memory, caption, author, captioner } = photos;
  const spoken = [];
  if (memory[photo] !== null) spoken.push(quotation("memory", memory[photo], author[photo]));
  if (caption[photo] !== null) spoken.push(quotation("caption", caption[photo], captioner[photo]));
  return spoken.length ? spoken : el("p", { class: "wordless" }, t("wordless"));
}

function quotation(source, text, by) {
  return el(
    "blockquote",
    { class: source },
    el("span", { class: "source" }, icon(source), t(`source.${source}`), by ? [" · ", el("bdi", {}, by)] : null),
    el("span", { class: "said", dir: "auto" }, text),
  );
}

function facts(photo) {
  const event = eventOf(photo);
  const known = photos.lat[photo] !== null;
  return el(
    "dl",
    { class: "facts" },
    el("dt", {}, t("when")), el("dd", {}, moment(photos.time[photo], photos.sure[photo])),
    known ? [el("dt", {}, t("where")), el("dd", {}, place([photos.lat[photo], photos.lon[photo]]))] : null,
    el("dt", {}, t("event")),
    el("dd", {}, event ? eventLink(event) : t("event.none"), isTypical(photo) ? badge() : null),
    el("dt", {}, t("file")), el("dd", { class: "file", dir: "auto" }, photos.name[photo]),
    live || photos.picture[photo] || !photos.width[photo] ? null : [el("dt", {}, t("picture")), el("dd", {}, t("picture.left.out"))],
  );
}

function eventLink(event) {
  return el("a", { href: `#/event/${event.id}`, onclick: () => dialog.close(), dir: "auto" }, book.events.includes(event) ? titleOf(event) : "");
}
