// Copies the icons listed in icons.txt out of lucide-static into one SVG sprite with its licence.
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const source = join(here, "node_modules/lucide-static");
const target = join(here, "../static/vendor/lucide");
const version = JSON.parse(readFileSync(join(source, "package.json"), "utf8")).version;

function symbol(name) {
  const svg = readFileSync(join(source, "icons", `${name}.svg`), "utf8");
  const shapes = svg.slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>"));
  return `<symbol id="${name}" viewBox="0 0 24 24">${shapes.replace(/\s+/g, " ").trim()}</symbol>`;
}

const names = readFileSync(join(here, "icons.txt"), "utf8").split(/\s+/).filter(Boolean).sort();
const sprite = [
  `<!-- lucide-static ${version}, ISC; see LICENSE beside this file -->`,
  `<svg xmlns="http://www.w3.org/2000/svg">`,
  ...names.map(symbol),
  `</svg>`,
  "",
].join("\n");
writeFileSync(join(target, "icons.svg"), sprite);
copyFileSync(join(source, "LICENSE"), join(target, "LICENSE"));
