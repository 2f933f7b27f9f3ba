// Numbers for eyes, case by case.

import assert from "node:assert/strict";
import { test } from "node:test";

import { columnDigits, compactDigits, fixedDigits, groupDigits, marksOf, readDigits, signedDigits, trimZeros } from "../../src/text/numbers.js";

const EN = marksOf("en");
const DE = marksOf("de");

test("digits are grouped as languages do, and none is lost", () => {
  const check = (text: string, en: string, de: string): void => assert.deepEqual([groupDigits(text, EN), groupDigits(text, DE)], [en, de]);
  check("0", "0", "0");
  check("68900.50", "68,900.50", "68.900,50");
  check("-1234567.1000", "−1,234,567.1000", "−1.234.567,1000");
  check("123", "123", "123");
  check("9007199254740993.000000000000000001", "9,007,199,254,740,993.000000000000000001", "9.007.199.254.740.993,000000000000000001");
});

test("rounding is half away from zero", () => {
  const check = (text: string, digits: number, shown: string): void => assert.equal(fixedDigits(text, digits, EN), shown);
  check("2.345", 2, "2.35");
  check("-2.345", 2, "−2.35");
  check("1.999", 0, "2");
  check("5", 2, "5.00");
});

test("zeros at the end go, as many as may", () => {
  const check = (text: string, least: number, shown: string): void => assert.equal(trimZeros(text, least), shown);
  check("0.00150000", 0, "0.0015");
  check("12.000", 0, "12");
  check("12.000", 2, "12.00");
  check("1200", 0, "1200");
});

test("large sizes get a letter", () => {
  const check = (text: string, shown: string): void => assert.equal(compactDigits(text, EN), shown);
  check("0.0015", "0.0015");
  check("812.5", "812.5");
  check("99999", "99,999");
  check("123456", "123.5K");
  check("1234567.891", "1.23M");
  check("12345678901", "12.35B");
  check("-250000", "−250.0K");
});

test("sizes of a column have their marks below each other", () => {
  const digits = columnDigits(["0.1000", "0.0235", "12"]);
  assert.equal(digits, 4);
  assert.deepEqual(["0.1000", "12"].map((size) => compactDigits(size, EN, digits)), ["0.1000", "12.0000"]);
  assert.equal(columnDigits(["10", "200"]), 0);
  assert.equal(columnDigits(["0.12345678"]), 4);
});

test("signed numbers say so, but nothing has no sign", () => {
  const check = (text: string, shown: string): void => assert.equal(signedDigits(text, 2, EN), shown);
  check("1.2345", "+1.23");
  check("-1.2345", "−1.23");
  check("-0.001", "0.00");
  check("0", "0.00");
});

test("numbers are read as they are written, and not as something else", () => {
  const check = (text: string, en: string | undefined, de: string | undefined): void => assert.deepEqual([readDigits(text, EN), readDigits(text, DE)], [en, de], text);
  check("68900.50", "68900.50", "68900.50");
  check("68,900.50", "68900.50", undefined);
  check("68.900,50", undefined, "68900.50");
  check("68900,50", undefined, "68900.50");
  check("68.845", "68.845", "68845");
  check("68,845", "68845", "68.845");
  check("1 234 567", "1234567", "1234567");
  // No group begins with a zero.
  check("0.500", "0.500", "0.500");
  check("0,500", undefined, "0.500");
  check("1.5 2", undefined, undefined);
  check("\u22121,5", undefined, "-1.5");
  for (const text of ["", "abc", "1.2.3", "1,2,3", "1e5", "--1"]) check(text, undefined, undefined);
});
