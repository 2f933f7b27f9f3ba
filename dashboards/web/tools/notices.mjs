// The licences of what is bundled: of each package that gave a file, its name, version and texts.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export function notices(inputs) {
  const folders = new Set();
  for (const name of Object.keys(inputs)) {
    const found = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(name);
    if (found !== null) folders.add(found[1]);
  }
  // It is reached through a link of the workspace, and bundles nothing else.
  const parts = [...folders].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const texts = readdirSync(folder)
      .filter((file) => /^(licen[cs]e|notice|copying)/i.test(file))
      .map((file) => readFileSync(join(folder, file), "utf8").trim());
    return [`${name} ${version} (${license})`, ...texts].join("\n\n");
  });
  const rule = `\n\n${"-".repeat(80)}\n\n`;
  const head = "What this page is made of besides Tickwire, and under which licences.";
  if (!existsSync("src")) throw new Error("not in the page's folder");
  return `${[head, ...parts].join(rule)}\n`;
}
