// The map: every photo a dot, near others of like words, coloured by its event.

import { NONE, book, eventOf, isTypical, nPhotos, photos, photosOf } from "./book.js";
import { colourOf, gallery, shadeOf, view, words } from "./card.js";
import { button, el, icon } from "./dom.js";
import { openPhoto } from "./photo.js";
import { Scatter } from "./scatter.js";
import { clearSelection, isFiltered, listen, mask, select, selection } from "./state.js";
import { t, titleOf } from "./words.js";

/* global d3 */

const MANY = 3000; // dots from which a moving map is the picture drawn last, moved
const REST = 160; // milliseconds after which it is drawn anew
const RINGS = 2000; // selected dots that get a ring; of more, the others step back
const LEGEND = 80; // events in the legend
const LABELS = 14; // on the map
const LABEL_ROOM = 38000; // square pixels of the map for each of them
const GAP = 7; // pixels between titles, and to their dot
const FAR = 4; // pixels that make a press a drag
const ZOOM = [0.5, 400]; // how far out and in

// Give the view, what begins it when it stands in the page, and what ends it.
export function mapView() {
  const map = new PhotoMap();
  return [map.node, () => map.begin(), () => map.end()];
}

let left = d3.zoomIdentity; // how the map was moved when it was left

class PhotoMap {
  constructor() {
    const dots = el("div", { class: "dots" });
    this.overlay = el("div", { class: "overlay", "aria-hidden": "true" });
    this.tip = el("div", { class: "tip", "aria-live": "polite", hidden: true });
    this.frame = el("div", { class: "frame", tabindex: 0, role: "application", "aria-label": t("map.label"), "aria-describedby": "map-help" }, dots, this.overlay, this.tip);
    this.bar = this.tools();
    this.side = el("div", { class: "side" });
    const colour = Uint16Array.from(photos.event, shadeOf);
    this.scatter = new Scatter(dots, Float32Array.from(photos.x, (x) => x ?? NaN), Float32Array.from(photos.y, (y) => y ?? NaN), colour);
    this.hovered = -1;
    this.lit = null; // the event that the legend points at
    this.brushing = false;
    this.hear();
    this.node = el(
      "div",
      { class: "map" },
      el("div", { class: "plot" }, this.frame, this.bar, el("p", { class: "help", id: "map-help" }, t("map.help"), absent())),
      this.side,
    );
  }

  begin() {
    this.stops = [listen((what) => this.update(what))];
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const repaint = () => (this.colours(), this.request());
    dark.addEventListener("change", repaint);
    const sizes = new ResizeObserver(() => this.resize());
    sizes.observe(this.frame);
    this.stops.push(() => dark.removeEventListener("change", repaint), () => sizes.disconnect());
    this.colours();
    this.resize();
    d3.select(this.frame).call(this.zooming.transform, left);
    this.update("book");
  }

  end() {
    left = this.scatter.transform;
    clearTimeout(this.resting);
    cancelAnimationFrame(this.asked);
    this.stops.forEach((stop) => stop());
    this.scatter.chart.dispose();
  }

  colours() {
    const style = getComputedStyle(document.documentElement);
    const read = (name) => style.getPropertyValue(name).trim();
    const palette = Array.from({ length: 13 }, (_, shade) => read(`--e${shade}`));
    this.scatter.paint(palette, read("--card"), read("--ink"));
  }

  update(what) {
    const some = [...selection];
    this.fade();
    this.side.replaceChildren(...(some.length ? this.picked(some) : this.legend()));
    if (what === "filters") clearTimeout(this.resting);
    this.request();
  }

  fade() {
    const { lit } = this;
    const many = selection.size > RINGS;
    const steps = (i) => !mask[i] || (lit !== null && photos.event[i] !== lit) || (many && !selection.has(i));
    const fades = lit !== null || isFiltered() || many;
    this.scatter.show(fades ? Uint8Array.from(photos.event, (_, i) => (steps(i) ? 1 : 0)) : null, many ? new Set() : selection);
  }

  // Draw before the next frame; a moving map of many dots when it rests, or has gone far.
  request(moving = false) {
    clearTimeout(this.resting);
    const quick = moving && this.scatter.order.length > MANY;
    if (quick) this.resting = setTimeout(() => this.request(), REST);
    cancelAnimationFrame(this.asked);
    this.asked = requestAnimationFrame(() => this.draw(quick));
  }

  // What is in the middle stays there.
  resize() {
    const { scatter, frame } = this;
    const { width, height } = scatter;
    if (width === frame.clientWidth && height === frame.clientHeight) return;
    const middle = width && scatter.under(width / 2, height / 2);
    scatter.resize(frame.clientWidth, frame.clientHeight);
    this.layer.call(this.area);
    if (middle) d3.select(frame).call(this.zooming.translateTo, ...scatter.rest(...middle));
    this.request();
  }

  draw(quick) {
    const { scatter } = this;
    if (quick && scatter.serves()) scatter.move();
    else scatter.draw();
    if (!quick) this.label();
    this.overlay.classList.toggle("moving", quick);
    this.mark();
  }

  // Titles of the largest events, beside their middle, where there is room.
  label() {
    const named = largestFirst().slice(0, 2 * LABELS).map((event) => [event, el("span", { class: colourOf(event), dir: "auto" }, titleOf(book.events[event]))]);
    this.overlay.replaceChildren(...named.map(([, name]) => name), this.ring ?? "");
    const sizes = named.map(([, name]) => [name.offsetWidth, name.offsetHeight]);
    const most = Math.min(LABELS, (this.frame.clientWidth * this.frame.clientHeight) / LABEL_ROOM);
    const taken = [this.toolsBox()];
    named.forEach(([event, name], i) => {
      const place = taken.length <= most && this.free(this.middle(event), sizes[i], taken);
      if (!place) return name.remove();
      taken.push(place);
      name.style.transform = `translate(${place.left}px, ${place.top}px)`;
    });
  }

  // A box of that size beside a dot, in the frame, over none of the boxes that are taken, and over as few dots as can be.
  free([left, top], [width, height], taken) {
    const { clientWidth, clientHeight } = this.frame;
    if (!(left > 0 && top > 0 && left < clientWidth && top < clientHeight)) return null;
    const middle = Math.max(GAP, Math.min(clientWidth - width - GAP, left - width / 2));
    const corners = [[middle, top - height - GAP], [middle, top + GAP], [left + 2 * GAP, top - height / 2], [left - width - 2 * GAP, top - height / 2]];
    const boxes = corners.map(([x, y]) => ({ left: x, top: y, right: x + width, bottom: y + height }));
    const inside = (box) => box.left > 0 && box.right < clientWidth && box.top > 0 && box.bottom < clientHeight;
    const free = boxes.filter((box) => inside(box) && taken.every((other) => isApart(box, other)));
    const covered = free.map((box) => this.scatter.inside(box.left, box.top, box.right, box.bottom).length);
    return free[covered.indexOf(Math.min(...covered))];
  }

  toolsBox() {
    const [frame, tools] = [this.frame, this.bar].map((node) => node.getBoundingClientRect());
    return { left: tools.left - frame.left, top: tools.top - frame.top, right: tools.right - frame.left, bottom: tools.bottom - frame.top };
  }

  // The middle of an event's dots: the median, which strays do not move.
  middle(event) {
    const own = photosOf(event).filter((i) => photos.x[i] !== null);
    if (!own.length) return [NaN, NaN];
    const [x, y] = [photos.x, photos.y].map((axis) => d3.median(own, (i) => axis[i]));
    return this.scatter.place(d3.least(own, (i) => (photos.x[i] - x) ** 2 + (photos.y[i] - y) ** 2));
  }

  tools() {
    const tool = (name, mark, act) => button("", act, { "aria-label": t(name), title: t(name) }, icon(mark));
    this.brush = tool("map.brush", "brush", () => this.setBrush(!this.brushing));
    this.brush.setAttribute("aria-pressed", "false");
    return el(
      "div",
      { class: "tools", role: "toolbar", "aria-label": t("map.tools") },
      tool("map.in", "plus", () => this.zoom(1.6)),
      tool("map.out", "minus", () => this.zoom(1 / 1.6)),
      tool("map.home", "home", () => this.home()),
      this.brush,
    );
  }

  // Let a drag select. Of fingers the brush hears only meanwhile: else they move the map.
  setBrush(on) {
    this.brushing = on;
    this.brush.setAttribute("aria-pressed", String(on));
    this.frame.classList.toggle("brushing", on);
    this.layer.on(".brush", null).call(this.area);
  }

  zoom(factor) {
    d3.select(this.frame).call(this.zooming.scaleBy, factor);
  }

  pan(left, top) {
    const { k } = this.scatter.transform;
    d3.select(this.frame).call(this.zooming.translateBy, left / k, top / k);
  }

  home() {
    d3.select(this.frame).call(this.zooming.transform, d3.zoomIdentity);
  }

  hear() {
    const { frame } = this;
    const under = (event) => this.scatter.nearest(...d3.pointer(event, frame));
    this.zooming = d3.zoom().scaleExtent(ZOOM).clickDistance(FAR).on("zoom", ({ transform }) => {
      this.scatter.transform = transform;
      this.request(true);
    });
    d3.select(frame).call(this.zooming).on("dblclick.zoom", null);
    this.layer = d3.select(frame).insert("svg", ".overlay").attr("class", "layer").attr("aria-hidden", "true").append("g");
    this.area = d3
      .brush()
      .extent(() => [[0, 0], [frame.clientWidth, frame.clientHeight]])
      .filter((event) => !event.button && (this.brushing || event.shiftKey))
      .keyModifiers(false)
      .touchable(() => this.brushing)
      .on("end", ({ selection: box, sourceEvent }) => box && this.pickArea(box, sourceEvent.shiftKey || sourceEvent.ctrlKey));
    frame.addEventListener("click", (event) => this.click(event, under(event)));
    frame.addEventListener("pointermove", (event) => event.buttons || this.hover(under(event)));
    frame.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && this.hover(-1));
    frame.addEventListener("dblclick", (event) => this.open(under(event)));
    frame.addEventListener("keydown", (event) => this.key(event));
  }

  click(event, photo) {
    this.pick(photo, event.ctrlKey || event.metaKey || event.shiftKey);
    this.hover(photo); // a finger points at nothing before
  }

  pickArea([from, to], more) {
    const found = this.scatter.inside(...from, ...to).filter((photo) => mask[photo]);
    this.layer.call(this.area.clear);
    this.setBrush(false);
    if (!more) selection.clear();
    select(found);
  }

  pick(photo, more) {
    if (!more) selection.clear();
    if (photo < 0) clearSelection();
    else select([photo], !selection.has(photo));
  }

  open(photo) {
    if (photo >= 0) openPhoto(photo);
  }

  key(event) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const acts = {
      "+": () => this.zoom(1.6),
      "=": () => this.zoom(1.6),
      "-": () => this.zoom(1 / 1.6),
      0: () => this.home(),
      Enter: () => this.open(this.hovered),
      " ": () => this.hovered >= 0 && this.pick(this.hovered, true),
      Escape: () => (this.hover(-1), clearSelection()),
      a: () => this.pickArea([[0, 0], [this.frame.clientWidth, this.frame.clientHeight]], false),
    };
    if (!step && !acts[event.key]) return;
    event.preventDefault();
    if (!step) acts[event.key]();
    else if (event.shiftKey) this.pan(-60 * step[0], -60 * step[1]);
    else this.hover(this.onward(step));
  }

  // The dot nearest to the one that is pointed at, in a direction.
  onward([right, down]) {
    const middle = [this.frame.clientWidth / 2, this.frame.clientHeight / 2];
    const from = this.hovered >= 0 ? this.scatter.place(this.hovered) : middle;
    let [best, least] = [this.hovered, Infinity];
    for (const dot of this.scatter.order) {
      const [left, top] = this.scatter.place(dot);
      const along = (left - from[0]) * right + (top - from[1]) * down;
      const across = Math.abs((left - from[0]) * down) + Math.abs((top - from[1]) * right);
      if (dot !== this.hovered && along > 0.5 && along >= across && along + 2 * across < least) [best, least] = [dot, along + 2 * across];
    }
    return best;
  }

  hover(photo) {
    if (photo === this.hovered) return;
    this.hovered = photo;
    this.tip.hidden = photo < 0;
    if (photo >= 0) {
      const event = eventOf(photo);
      const name = el("span", { class: `event ${colourOf(photos.event[photo])}`, dir: "auto" }, event ? titleOf(event) : t("event.none"));
      this.tip.replaceChildren(...(photos.picture[photo] ? [view(photo)] : []), words(photo), name);
    }
    this.mark();
  }

  // A ring around the dot that is pointed at, and its tip beside it.
  mark() {
    this.ring?.remove();
    this.ring = null;
    if (this.hovered < 0) return;
    const [left, top] = this.scatter.place(this.hovered);
    this.ring = this.overlay.appendChild(el("div", { class: "ring" }));
    this.ring.style.transform = `translate(${left}px, ${top}px)`;
    const [width, height] = [this.frame.clientWidth, this.frame.clientHeight];
    this.tip.style.left = `${Math.max(8, Math.min(width - this.tip.offsetWidth - 8, left + 16))}px`;
    const under = top + 16 + this.tip.offsetHeight < height;
    this.tip.style.top = `${Math.max(8, under ? top + 16 : top - this.tip.offsetHeight - 16)}px`;
  }

  light(event) {
    this.lit = event;
    this.fade();
    this.request();
  }

  legend() {
    const order = largestFirst();
    const rows = order.slice(0, LEGEND).map((event) => this.entry(event, titleOf(book.events[event]), `#/event/${book.events[event].id}`, photosOf(event).length));
    const rest = Object.entries(NONE).map(([code, name]) => [Number(code), name, photos.event.filter((event) => event === Number(code)).length]);
    const others = rest.filter(([code, , n]) => n && code !== -3).map(([code, name, n]) => this.entry(code, t(`rest.${name}`), "#/", n));
    const left = order.length > LEGEND ? el("p", { class: "about" }, t("legend.more", { n: order.length - LEGEND })) : null;
    return [el("h2", {}, t("legend")), el("ul", { class: "legend" }, rows, others), left].filter(Boolean);
  }

  entry(event, title, href, n) {
    const light = () => this.light(event);
    const dim = () => this.light(null);
    const handlers = { onpointerenter: light, onpointerleave: dim, onfocus: light, onblur: dim };
    return el("li", {}, el("a", { href, class: colourOf(event), ...handlers }, el("span", { class: "dot" }), el("span", { dir: "auto" }, title), el("span", { class: "n" }, String(n))));
  }

  picked(some) {
    some.sort((a, b) => Number(isTypical(b)) - Number(isTypical(a)) || a - b);
    return [
      el("h2", {}, t("selected", { n: some.length }), button(t("select.clear"), clearSelection, { class: "link" })),
      gallery(some, { open: openPhoto, event: true }),
    ];
  }
}

function largestFirst() {
  return book.events.map((_, event) => event).sort((a, b) => photosOf(b).length - photosOf(a).length);
}

function isApart(one, other) {
  return one.right + GAP < other.left || other.right + GAP < one.left || one.bottom < other.top || other.bottom < one.top;
}

function absent() {
  const n = photos.x.filter((x) => x === null).length;
  return n ? ` ${t("map.absent", { n })}` : "";
}
