// The words of the page: each language has all of them, with the same values to fill in.

import assert from "node:assert/strict";
import { test } from "node:test";

import { de } from "../../src/text/de.js";
import { en } from "../../src/text/en.js";

const values = (text: string): string => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort().join(" ");

test("both languages have the same texts", () => {
  assert.deepEqual(Object.keys(de), Object.keys(en));
  for (const key of Object.keys(en) as (keyof typeof en)[]) {
    assert.notEqual(de[key], "", key);
    assert.equal(values(de[key]), values(en[key]), key);
  }
});
