// Join the parts of D3 that the page uses to one script, with their licences at its head.

import { readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const OUTPUT = "../rememberai/report/assets/vendor/d3.js";

const { metafile, outputFiles } = await build({
  entryPoints: ["d3.js"],
  bundle: true,
  minify: true,
  format: "iife",
  globalName: "d3",
  target: "es2022",
  legalComments: "none", // the licences stand whole at the head
  metafile: true,
  write: false,
});

const [{ inputs }] = Object.values(metafile.outputs);
const used = Object.entries(inputs).filter(([, { bytesInOutput }]) => bytesInOutput);
const packages = new Set(used.map(([path]) => path.match(/^node_modules\/([^/]+)\//)?.[1]).filter(Boolean));
const under = new Map(); // packages by the text of their licence
for (const name of [...packages].sort()) {
  const { version } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8"));
  const licence = readFileSync(`node_modules/${name}/LICENSE`, "utf8").trim();
  under.set(licence, [...(under.get(licence) ?? []), `${name} ${version}`]);
}
const notices = [...under].map(([licence, names]) => `${names.join(", ")}\n\n${licence}`);
const head = `/*! D3, https://d3js.org; built by \`make vendor\`, not to be edited.\n\n${notices.join("\n\n")}\n*/\n`;
writeFileSync(OUTPUT, head + outputFiles[0].text);
