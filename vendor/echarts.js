// The parts of ECharts that the page uses; `make vendor` joins them to one file.
import { ScatterChart } from "echarts/charts";
import { GridComponent } from "echarts/components";
import { use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

use([ScatterChart, GridComponent, CanvasRenderer]);

export { init } from "echarts/core";
