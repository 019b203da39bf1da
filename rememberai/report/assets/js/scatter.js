// A scatter plot on a plain canvas. Where things lie, and which are near, D3 knows; the dots are
// stamped into one array of pixels, which needs no graphics card.

/* global d3 */

const MARGIN = 0.06; // of the canvas, left free around the dots

export class Scatter {
  // x, y: Float32Array, NaN where there is no dot; colour: Uint16Array, a number of the palette.
  constructor(canvas, x, y, colour) {
    Object.assign(this, { canvas, x, y, colour });
    this.context = canvas.getContext("2d", { alpha: false });
    this.palette = [];
    this.faded = null; // Uint8Array: 1 for a dot that steps back
    this.focus = new Set(); // dots that stand out
    this.order = places(x);
    this.tree = d3.quadtree(this.order, (dot) => x[dot], (dot) => y[dot]);
    this.bounds = [x, y].map((axis) => (this.order.length ? d3.extent(this.order, (dot) => axis[dot]) : [0, 1]));
    this.transform = d3.zoomIdentity; // of D3: from the plot at rest to what is shown, in CSS pixels
  }

  // palette: colours [r, g, b] of the dots; ground: that of the paper; ink: that of a ring.
  paint(palette, ground, ink) {
    const mix = (colour) => colour.map((c, i) => Math.round(0.22 * c + 0.78 * ground[i]));
    this.palette = Int32Array.from(palette, pack);
    this.pale = Int32Array.from(palette, (colour) => pack(mix(colour)));
    this.ground = pack(ground);
    this.ink = pack(ink);
  }

  // width, height: of the plot in CSS pixels; ratio: pixels of the canvas for each of them.
  resize(width, height, ratio) {
    const { canvas } = this;
    Object.assign(this, { width, height, ratio });
    canvas.width = Math.max(1, Math.round(width * ratio));
    canvas.height = Math.max(1, Math.round(height * ratio));
    this.image = this.context.createImageData(canvas.width, canvas.height);
    this.pixels = new Int32Array(this.image.data.buffer);
  }

  // CSS pixels of the plot at rest for one unit of the data.
  get scale() {
    const [across, along] = this.bounds.map(([low, high]) => Math.max(high - low, 1e-6));
    return (1 - 2 * MARGIN) * Math.min(this.width / across, this.height / along);
  }

  get radius() {
    const many = Math.max(1.2, Math.min(7, 200 / Math.sqrt(this.order.length + 1)));
    return this.ratio * Math.min(11, many * Math.sqrt(this.transform.k));
  }

  // A point of the data in CSS pixels of the plot at rest.
  rest(x, y) {
    const { scale, bounds } = this;
    return [(x - mean(bounds[0])) * scale + this.width / 2, (mean(bounds[1]) - y) * scale + this.height / 2];
  }

  // Where a dot lies, in CSS pixels of the canvas.
  place(dot) {
    return this.transform.apply(this.rest(this.x[dot], this.y[dot]));
  }

  // The point of the data under a place in CSS pixels.
  under(left, top) {
    const { scale, bounds } = this;
    const [x, y] = this.transform.invert([left, top]);
    return [mean(bounds[0]) + (x - this.width / 2) / scale, mean(bounds[1]) - (y - this.height / 2) / scale];
  }

  draw() {
    const { pixels, faded, focus, radius } = this;
    pixels.fill(this.ground);
    const dot = stamp(radius);
    if (faded) {
      this.drawDots(dot, this.pale, this.order.filter((i) => faded[i]));
      this.drawDots(dot, this.palette, this.order.filter((i) => !faded[i]));
    } else {
      this.drawDots(dot, this.palette, this.order);
    }
    if (focus.size) {
      const dots = this.order.filter((i) => focus.has(i));
      const ink = new Int32Array(this.palette.length).fill(this.ink);
      this.drawDots(stamp(radius + 3 * this.ratio), ink, dots);
      this.drawDots(stamp(radius + this.ratio), this.palette, dots);
    }
    this.context.putImageData(this.image, 0, 0);
  }

  drawDots(dot, palette, dots) {
    const { x, y, colour, pixels, ratio, transform } = this;
    const { width, height } = this.canvas;
    const scale = this.scale * transform.k * ratio;
    const [x0, y0] = transform.apply(this.rest(0, 0)).map((place) => place * ratio);
    const { core, edge, share, reach } = offsets(dot, width);
    for (let at = 0; at < dots.length; at += 1) {
      const i = dots[at];
      const left = Math.round(x0 + x[i] * scale);
      const top = Math.round(y0 - y[i] * scale);
      if (left < reach || top < reach || left >= width - reach || top >= height - reach) continue;
      const place = top * width + left;
      const pixel = palette[colour[i]];
      for (let k = 0; k < core.length; k += 1) pixels[place + core[k]] = pixel;
      for (let k = 0; k < edge.length; k += 1) {
        pixels[place + edge[k]] = blend(pixels[place + edge[k]], pixel, share[k]);
      }
    }
  }

  // The dot nearest to a place in CSS pixels, at most `within` of them away; -1 for none.
  nearest(left, top, within = 14) {
    return this.tree.find(...this.under(left, top), within / (this.scale * this.transform.k)) ?? -1;
  }

  // The dots in a rectangle of CSS pixels.
  inside(left, top, right, bottom) {
    const { x, y } = this;
    const [x0, y1] = this.under(left, top);
    const [x1, y0] = this.under(right, bottom);
    const found = [];
    this.tree.visit((node, fromX, fromY, toX, toY) => {
      for (let leaf = node.length ? null : node; leaf; leaf = leaf.next) {
        const i = leaf.data;
        if (x[i] >= x0 && x[i] <= x1 && y[i] >= y0 && y[i] <= y1) found.push(i);
      }
      return fromX > x1 || fromY > y1 || toX < x0 || toY < y0;
    });
    return found;
  }
}

function mean([low, high]) {
  return (low + high) / 2;
}

function places(x) {
  const there = [];
  for (let i = 0; i < x.length; i += 1) if (!Number.isNaN(x[i])) there.push(i);
  return Uint32Array.from(there);
}

// The pixels of a disc: [dx, dy, share of the pixel that it covers].
function stamp(radius) {
  const reach = Math.ceil(radius) + 1;
  const found = [];
  for (let dy = -reach; dy <= reach; dy += 1) {
    for (let dx = -reach; dx <= reach; dx += 1) {
      const share = Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(dx, dy)));
      if (share > 0.05) found.push([dx, dy, share]);
    }
  }
  return { found, reach };
}

// The same as offsets into an array of rows of that width: those covered whole, and the edge.
function offsets({ found, reach }, width) {
  const at = ([dx, dy]) => dy * width + dx;
  const whole = found.filter(([, , share]) => share > 0.95);
  const part = found.filter(([, , share]) => share <= 0.95);
  return {
    core: Int32Array.from(whole, at),
    edge: Int32Array.from(part, at),
    share: Uint16Array.from(part, ([, , share]) => Math.round(256 * share)),
    reach,
  };
}

// Little-endian RGBA, as every browser's machine has it.
function pack([red, green, blue]) {
  return (255 << 24) | (blue << 16) | (green << 8) | red;
}

function blend(under, over, share) {
  const keep = 256 - share;
  const redBlue = (((under & 0xff00ff) * keep + (over & 0xff00ff) * share) >>> 8) & 0xff00ff;
  const green = (((under & 0x00ff00) * keep + (over & 0x00ff00) * share) >>> 8) & 0x00ff00;
  return (255 << 24) | redBlue | green;
}
