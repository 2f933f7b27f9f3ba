// Decimal texts compared and added exactly. No float is made of a price or a size but by `toApproximateNumber`.

import type { Decimal } from "./protocol.js";

const MINUS = 45;
const DOT = 46;
const ZERO = 48;

/** Whether a text is a decimal as the protocol writes them: digits, one dot at most, no exponent. */
export function isDecimal(text: string): boolean {
  return /^-?\d+(\.\d+)?$/.test(text);
}

/** −1, 0 or 1: exactly, whatever the number of digits. `"1.50"` and `"1.5"` are equal. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  if (a === b) return 0;
  const negative = a.charCodeAt(0) === MINUS;
  if (negative !== (b.charCodeAt(0) === MINUS)) {
    if (isZero(a) && isZero(b)) return 0;
    return negative ? -1 : 1;
  }
  return negative ? compareMagnitudes(b, a, 1) : compareMagnitudes(a, b, 0);
}

/** Whether all digits are zeros. */
export function isZero(text: Decimal): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code !== ZERO && code !== DOT && code !== MINUS) return false;
  }
  return true;
}

/** Both begin at `from`; leading and trailing zeros count for nothing. */
function compareMagnitudes(a: Decimal, b: Decimal, from: number): number {
  const [beginA, beginB] = [skipZeros(a, from), skipZeros(b, from)];
  const [endA, endB] = [dotOf(a), dotOf(b)];
  const longer = endA - beginA - (endB - beginB);
  if (longer !== 0) return Math.sign(longer);
  for (let at = 0; at < endA - beginA; at++) {
    const difference = a.charCodeAt(beginA + at) - b.charCodeAt(beginB + at);
    if (difference !== 0) return Math.sign(difference);
  }
  const digits = Math.max(a.length - endA, b.length - endB);
  for (let at = 1; at < digits; at++) {
    const difference = digitAt(a, endA + at) - digitAt(b, endB + at);
    if (difference !== 0) return Math.sign(difference);
  }
  return 0;
}

function skipZeros(text: Decimal, from: number): number {
  let at = from;
  while (text.charCodeAt(at) === ZERO) at++;
  return at;
}

function dotOf(text: Decimal): number {
  const at = text.indexOf(".");
  return at < 0 ? text.length : at;
}

function digitAt(text: Decimal, at: number): number {
  return at < text.length ? text.charCodeAt(at) : ZERO;
}

/** The exact sum, with as many digits as the longer fraction has. */
export function addDecimals(a: Decimal, b: Decimal): Decimal {
  const scale = Math.max(fractionDigits(a), fractionDigits(b));
  return fromScaled(toScaled(a, scale) + toScaled(b, scale), scale);
}

/** The exact difference `a` − `b`. */
export function subtractDecimals(a: Decimal, b: Decimal): Decimal {
  return addDecimals(a, b.charCodeAt(0) === MINUS ? b.slice(1) : `-${b}`);
}

/** How many digits stand behind the dot. */
export function fractionDigits(text: Decimal): number {
  const at = text.indexOf(".");
  return at < 0 ? 0 : text.length - at - 1;
}

/** The whole number text × 10^scale; `scale` is at least the text's own digits. */
export function toScaled(text: Decimal, scale: number): bigint {
  const missing = scale - fractionDigits(text);
  if (missing < 0) throw new RangeError(`${text} has more than ${scale} digits behind its dot`);
  return BigInt(text.replace(".", "") + "0".repeat(missing));
}

/** The text of value ÷ 10^scale. */
export function fromScaled(value: bigint, scale: number): Decimal {
  const sign = value < 0n ? "-" : "";
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, "0");
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** With so many digits behind the dot, rounded half away from zero: for eyes, not to go on with. */
export function formatDecimal(text: Decimal, digits: number): string {
  const own = fractionDigits(text);
  if (own <= digits) return fromScaled(toScaled(text, digits), digits);
  const cut = 10n ** BigInt(own - digits);
  const value = toScaled(text, own);
  const half = value < 0n ? -cut / 2n : cut / 2n;
  return fromScaled((value + half) / cut, digits);
}

/** The nearest float, for the pixels of a chart. It is not the number: never compare, add or send it. */
export function toApproximateNumber(text: Decimal): number {
  return Number(text);
}
