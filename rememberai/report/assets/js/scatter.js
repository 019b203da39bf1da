// A scatter plot on a plain canvas: every dot is stamped into one array of pixels, which needs no
// graphics card, and a grid of cells finds the dots near a pointer.

const CELL_DOTS = 4; // dots in a cell of the grid, on the average
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
    this.grid = new Grid(x, y, this.order);
    this.zoom = 1;
    this.centre = [this.grid.centreX, this.grid.centreY];
  }

  // palette: colours [r, g, b] of the dots; ground: that of the paper; ink: that of a ring.
  paint(palette, ground, ink) {
    const mix = (colour) => colour.map((c, i) => Math.round(0.22 * c + 0.78 * ground[i]));
    this.palette = Int32Array.from(palette, pack);
    this.pale = Int32Array.from(palette, (colour) => pack(mix(colour)));
    this.ground = pack(ground);
    this.ink = pack(ink);
  }

  resize(width, height, ratio) {
    const { canvas } = this;
    this.ratio = ratio;
    canvas.width = Math.max(1, Math.round(width * ratio));
    canvas.height = Math.max(1, Math.round(height * ratio));
    this.image = this.context.createImageData(canvas.width, canvas.height);
    this.pixels = new Int32Array(this.image.data.buffer);
  }

  // Pixels of the canvas for one unit of the data.
  get scale() {
    const { width, height } = this.canvas;
    const room = 1 - 2 * MARGIN;
    return this.zoom * Math.min((room * width) / this.grid.width, (room * height) / this.grid.height);
  }

  get radius() {
    const many = Math.max(1.2, Math.min(7, 200 / Math.sqrt(this.order.length + 1)));
    return this.ratio * Math.min(11, many * Math.sqrt(this.zoom));
  }

  // Where a dot lies, in CSS pixels of the canvas.
  place(dot) {
    const { scale, ratio } = this;
    return [
      ((this.x[dot] - this.centre[0]) * scale + this.canvas.width / 2) / ratio,
      ((this.centre[1] - this.y[dot]) * scale + this.canvas.height / 2) / ratio,
    ];
  }

  // The point of the data under a place in CSS pixels.
  under(left, top) {
    const { scale, ratio } = this;
    return [
      this.centre[0] + (left * ratio - this.canvas.width / 2) / scale,
      this.centre[1] - (top * ratio - this.canvas.height / 2) / scale,
    ];
  }

  zoomBy(factor, left, top) {
    const [x, y] = this.under(left, top);
    const before = this.zoom;
    this.zoom = Math.max(0.5, Math.min(400, this.zoom * factor));
    const kept = before / this.zoom;
    this.centre = [x + (this.centre[0] - x) * kept, y + (this.centre[1] - y) * kept];
  }

  panBy(left, top) {
    const step = this.ratio / this.scale;
    this.centre = [this.centre[0] - left * step, this.centre[1] + top * step];
  }

  home() {
    this.zoom = 1;
    this.centre = [this.grid.centreX, this.grid.centreY];
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
    const { x, y, colour, scale, pixels } = this;
    const { width, height } = this.canvas;
    const [cx, cy] = this.centre;
    const { core, edge, share, reach } = offsets(dot, width);
    for (let at = 0; at < dots.length; at += 1) {
      const i = dots[at];
      const left = Math.round((x[i] - cx) * scale + width / 2);
      const top = Math.round((cy - y[i]) * scale + height / 2);
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
    const [x, y] = this.under(left, top);
    return this.grid.nearest(x, y, (within * this.ratio) / this.scale);
  }

  // The dots in a rectangle of CSS pixels.
  inside(left, top, right, bottom) {
    const [x0, y1] = this.under(left, top);
    const [x1, y0] = this.under(right, bottom);
    return this.grid.inside(x0, y0, x1, y1);
  }
}

class Grid {
  constructor(x, y, order) {
    let [x0, x1, y0, y1] = [Infinity, -Infinity, Infinity, -Infinity];
    for (const i of order) {
      x0 = Math.min(x0, x[i]);
      x1 = Math.max(x1, x[i]);
      y0 = Math.min(y0, y[i]);
      y1 = Math.max(y1, y[i]);
    }
    if (!order.length) [x0, x1, y0, y1] = [0, 1, 0, 1];
    this.width = Math.max(x1 - x0, 1e-6);
    this.height = Math.max(y1 - y0, 1e-6);
    this.centreX = (x0 + x1) / 2;
    this.centreY = (y0 + y1) / 2;
    this.side = Math.max(1, Math.ceil(Math.sqrt(order.length / CELL_DOTS)));
    Object.assign(this, { x, y, x0, y0 });
    this.fill(order);
  }

  fill(order) {
    const cells = Array.from(order, (i) => this.cell(this.x[i], this.y[i]));
    this.starts = new Uint32Array(this.side * this.side + 1);
    for (const cell of cells) this.starts[cell + 1] += 1;
    for (let cell = 0; cell < this.side * this.side; cell += 1) {
      this.starts[cell + 1] += this.starts[cell];
    }
    const next = this.starts.slice();
    this.dots = new Uint32Array(order.length);
    cells.forEach((cell, at) => {
      this.dots[next[cell]] = order[at];
      next[cell] += 1;
    });
  }

  column(x) {
    return clamp(Math.floor(((x - this.x0) / this.width) * this.side), this.side);
  }

  row(y) {
    return clamp(Math.floor(((y - this.y0) / this.height) * this.side), this.side);
  }

  cell(x, y) {
    return this.row(y) * this.side + this.column(x);
  }

  nearest(x, y, within) {
    let [best, least] = [-1, within * within];
    for (let row = this.row(y - within); row <= this.row(y + within); row += 1) {
      const first = this.starts[row * this.side + this.column(x - within)];
      const last = this.starts[row * this.side + this.column(x + within) + 1];
      for (let at = first; at < last; at += 1) {
        const i = this.dots[at];
        const far = (this.x[i] - x) ** 2 + (this.y[i] - y) ** 2;
        if (far < least) [best, least] = [i, far];
      }
    }
    return best;
  }

  inside(x0, y0, x1, y1) {
    const { x, y } = this;
    const found = [];
    for (let row = this.row(y0); row <= this.row(y1); row += 1) {
      const first = this.starts[row * this.side + this.column(x0)];
      const last = this.starts[row * this.side + this.column(x1) + 1];
      for (let at = first; at < last; at += 1) {
        const i = this.dots[at];
        if (x[i] >= x0 && x[i] <= x1 && y[i] >= y0 && y[i] <= y1) found.push(i);
      }
    }
    return found;
  }
}

function places(x) {
  const there = [];
  for (let i = 0; i < x.length; i += 1) if (!Number.isNaN(x[i])) there.push(i);
  return Uint32Array.from(there);
}

function clamp(cell, side) {
  return Math.max(0, Math.min(side - 1, cell));
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
