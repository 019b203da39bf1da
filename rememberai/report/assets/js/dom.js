// How the page is built: by nodes and their text alone, so that no data is ever read as markup.

const SVG = "http://www.w3.org/2000/svg";

// Make an element; `on…` properties are listeners, the others are attributes.
export function el(tag, properties = {}, ...children) {
  return filled(document.createElement(tag), properties, children);
}

// An icon of 24 by 24, drawn by strokes.
export function icon(name) {
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  const drawing = document.createElementNS(SVG, "svg");
  return filled(drawing, { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" }, [path]);
}

export function button(label, onclick, properties = {}, ...children) {
  return el("button", { type: "button", onclick, ...properties }, ...(children.length ? children : [label]));
}

function filled(node, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

const ICONS = {
  back: "M15 5l-7 7 7 7",
  next: "M9 5l7 7-7 7",
  close: "M6 6l12 12M18 6L6 18",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  home: "M4 11l8-7 8 7M6 10v10h12V10",
  brush: "M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4",
  check: "M5 12.5l4.5 4.5L19 7.5",
  search: "M10.5 17a6.5 6.5 0 1 1 0-13 6.5 6.5 0 0 1 0 13zM15.5 15.5L21 21",
  typical: "M12 4l2.4 5.2 5.6.6-4.2 3.8 1.2 5.6-5-2.9-5 2.9 1.2-5.6L4 9.800l5.6-.6z",
  memory: "M5 19l1-4L16 5l3 3L9 18l-4 1z",
  caption: "M6 7h12v10H6zM9.500 11v1.500M14.500 11v1.500M12 7V4",
};
