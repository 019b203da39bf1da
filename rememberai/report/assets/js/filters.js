// The bar by which photos are looked for: words, time, event and source.

import { NONE, book, photosOf } from "./book.js";
import { button, el, icon } from "./dom.js";
import { clearFilters, filter, filters, isFiltered, nMatching } from "./state.js";
import { askMeaning, isAsking } from "./server.js";
import { t, titleOf } from "./words.js";

const PAUSE = 200; // milliseconds without a key before a search
const SOURCES = ["memory", "caption", "wordless"];

export function filterBar() {
  return el(
    "search",
    { class: "filters" },
    el("form", { role: "search", onsubmit: (event) => event.preventDefault() }, searchBox(), options()),
    el("p", { class: "count", "aria-live": "polite" }),
  );
}

export function showCount(bar) {
  const clear = button(t("filters.clear"), clearFilters, { class: "link" });
  bar.querySelector(".count").replaceChildren(...(isFiltered() ? [`${isAsking ? t("search.waits") : t("matching", { n: nMatching })} `, clear] : []));
  for (const field of bar.querySelectorAll("[data-filter]")) {
    const value = filters[field.dataset.filter];
    if (value === "" || value === null) field.value = "";
  }
}

function searchBox() {
  let waiting = 0;
  const input = el("input", {
    type: "search",
    value: filters.text,
    placeholder: askMeaning ? t("search.meaning") : t("search"),
    "aria-label": askMeaning ? t("search.meaning") : t("search"),
    "data-filter": "text",
    oninput: () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => search(input.value), PAUSE);
    },
  });
  return el("label", { class: "searchbox" }, icon("search"), input);
}

function search(text) {
  askMeaning?.(text.trim());
  filter({ text: text.trim() });
}

function options() {
  return el(
    "details",
    { class: "more", open: isFiltered() },
    el("summary", {}, t("filters")),
    el(
      "div",
      { class: "fields" },
      day("from", t("from"), (value) => value),
      day("to", t("to"), (value) => value + 86400),
      choice("event", t("event"), [["", t("all.events")], ...eventChoices(), ...Object.values(NONE).map((name) => [name, t(`rest.${name}`)])]),
      choice("source", t("source"), [["", t("all.sources")], ...SOURCES.map((name) => [name, t(`source.${name}`)])]),
    ),
  );
}

function day(name, label, end) {
  const input = el("input", {
    type: "date",
    "data-filter": name,
    onchange: () => filter({ [name]: input.value ? end(Date.parse(`${input.value}T00:00Z`) / 1000) : null }),
  });
  return el("label", {}, label, input);
}

export function choice(name, label, values) {
  const select = el(
    "select",
    { "data-filter": name, onchange: () => filter({ [name]: select.value }) },
    values.map(([value, text]) => el("option", { value, selected: filters[name] === value }, text)),
  );
  return el("label", {}, label, select);
}

// Events as the values of a choice, in the order of time.
export function eventChoices() {
  const dated = book.events.map((each, event) => [each, event]);
  dated.sort(([a], [b]) => (a.dates?.[0] ?? Infinity) - (b.dates?.[0] ?? Infinity) || a.id - b.id);
  return dated.map(([each, event]) => [String(each.id), `${titleOf(each)} (${photosOf(event).length})`]);
}
