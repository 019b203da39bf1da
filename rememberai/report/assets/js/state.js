// What is looked for, what is selected, and who wants to know when that changes.

import { NONE, book, nPhotos, photos, sourceOf } from "./book.js";
import { titleOf } from "./words.js";

export const filters = { text: "", from: null, to: null, event: "", source: "" };
export const selection = new Set();
export let mask = new Uint8Array(nPhotos).fill(1);
export let nMatching = nPhotos;
export let ranked = null; // photos nearest in meaning, the nearest first, when a server was asked

const listeners = new Set();
let haystack = null;

export function listen(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

// What stops listening meanwhile, as a view that is left, hears no more.
export function changed(what) {
  for (const listener of [...listeners]) if (listeners.has(listener)) listener(what);
}

export function filter(change) {
  Object.assign(filters, change);
  if ("text" in change) ranked = null;
  apply();
  changed("filters");
}

export function rank(found) {
  ranked = found;
  apply();
  changed("filters");
}

export function isFiltered() {
  return Object.values(filters).some((value) => value !== "" && value !== null);
}

export function clearFilters() {
  filter({ text: "", from: null, to: null, event: "", source: "" });
}

export function select(some, on = true) {
  for (const photo of some) selection[on ? "add" : "delete"](photo);
  changed("selection");
}

export function clearSelection() {
  selection.clear();
  changed("selection");
}

// The photos that match, in the order of meaning or else of time.
export function matching() {
  const all = ranked ?? Array.from(mask.keys());
  return all.filter((photo) => mask[photo]);
}

export function refresh() {
  haystack = null;
  apply();
}

function apply() {
  const found = ranked && new Set(ranked);
  const wanted = plain(filters.text).split(/\s+/).filter(Boolean);
  nMatching = 0;
  for (let photo = 0; photo < nPhotos; photo += 1) {
    const spoken = found ? found.has(photo) : !wanted.length || contains(photo, wanted);
    mask[photo] = spoken && isInTime(photo) && isOfEvent(photo) && isOfSource(photo) ? 1 : 0;
    nMatching += mask[photo];
  }
}

function contains(photo, wanted) {
  haystack ??= photos.id.map((_, i) => plain(searched(i)));
  return wanted.every((word) => haystack[photo].includes(word));
}

function searched(photo) {
  const event = photos.event[photo] >= 0 ? titleOf(book.events[photos.event[photo]]) : "";
  return [photos.memory[photo], photos.caption[photo], photos.name[photo], event].join("\n");
}

// Upper and lower case, accents and Korean syllables compare by their parts.
function plain(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}

function isInTime(photo) {
  const time = photos.time[photo];
  if (filters.from === null && filters.to === null) return true;
  if (time === null || !photos.sure[photo]) return false;
  return (filters.from ?? -Infinity) <= time && time < (filters.to ?? Infinity);
}

function isOfEvent(photo) {
  const at = photos.event[photo];
  if (filters.event === "") return true;
  return filters.event === (NONE[at] ?? String(book.events[at].id));
}

function isOfSource(photo) {
  return filters.source === "" || filters.source === sourceOf(photo);
}
