// Times for eyes, case by case.

import assert from "node:assert/strict";
import { test } from "node:test";

import { ageText, clockText, countdownText, dateTimeText, delayText, lateText, writtenTime } from "../../src/text/times.js";

const AT = Date.parse("2026-11-20T14:30:05.351Z");

test("clocks", () => {
  assert.equal(clockText(AT, "utc"), "14:30:05");
  assert.equal(clockText(AT, "utc", true), "14:30:05.351");
  assert.equal(dateTimeText(AT, "utc"), "2026-11-20 14:30:05");
  const date = new Date(AT);
  assert.equal(clockText(AT, "local").slice(0, 2), String(date.getHours()).padStart(2, "0"));
});

test("what somebody writes", () => {
  const check = (text: string, time: string): void => assert.equal(writtenTime(text, AT, "utc"), Date.parse(time), text);
  check("14:31", "2026-11-20T14:31:00Z");
  check("9:05:07", "2026-11-20T09:05:07Z");
  check("2026-11-19 23:59:59.5", "2026-11-19T23:59:59.500Z");
  check("2026-11-19T23:59", "2026-11-19T23:59:00Z");
  for (const text of ["", "yesterday", "25", "2026-11-19"]) assert.ok(Number.isNaN(writtenTime(text, AT, "utc")), text);
});

test("how long", () => {
  assert.deepEqual([42_000, 725_000, 3_723_000, -5].map(countdownText), ["0:42", "12:05", "1:02:03", "0:00"]);
  assert.deepEqual([300, 12_900, 180_000, 7_200_000, 4e8].map(ageText), ["<1s", "12s", "3m", "2h", "4d"]);
  assert.deepEqual([-1, 3.14, 120.4, 1400].map(delayText), ["0.0 ms", "3.1 ms", "120 ms", "1.4 s"]);
  assert.deepEqual([3000, 60_000, 90_000, 900_000, 3_610_000].map(lateText), ["3 s", "1 min", "90 s", "15 min", "60 min"]);
});
