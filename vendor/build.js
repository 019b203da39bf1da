// Join the parts of each library that the page uses to one script, with their licences at its head.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const OUTPUT = "../rememberai/report/assets/vendor";
const LIBRARIES = { d3: "D3, https://d3js.org", echarts: "Apache ECharts, https://echarts.apache.org" };

for (const [library, title] of Object.entries(LIBRARIES)) {
  const { metafile, outputFiles } = await build({
    entryPoints: [`${library}.js`],
    bundle: true,
    minify: true,
    format: "iife",
    globalName: library,
    target: "es2022",
    legalComments: "none", // the licences stand whole at the head
    metafile: true,
    write: false,
  });
  const head = `/*! ${title}; built by \`make vendor\`, not to be edited.\n\n${licences(metafile).join("\n\n")}\n*/\n`;
  writeFileSync(`${OUTPUT}/${library}.js`, head + outputFiles[0].text);
}

// The packages that are in a script, under the text of their licence and notice.
function licences(metafile) {
  const [{ inputs }] = Object.values(metafile.outputs);
  const used = Object.entries(inputs).filter(([, { bytesInOutput }]) => bytesInOutput);
  const packages = new Set(used.map(([path]) => path.match(/^node_modules\/([^/]+)\//)?.[1]).filter(Boolean));
  const under = new Map();
  for (const name of [...packages].sort()) {
    const { version } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8"));
    const licence = ["LICENSE", "LICENSE.txt", "NOTICE"].map((file) => text(`node_modules/${name}/${file}`)).filter(Boolean).join("\n\n");
    under.set(licence, [...(under.get(licence) ?? []), `${name} ${version}`]);
  }
  return [...under].map(([licence, names]) => `${names.join(", ")}\n\n${licence}`);
}

function text(path) {
  return existsSync(path) ? readFileSync(path, "utf8").trim().replaceAll("*/", "* /") : "";
}
