// The map: every photo a dot, near others of like words, coloured by its event.

import { NONE, book, eventOf, isTypical, nPhotos, photos, photosOf } from "./book.js";
import { colourOf, gallery, shadeOf, view, words } from "./card.js";
import { button, el, icon } from "./dom.js";
import { openPhoto } from "./photo.js";
import { Scatter } from "./scatter.js";
import { clearSelection, isFiltered, listen, mask, select, selection } from "./state.js";
import { t, titleOf } from "./words.js";

const MANY = 20000; // dots from which a moving map is drawn with fewer pixels
const REST = 160; // milliseconds after which it is drawn in full again
const RINGS = 2000; // selected dots that get a ring; of more, the others step back
const LEGEND = 80; // events in the legend
const LABELS = 14; // on the map
const LABEL_ROOM = 38000; // square pixels of the map for each of them
const GAP = 7; // pixels between titles, and to their dot
const FAR = 4; // pixels that make a press a drag

// Give the view, what begins it when it stands in the page, and what ends it.
export function mapView() {
  const map = new PhotoMap();
  return [map.node, () => map.begin(), () => map.end()];
}

class PhotoMap {
  constructor() {
    const canvas = el("canvas", { class: "dots" });
    this.overlay = el("div", { class: "overlay", "aria-hidden": "true" });
    this.tip = el("div", { class: "tip", "aria-live": "polite", hidden: true });
    this.frame = el("div", { class: "frame", tabindex: 0, role: "application", "aria-label": t("map.label"), "aria-describedby": "map-help" }, canvas, this.overlay, this.tip);
    this.bar = this.tools();
    this.side = el("div", { class: "side" });
    const colour = Uint16Array.from(photos.event, shadeOf);
    this.scatter = new Scatter(canvas, Float32Array.from(photos.x, (x) => x ?? NaN), Float32Array.from(photos.y, (y) => y ?? NaN), colour);
    this.hovered = -1;
    this.lit = null; // the event that the legend points at
    this.brushing = false;
    this.pointers = new Map();
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
    const sizes = new ResizeObserver(() => this.request());
    sizes.observe(this.frame);
    this.stops.push(() => dark.removeEventListener("change", repaint), () => sizes.disconnect());
    this.hear();
    this.colours();
    this.update("book");
  }

  end() {
    clearTimeout(this.resting);
    cancelAnimationFrame(this.asked);
    this.stops.forEach((stop) => stop());
  }

  colours() {
    const style = getComputedStyle(document.documentElement);
    const read = (name) => style.getPropertyValue(name).trim().match(/[\da-f]{2}/gi).map((part) => parseInt(part, 16));
    const palette = Array.from({ length: 13 }, (_, shade) => read(`--e${shade}`));
    this.scatter.paint(palette, read("--card"), read("--ink"));
  }

  update(what) {
    const some = [...selection];
    this.scatter.focus = new Set(some.length > RINGS ? [] : some);
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
    this.scatter.faded = fades ? Uint8Array.from(photos.event, (_, i) => (steps(i) ? 1 : 0)) : null;
  }

  // Draw before the next frame; a moving map of many dots in fewer pixels.
  request(moving = false) {
    clearTimeout(this.resting);
    const quick = moving && this.scatter.order.length > MANY;
    if (quick) this.resting = setTimeout(() => this.request(), REST);
    cancelAnimationFrame(this.asked);
    this.asked = requestAnimationFrame(() => this.draw(quick));
  }

  draw(quick) {
    const { clientWidth, clientHeight } = this.frame;
    const ratio = quick ? 1 : Math.min(2, devicePixelRatio);
    const { canvas } = this.scatter;
    if (canvas.width !== Math.round(clientWidth * ratio) || canvas.height !== Math.round(clientHeight * ratio) || ratio !== this.scatter.ratio) {
      this.scatter.resize(clientWidth, clientHeight, ratio);
    }
    this.scatter.draw();
    if (!quick) this.label();
    this.overlay.classList.toggle("moving", quick);
    this.mark();
  }

  // Titles of the largest events, beside their middle, where there is room.
  label() {
    const named = largestFirst().slice(0, 2 * LABELS).map((event) => [event, el("span", { class: colourOf(event), dir: "auto" }, titleOf(book.events[event]))]);
    this.overlay.replaceChildren(...named.map(([, name]) => name), this.ring ?? "", this.area ?? "");
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
    const half = (column) => own.map((i) => column[i]).sort((a, b) => a - b)[own.length >> 1];
    const x = half(photos.x);
    const y = half(photos.y);
    const near = own.reduce((best, i) => (far(i, x, y) < far(best, x, y) ? i : best));
    return this.scatter.place(near);
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
      tool("map.home", "home", () => (this.scatter.home(), this.request())),
      this.brush,
    );
  }

  setBrush(on) {
    this.brushing = on;
    this.brush.setAttribute("aria-pressed", String(on));
    this.frame.classList.toggle("brushing", on);
  }

  zoom(factor, left = this.frame.clientWidth / 2, top = this.frame.clientHeight / 2) {
    this.scatter.zoomBy(factor, left, top);
    this.request(true);
  }

  hear() {
    const { frame } = this;
    const at = (event) => {
      const box = frame.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    frame.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0016)), ...at(event));
    }, { passive: false });
    frame.addEventListener("pointerdown", (event) => this.press(event, at(event)));
    frame.addEventListener("pointermove", (event) => this.drag(event, at(event)));
    frame.addEventListener("pointerup", (event) => this.lift(event, at(event)));
    frame.addEventListener("pointercancel", (event) => (this.pointers.delete(event.pointerId), (this.from = null)));
    frame.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && this.hover(-1));
    frame.addEventListener("dblclick", (event) => this.open(this.scatter.nearest(...at(event))));
    frame.addEventListener("keydown", (event) => this.key(event));
  }

  press(event, at) {
    this.frame.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, at);
    this.from = this.pointers.size === 1 ? { at, moved: false, brush: this.brushing || event.shiftKey } : null;
  }

  drag(event, at) {
    const before = this.pointers.get(event.pointerId);
    if (!before) {
      this.hover(this.scatter.nearest(...at));
      return;
    }
    if (this.pointers.size === 2) this.pinch(event.pointerId, before, at);
    this.pointers.set(event.pointerId, at);
    if (!this.from) return;
    this.from.moved ||= Math.hypot(at[0] - this.from.at[0], at[1] - this.from.at[1]) > FAR;
    if (!this.from.moved) return;
    if (this.from.brush) this.stretch(this.from.at, at);
    else {
      this.scatter.panBy(at[0] - before[0], at[1] - before[1]);
      this.request(true);
    }
  }

  pinch(id, before, at) {
    const [other] = [...this.pointers].filter(([each]) => each !== id).map(([, place]) => place);
    const apart = (place) => Math.hypot(place[0] - other[0], place[1] - other[1]) || 1;
    this.zoom(apart(at) / apart(before), (at[0] + other[0]) / 2, (at[1] + other[1]) / 2);
  }

  stretch(from, to) {
    this.area ??= this.overlay.appendChild(el("div", { class: "area" }));
    const [left, right] = [from[0], to[0]].sort((a, b) => a - b);
    const [top, bottom] = [from[1], to[1]].sort((a, b) => a - b);
    Object.assign(this.area.style, { left: `${left}px`, top: `${top}px`, width: `${right - left}px`, height: `${bottom - top}px` });
    this.rectangle = [left, top, right, bottom];
  }

  lift(event, at) {
    this.pointers.delete(event.pointerId);
    const { from } = this;
    this.from = null;
    if (!from) return;
    if (from.moved && from.brush) this.pickArea(event.shiftKey || event.ctrlKey);
    if (from.moved) return;
    const photo = this.scatter.nearest(...at);
    this.pick(photo, event.ctrlKey || event.metaKey || event.shiftKey);
    this.hover(photo); // a finger points at nothing before
  }

  pickArea(more) {
    const found = this.scatter.inside(...this.rectangle).filter((photo) => mask[photo]);
    this.area?.remove();
    this.area = null;
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
      0: () => (this.scatter.home(), this.request()),
      Enter: () => this.open(this.hovered),
      " ": () => this.hovered >= 0 && this.pick(this.hovered, true),
      Escape: () => clearSelection(),
    };
    if (!step && !acts[event.key]) return;
    event.preventDefault();
    if (!step) acts[event.key]();
    else if (event.shiftKey) (this.scatter.panBy(-60 * step[0], -60 * step[1]), this.request(true));
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

function far(photo, x, y) {
  return (photos.x[photo] - x) ** 2 + (photos.y[photo] - y) ** 2;
}

function absent() {
  const n = photos.x.filter((x) => x === null).length;
  return n ? ` ${t("map.absent", { n })}` : "";
}
