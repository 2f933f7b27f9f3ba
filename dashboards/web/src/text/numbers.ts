// Numbers for eyes: digits of exact decimal texts, grouped as a language does. No float is made of a price or a size.

import { type Decimal, formatDecimal, fractionDigits, isDecimal } from "@tickwire/client";

export interface Marks {
  group: string;
  decimal: string;
}

const MINUS = "\u2212";

/** How a language writes numbers. */
export function marksOf(language: string): Marks {
  const parts = new Intl.NumberFormat(language, { useGrouping: true }).formatToParts(1234567.5);
  const find = (type: string): string | undefined => parts.find((part) => part.type === type)?.value;
  return { group: find("group") ?? ",", decimal: find("decimal") ?? "." };
}

/** The same digits, all of them, with marks. */
export function groupDigits(text: Decimal, marks: Marks): string {
  const negative = text.startsWith("-");
  const [whole = "", fraction] = (negative ? text.slice(1) : text).split(".");
  let grouped = "";
  for (let end = whole.length; end > 0; end -= 3) {
    const part = whole.slice(Math.max(0, end - 3), end);
    grouped = grouped === "" ? part : part + marks.group + grouped;
  }
  return (negative ? MINUS : "") + grouped + (fraction === undefined ? "" : marks.decimal + fraction);
}

/** A number as somebody writes it by the marks of a language, or with a dot; `undefined` where it is none, or could be two. */
export function readDigits(text: string, { group, decimal }: Marks): Decimal | undefined {
  const bare = text.trim().replace(/^[\u2212\u2013]/, "-").replaceAll(/(?<=\d)[ \u00a0\u202f'\u2019](?=\d{3}(\D|$))/g, "");
  const dots = (digits: string): string => digits.replaceAll(group, "").replace(decimal, ".");
  const escaped = `\\${group}`;
  const isGrouped = new RegExp(`^-?[1-9]\\d{0,2}(${escaped}\\d{3})+(\\${decimal}\\d+)?$`).test(bare);
  const read = isGrouped || !bare.includes(group) ? dots(bare) : bare;
  return isDecimal(read) ? read : undefined;
}

/** A number as it is written into a field. */
export const writeDigits = (text: Decimal, { decimal }: Marks): string => text.replace(".", decimal);

/** With so many digits behind the mark, rounded half away from zero. */
export function fixedDigits(text: Decimal, digits: number, marks: Marks): string {
  return groupDigits(formatDecimal(text, digits), marks);
}

/** Without the zeros at the end of a fraction, but with `least` digits: sizes of one column stay comparable. */
export function trimZeros(text: Decimal, least = 0): Decimal {
  const dot = text.indexOf(".");
  if (dot < 0) return text;
  let end = text.length;
  while (end > dot + 1 + least && text.charCodeAt(end - 1) === 48) end--;
  return text.slice(0, end === dot + 1 ? dot : end);
}

/** How many digits the sizes of a column need behind the mark, at most four: so that the marks stand below each other. */
export function columnDigits(texts: Iterable<Decimal>): number {
  let digits = 0;
  for (const text of texts) digits = Math.max(digits, fractionDigits(trimZeros(text)));
  return Math.min(4, digits);
}

/** A size in a narrow column: as it is where it is short, else with a letter for thousands and more. */
export function compactDigits(text: Decimal, marks: Marks, column?: number): string {
  const negative = text.startsWith("-");
  const [whole = "0"] = (negative ? text.slice(1) : text).split(".");
  const room = Math.max(0, 5 - whole.length);
  if (whole.length < 6) return fixedDigits(text, Math.min(column ?? fractionDigits(trimZeros(text)), column === undefined ? room : 4), marks);
  const thousands = Math.min(4, Math.floor((whole.length - 1) / 3));
  const places = thousands * 3;
  const shifted = `${negative ? "-" : ""}${whole.slice(0, -places) || "0"}.${whole.slice(-places)}`;
  const digits = whole.length - places >= 3 ? 1 : 2;
  return fixedDigits(shifted, digits, marks) + "KMBT"[thousands - 1]!;
}

/** With a sign, also where it is positive. */
export function signedDigits(text: Decimal, digits: number, marks: Marks): string {
  const shown = formatDecimal(text, digits);
  const isNothing = /^-?[0.]*$/.test(shown);
  if (isNothing) return groupDigits(shown.replace("-", ""), marks);
  return (shown.startsWith("-") ? "" : "+") + groupDigits(shown, marks);
}
