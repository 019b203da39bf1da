// An event opened: what it is called, why, and its photos.

import { book, coverOf, live, photos, photosOf, textOf } from "./book.js";
import { colourOf, gallery, view } from "./card.js";
import { corrections, opinions } from "./correct.js";
import { el } from "./dom.js";
import { openPhoto } from "./photo.js";
import { askWhy } from "./server.js";
import { isFiltered, mask } from "./state.js";
import { assignment, meter } from "./timeline.js";
import { TWO_PLACES, beginning, days, number, percent, place, t, titleOf } from "./words.js";

export function eventView(id) {
  const event = book.events.findIndex((each) => String(each.id) === id);
  if (event < 0) return null;
  const { dates, place: where, trip } = book.events[event];
  const own = photosOf(event);
  const shown = isFiltered() ? own.filter((photo) => mask[photo]) : own;
  const facts = [t("photos", { n: own.length }), where ? place(where) : null, trip === null ? null : t("trip")];
  const cover = coverOf(event);
  return el(
    "article",
    { class: `opened ${colourOf(event)}` },
    el(
      "header",
      { class: photos.picture[cover] ? "" : "plain" },
      photos.picture[cover] ? el("div", { class: "cover" }, view(cover)) : null,
      el(
        "div",
        { class: "heading" },
        el("p", { class: "when" }, dates ? days(...dates) : t("undated")),
        el("h1", { tabindex: "-1", dir: "auto" }, titleOf(book.events[event])),
        el("p", { class: "facts" }, facts.filter(Boolean).join(" · ")),
        el("p", { class: "verdict" }, assignment(event), live ? opinions(event) : null),
        live ? corrections(event) : null,
        why(event),
      ),
    ),
    shown.length < own.length ? el("p", { class: "about" }, t("photos.some", { n: shown.length, all: own.length })) : null,
    gallery(shown, { open: openPhoto, selectable: live !== null }),
  );
}

// What spoke for the assignment, or against it; a live page asks for it when the event is opened.
function why(event) {
  if (!book.learned) return null;
  const { id, why: reasons } = book.events[event];
  const told = el("div", {}, reasons ? spoken(reasons) : "");
  if (!reasons) askWhy(id).then((answer) => answer && told.append(spoken(answer)));
  return el("details", { class: "why", open: true }, el("summary", {}, t("why")), told);
}

function spoken(reasons) {
  return el(
    "div",
    {},
    reasons.doubt ? el("p", {}, t("why.unknown"), " ", t(`doubt.${reasons.doubt.code}`, reasons.doubt)) : null,
    ranking(reasons.ranking),
    nearest(reasons.nearest),
    reasons.words.length ? el("p", {}, t("why.words"), " ", el("b", { dir: "auto" }, reasons.words.join(", "))) : null,
    telling(reasons.telling),
  );
}

function ranking(ranked) {
  const rows = ranked.map(([name, share]) => [el("dt", { dir: "auto" }, name), el("dd", {}, meter(share), percent(share))]);
  return el("dl", { class: "ranking" }, rows);
}

function nearest(found) {
  const rows = found.map(([name, text, distance]) =>
    el("li", {}, el("q", { dir: "auto" }, beginning(text)), " ", el("span", { class: "of" }, el("bdi", {}, name), ` · ${number(distance, TWO_PLACES)}`)),
  );
  return rows.length ? [el("h2", {}, t("why.nearest")), el("ul", {}, rows)] : null;
}

function telling(found) {
  const rows = found.map((photo) => el("li", {}, el("q", { dir: "auto" }, beginning(textOf(photo)))));
  return rows.length ? [el("h2", {}, t("why.telling")), el("ul", {}, rows)] : null;
}
