// The page: its head, the view that the address names, and the foot.

import { book, live, nPhotos, photos } from "./book.js";
import { keepingCards } from "./card.js";
import { selectionBar } from "./correct.js";
import { button, el } from "./dom.js";
import { eventView } from "./event.js";
import { filterBar, showCount } from "./filters.js";
import { mapView } from "./map.js";
import { closePhoto, refreshPhoto } from "./photo.js";
import { correct } from "./server.js";
import { clearSelection, listen } from "./state.js";
import { span, timeline } from "./timeline.js";
import { currentLanguage, languages, speak, t } from "./words.js";

let bar = null;
let main = null;
let leave = () => {};

function start() {
  speak(currentLanguage());
  document.title = book.title;
  bar = filterBar();
  main = el("main", { id: "main", tabindex: -1 });
  document.getElementById("page").replaceChildren(
    el("a", { class: "skip", href: "#main", onclick: skip }, t("skip")),
    head(),
    bar,
    main,
    foot(),
    live ? selectionBar() : "",
  );
  showView();
}

function skip(event) {
  event.preventDefault();
  main.querySelector("a, button, h1[tabindex]")?.focus();
}

function head() {
  const spoken = photos.memory.filter((text) => text !== null).length;
  const counts = [t("photos", { n: nPhotos }), t("memories", { n: spoken }), t("events", { n: book.events.length }), span()];
  const language = el(
    "select",
    { "aria-label": t("language.choose"), onchange: () => (speak(language.value), closePhoto(), start()) },
    languages().map(([name, label, chosen]) => el("option", { value: name, selected: chosen, lang: name }, label)),
  );
  return el(
    "header",
    { class: "head" },
    el("div", { class: "name" }, el("p", { class: "title" }, el("a", { href: "#/" }, book.title)), el("p", { class: "counts" }, counts.filter(Boolean).join(" · "))),
    el(
      "nav",
      { "aria-label": t("views") },
      el("a", { href: "#/", "data-view": "timeline" }, t("timeline")),
      el("a", { href: "#/map", "data-view": "map" }, t("map")),
      language,
    ),
    live && photos.event.includes(-2) ? el("p", { class: "news" }, t("news"), " ", button(t("discover"), () => correct("discover", {}))) : null,
  );
}

function foot() {
  const kept = { embedded: t("kept.embedded"), files: t("kept.files"), live: t("kept.live") };
  const shown = photos.picture.filter(Boolean).length;
  const pictures = photos.width.filter((width) => width !== null).length;
  const few = !live && shown < pictures ? ` ${t("pictures.some", { n: shown, all: pictures })}` : "";
  return el("footer", {}, `RememberAI · ${t("made", { day: book.made })} · ${kept[live ? "live" : book.folder ? "files" : "embedded"]}${few}`);
}

function showView() {
  leave();
  leave = () => {};
  const [, view, id] = location.hash.split("/");
  for (const link of document.querySelectorAll("[data-view]")) {
    const current = link.dataset.view === (view === "map" ? "map" : "timeline");
    if (current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  main.className = `at-${view || "timeline"}`;
  if (view === "map") {
    const [node, begin, end] = mapView();
    main.replaceChildren(heard("map"), node);
    leave = end;
    begin();
  } else if (view === "event") {
    main.replaceChildren(...opened(id));
  } else {
    main.replaceChildren(heard("timeline"), timeline());
  }
  showCount(bar);
}

function opened(id) {
  const event = eventView(id);
  return event ? [event] : [heard("event"), el("p", { class: "nothing" }, t("event.gone"))];
}

// What a view is called, for those who listen; the others see which link is current.
function heard(view) {
  return el("h1", { class: "heard" }, t(view));
}

function turned() {
  closePhoto();
  clearSelection();
  showView();
  scrollTo(0, 0);
  main.querySelector("h1[tabindex]")?.focus({ preventScroll: true });
}

// Show the view anew; the reader stays where they were, and so do the keys.
function corrected() {
  keepingCards(showView);
  keepKeys();
  refreshPhoto();
}

// Where what had the keys is gone, the view has them.
function keepKeys() {
  if (document.activeElement === document.body) (main.querySelector("h1[tabindex], .frame") ?? main).focus({ preventScroll: true });
}

window.addEventListener("hashchange", turned);
listen((what) => {
  if (what === "selection") return queueMicrotask(keepKeys); // once the bar of the selection is gone
  if (what === "book") {
    document.querySelector(".head").replaceWith(head());
    const next = filterBar(); // it names the events
    bar.replaceWith(next);
    bar = next;
  }
  if (what === "book") corrected();
  else if (main.className !== "at-map") showView();
  else showCount(bar);
});
start();
