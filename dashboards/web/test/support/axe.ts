// What axe has against the page as it is.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export async function violations(page: Page): Promise<string[]> {
  // In a world of its own: the page's policy holds for the page.
  const session = await page.context().newCDPSession(page);
  const { frameTree } = await session.send("Page.getFrameTree");
  const { executionContextId: contextId } = await session.send("Page.createIsolatedWorld", { frameId: frameTree.frame.id, worldName: "axe" });
  await session.send("Runtime.evaluate", { contextId, expression: AXE });
  const { result, exceptionDetails } = await session.send("Runtime.evaluate", {
    contextId, awaitPromise: true, returnByValue: true,
    expression: "axe.run(document).then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target} ${node.failureSummary} ${node.html.slice(0, 160)}`)))",
  });
  assert.equal(exceptionDetails, undefined);
  await session.detach();
  return result.value as string[];
}
