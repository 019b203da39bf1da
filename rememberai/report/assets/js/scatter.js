// A scatter plot. Where things lie, and which are near, D3 knows; ECharts draws the dots.

/* global d3, echarts */

const MARGIN = 0.06; // of the plot, left free around the dots
const PALE = 0.78; // of the paper's colour in that of a dot that steps back
const RING = 3; // pixels around a dot that stands out, of which the last two are ink

export class Scatter {
  // x, y: Float32Array, NaN where there is no dot; colour: Uint16Array, a number of the palette.
  constructor(node, x, y, colour) {
    Object.assign(this, { node, x, y, colour });
    this.chart = echarts.init(node, null, { width: 1, height: 1, devicePixelRatio: Math.min(2, devicePixelRatio) });
    this.chart.setOption({ animation: false, grid: { left: 0, top: 0, right: 0, bottom: 0 }, xAxis: { show: false }, yAxis: { show: false } });
    this.order = places(x);
    this.tree = d3.quadtree(this.order, (dot) => x[dot], (dot) => y[dot]);
    this.bounds = [x, y].map((axis) => (this.order.length ? d3.extent(this.order, (dot) => axis[dot]) : [0, 1]));
    // Of D3: from the plot at rest to what is shown, and to what was drawn last, in CSS pixels.
    this.transform = this.drawn = d3.zoomIdentity;
    this.all = this.byColour(this.order);
    this.show(null, new Set());
  }

  // palette: colours of the dots; ground: that of the paper; ink: that of a ring.
  paint(palette, ground, ink) {
    const pale = palette.map((colour) => d3.interpolateRgb(colour, ground)(PALE));
    Object.assign(this, { palette, pale, ink: palette.map(() => ink) });
  }

  // faded: Uint8Array, 1 for a dot that steps back, or null; focus: set of the dots that stand out.
  show(faded, focus) {
    const some = (is) => this.byColour(this.order.filter(is));
    const ahead = focus.size ? some((dot) => focus.has(dot)) : [];
    this.layers = [
      [faded ? "pale" : "palette", 0, this.all],
      ["palette", 0, faded ? some((dot) => !faded[dot]) : []],
      ["ink", RING, ahead],
      ["palette", RING - 2, ahead],
    ];
  }

  // The dots of each colour, as coordinates one after another; the palette's last lies lowest.
  byColour(dots) {
    const groups = new Map();
    for (const dot of dots) {
      const shade = this.colour[dot];
      if (!groups.has(shade)) groups.set(shade, []);
      groups.get(shade).push(this.x[dot], this.y[dot]);
    }
    const colours = [...groups.keys()].sort((one, other) => other - one);
    return colours.map((shade) => [shade, Float32Array.from(groups.get(shade))]);
  }

  // width, height: of the plot in CSS pixels.
  resize(width, height) {
    Object.assign(this, { width, height });
    this.chart.resize({ width, height });
  }

  // CSS pixels of the plot at rest for one unit of the data.
  get scale() {
    const [across, along] = this.bounds.map(([low, high]) => Math.max(high - low, 1e-6));
    return (1 - 2 * MARGIN) * Math.min(this.width / across, this.height / along);
  }

  get radius() {
    const many = Math.max(1.2, Math.min(7, 200 / Math.sqrt(this.order.length + 1)));
    return Math.min(11, many * Math.sqrt(this.transform.k));
  }

  // A point of the data in CSS pixels of the plot at rest.
  rest(x, y) {
    const { scale, bounds } = this;
    return [(x - mean(bounds[0])) * scale + this.width / 2, (mean(bounds[1]) - y) * scale + this.height / 2];
  }

  // Where a dot lies, in CSS pixels of the plot.
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
    const { chart, layers, radius, transform } = this;
    const [left, top] = this.under(0, 0);
    const [right, bottom] = this.under(this.width, this.height);
    const series = layers.flatMap(([colours, more, groups]) =>
      groups.map(([shade, data]) => ({ type: "scatter", data, dimensions: ["x", "y"], large: true, largeThreshold: 0, progressive: 0, silent: true, symbolSize: 2 * (radius + more), itemStyle: { color: this[colours][shade], opacity: 1 } })),
    );
    chart.setOption({ xAxis: { min: left, max: right }, yAxis: { min: bottom, max: top }, series }, { replaceMerge: "series", silent: true });
    chart.getZr().flush();
    this.drawn = transform;
    this.move();
  }

  // Put what was drawn last where it belongs now: all that a moving map of many dots has time for.
  move() {
    const [left, top, k] = this.away();
    this.node.style.transform = `translate(${left}px, ${top}px) scale(${k})`;
  }

  // Whether it is neither too coarse there, nor a third of the plot empty beside it.
  serves() {
    const [left, top, k] = this.away();
    const fills = (start, size) => start < size / 3 && start + k * size > (2 * size) / 3;
    return k <= 2 && fills(left, this.width) && fills(top, this.height);
  }

  // Where what was drawn last begins now, in CSS pixels of the plot, and how large it is.
  away() {
    const { drawn, transform } = this;
    const k = transform.k / drawn.k;
    return [transform.x - k * drawn.x, transform.y - k * drawn.y, k];
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
