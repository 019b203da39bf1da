// The front of the book: its events in the order of time, and what fell in none.

import { NONE, book, coverOf, photos, photosOf } from "./book.js";
import { colourOf, gallery, view } from "./card.js";
import { el } from "./dom.js";
import { isFiltered, mask, matching, nMatching, ranked, filters } from "./state.js";
import { days, month, percent, place, t, titleOf, year } from "./words.js";
import { openPhoto } from "./photo.js";
import { isAsking } from "./server.js";

const LARGE = 0.2; // of a year's events stand out by their size

export function timeline() {
  const found = filters.text || ranked ? searchResults() : null;
  const years = byYear();
  return el(
    "div",
    { class: "timeline" },
    found,
    years.length > 1 ? yearLinks(years) : null,
    years.map(([name, events]) => yearSection(name, events)),
    restSections(),
    !found && isFiltered() && !nMatching ? el("p", { class: "nothing" }, t("nothing")) : null,
  );
}

function searchResults() {
  const found = matching();
  const title = isAsking ? t("search.waits") : t(ranked ? "search.nearest" : "search.found", { n: found.length });
  return el(
    "section",
    { class: "results" },
    el("h2", {}, title),
    found.length ? gallery(found, { open: openPhoto, event: true }) : null,
    found.length || isAsking ? null : el("p", { class: "nothing" }, t("nothing")),
  );
}

function byYear() {
  const there = book.events.map((_, event) => event).filter((event) => photosOf(event).some((i) => mask[i]));
  const start = (event) => book.events[event].dates?.[0] ?? Infinity;
  there.sort((a, b) => start(a) - start(b) || book.events[a].id - book.events[b].id);
  const groups = new Map();
  for (const event of there) {
    const name = start(event) === Infinity ? t("undated") : String(year(start(event)));
    groups.set(name, [...(groups.get(name) ?? []), event]);
  }
  return [...groups];
}

function yearLinks(years) {
  const links = years.map(([name]) =>
    el("a", { href: "#/", onclick: (click) => jump(click, `year-${name}`) }, name),
  );
  return el("nav", { class: "years", "aria-label": t("years") }, links);
}

function jump(click, id) {
  click.preventDefault();
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  document.getElementById(id).scrollIntoView({ behavior: still ? "instant" : "smooth" });
}

function yearSection(name, events) {
  const bySize = [...events].sort((a, b) => photosOf(b).length - photosOf(a).length);
  const large = new Set(bySize.slice(0, Math.floor(events.length * LARGE)));
  return el(
    "section",
    { class: "year", "aria-labelledby": `year-${name}` },
    el("h2", { id: `year-${name}` }, name),
    el("ol", { class: "events" }, events.map((event) => eventCard(event, large.has(event)))),
  );
}

function eventCard(event, large) {
  const { id, dates, place: where } = book.events[event];
  const own = photosOf(event);
  const n = own.filter((photo) => mask[photo]).length;
  const size = n === own.length ? t("photos", { n }) : t("photos.some", { n, all: own.length });
  const facts = [size, where ? place(where) : null].filter(Boolean).join(" · ");
  return el(
    "li",
    { class: `event ${colourOf(event)}${large ? " large" : ""}` },
    el(
      "a",
      { href: `#/event/${id}` },
      mosaic(event),
      el("span", { class: "when" }, dates ? days(...dates) : t("undated")),
      el("strong", { dir: "auto" }, titleOf(book.events[event])),
      el("span", { class: "facts" }, facts),
      assignment(event),
    ),
  );
}

// The cover, and beside it two more of the most typical photos where there are enough.
function mosaic(event) {
  const cover = coverOf(event);
  const own = [...new Set([cover, ...book.events[event].typical, ...photosOf(event)])];
  const pictures = own.filter((photo) => photos.picture[photo]);
  const chosen = pictures.length >= 3 ? pictures.slice(0, 3) : [cover];
  const shown = chosen.map((photo) => view(photo));
  shown.slice(1).forEach((image) => image.setAttribute("alt", ""));
  return el("span", { class: `mosaic of${chosen.length}` }, shown);
}

// What the learned events say of an event: its name and how sure that is, or unknown; or what a
// person said that it is not.
export function assignment(event) {
  const { known, confidence, accepted, rejected } = book.events[event];
  if (known === null && rejected.length) {
    return el("span", { class: "known unknown rejected" }, t("rejected"), " ", el("bdi", {}, rejected.join(", ")));
  }
  if (known === null) {
    return book.learned ? el("span", { class: "known unknown" }, t("unknown")) : null;
  }
  const sure = accepted ? t("accepted") : percent(confidence ?? 0);
  return el(
    "span",
    { class: `known${accepted ? " accepted" : ""}` },
    el("span", { class: "dot" }),
    el("bdi", {}, known),
    el("span", { class: "sure", title: t("confidence") }, sure),
    accepted || confidence === null ? null : meter(confidence),
  );
}

export function meter(share) {
  const bar = el("span", { class: "fill" });
  bar.style.inlineSize = `${Math.round(100 * share)}%`;
  return el("span", { class: "meter", "aria-hidden": "true" }, bar);
}

function restSections() {
  return Object.entries(NONE).map(([code, name]) => {
    const some = photos.id.map((_, photo) => photo).filter((i) => photos.event[i] === Number(code) && mask[i]);
    if (!some.length) return null;
    return el(
      "section",
      { class: "rest" },
      el("h2", {}, t(`rest.${name}`), el("span", { class: "n" }, t("photos", { n: some.length }))),
      el("p", { class: "about" }, t(`rest.${name}.about`)),
      gallery(some, { open: openPhoto }),
    );
  });
}

export function span() {
  const times = photos.time.filter((time, photo) => time !== null && photos.sure[photo]);
  if (!times.length) return null;
  const [from, to] = [month(times[0]), month(times.at(-1))];
  return from === to ? from : `${from} – ${to}`;
}
