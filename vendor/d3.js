// The parts of D3 that the page uses; `make vendor` joins them to one file.
export { extent, least, median } from "d3-array";
export { brush } from "d3-brush";
export { interpolateRgb } from "d3-interpolate";
export { quadtree } from "d3-quadtree";
export { pointer, select } from "d3-selection";
export { zoom, zoomIdentity } from "d3-zoom";
