// The book as it came with the page: photos in columns, by time, and events; and its pictures.

export function parsed(id) {
  return JSON.parse(document.getElementById(id).textContent);
}

export const book = parsed("book");
export const photos = book.photos;
export const nPhotos = photos.id.length;
export const live = book.live;

// What stands in photos.event where there is no event.
export const NONE = { "-1": "noise", "-2": "new", "-3": "wordless" };

let members = [];
let typical = new Set();

let idOf = photos.event; // as it came; photos.event is the place in book.events

// Take what a correction changed; the photos are the same.
export function take({ changed, events, order, ...said }) {
  for (const [name, [places, values]] of Object.entries(changed)) {
    const column = name === "event" ? idOf : photos[name];
    places.forEach((photo, i) => (column[photo] = values[i]));
  }
  const known = new Map([...book.events, ...events].map((event) => [event.id, event]));
  Object.assign(book, said, { events: order.map((id) => known.get(id)) });
  arrange();
}

export function arrange() {
  const places = new Map(book.events.map((event, place) => [event.id, place]));
  photos.event = idOf.map((id) => places.get(id) ?? id);
  members = book.events.map(() => []);
  photos.event.forEach((event, photo) => event >= 0 && members[event].push(photo));
  // No more than a third of an event is called typical of it.
  const few = (event, number) => event.typical.slice(0, Math.ceil(members[number].length / 3));
  typical = new Set(book.events.flatMap(few));
}

// The photos of an event, in the order of time.
export function photosOf(event) {
  return members[event];
}

export function isTypical(photo) {
  return typical.has(photo);
}

export function eventOf(photo) {
  return photos.event[photo] >= 0 ? book.events[photos.event[photo]] : null;
}

export function textOf(photo) {
  return photos.memory[photo] ?? photos.caption[photo];
}

export function sourceOf(photo) {
  if (photos.memory[photo] !== null) return "memory";
  return photos.caption[photo] !== null ? "caption" : "wordless";
}

export function coverOf(event) {
  const own = photosOf(event);
  const faces = [...book.events[event].typical, ...own];
  return faces.find((photo) => photos.picture[photo]) ?? own[0];
}

// The address of a photo's picture; null where it has none, undefined where it is still to come.
export function picture(photo, size = "small") {
  if (!photos.picture[photo]) return null;
  const id = encodeURIComponent(photos.id[photo]);
  if (live) return size === "large" ? `photo/${id}` : `thumbnail/${id}`;
  if (book.folder) return `${book.folder}/${id}.webp`;
  const held = document.getElementById(`p${photo}`);
  return held ? `data:image/webp;base64,${held.textContent}` : undefined;
}

arrange();
