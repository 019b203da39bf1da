// The words of the interface, in the language that was chosen, and how numbers and times are said.

import { parsed } from "./book.js";

const STRINGS = parsed("strings");
const LANGUAGES = Object.keys(STRINGS);
const DAY = 86400;
const LONG = 180; // letters
const HANGUL = /\p{Script=Hangul}/u;
const KEY = "rememberai.language";

let language = first();

function first() {
  const wanted = [remembered(), ...navigator.languages].map((name) => String(name).slice(0, 2));
  return wanted.find((name) => LANGUAGES.includes(name)) ?? "en";
}

// What is remembered is missing where the browser keeps nothing for files.
function remembered() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

export function languages() {
  return LANGUAGES.map((name) => [name, STRINGS[name].language, name === language]);
}

export function speak(name) {
  language = name;
  document.documentElement.lang = name;
  try {
    localStorage.setItem(KEY, name);
  } catch {
    // The next visit begins in the browser's language.
  }
}

export function currentLanguage() {
  return language;
}

export function knows(key) {
  return key in STRINGS.en;
}

// Say a string; {name} is replaced, and "one|many" is chosen by the number n.
export function t(key, values = {}) {
  const forms = (STRINGS[language][key] ?? STRINGS.en[key]).split("|");
  const many = forms.length > 1 && new Intl.PluralRules(language).select(values.n) !== "one";
  return forms[many ? 1 : 0].replace(/\{(\w+)\}/g, (whole, name) => {
    const value = values[name] ?? whole;
    return typeof value === "number" ? number(value) : value;
  });
}

// What an event is called: as a person said, or by its words. Korean words take no English "and".
export function titleOf({ title, words }) {
  if (title !== null) return title;
  if (!words.length) return t("untitled");
  const last = words.some((word) => HANGUL.test(word)) ? ", " : t("words.last");
  const joined = [words.slice(0, -1).join(", "), words.at(-1)].filter(Boolean).join(last);
  const [first, ...rest] = joined;
  return first.toUpperCase() + rest.join("");
}

// The language as the reader's region writes it.
function region() {
  return navigator.languages.find((name) => name.startsWith(language)) ?? language;
}

// The beginning of a text that is too long to be shown among others.
export function beginning(text) {
  const letters = [...text];
  return letters.length > LONG ? `${letters.slice(0, LONG).join("").replace(/\s+\S*$/, "")} …` : text;
}

export function number(value, options = {}) {
  return new Intl.NumberFormat(region(), options).format(value);
}

export const TWO_PLACES = { minimumFractionDigits: 2, maximumFractionDigits: 2 };

export function percent(share) {
  return number(share, { style: "percent", maximumFractionDigits: 0 });
}

// Times are what a camera's clock showed, kept as if it were in UTC.
function clock(options) {
  return new Intl.DateTimeFormat(region(), { timeZone: "UTC", ...options });
}

export function days(start, end) {
  if (start === null) return t("undated");
  const format = clock({ day: "numeric", month: "long", year: "numeric" });
  const same = Math.floor(start / DAY) === Math.floor(end / DAY);
  const [from, to] = [new Date(start * 1000), new Date(end * 1000)];
  return same ? format.format(from) : format.formatRange(from, to);
}

export function moment(seconds, sure) {
  if (seconds === null) return t("undated");
  const day = clock({ weekday: "long", day: "numeric", month: "long", year: "numeric" });
  const hour = clock({ hour: "2-digit", minute: "2-digit" });
  const when = new Date(seconds * 1000);
  return sure ? `${day.format(when)}, ${hour.format(when)}` : `${day.format(when)} (${t("unsure")})`;
}

export function month(seconds) {
  return clock({ month: "long", year: "numeric" }).format(new Date(seconds * 1000));
}

export function year(seconds) {
  return new Date(seconds * 1000).getUTCFullYear();
}

export function place([latitude, longitude]) {
  const degrees = (value) => number(Math.abs(value), TWO_PLACES);
  const north = `${degrees(latitude)}° ${latitude < 0 ? "S" : "N"}`;
  return `${north}, ${degrees(longitude)}° ${longitude < 0 ? "W" : "E"}`;
}
