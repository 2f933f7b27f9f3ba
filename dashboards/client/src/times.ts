// Times of the wire, as text with nine digits, and milliseconds for clocks.

import type { Time } from "./protocol.js";

const SECONDS_CACHED = { seconds: Number.NaN, text: "" };

/** The text of an instant: seconds since 1970 and nanoseconds of the second. */
export function timeText(seconds: number, nanoseconds: number): Time {
  // Records come in bursts of one second: only the digits behind the dot differ.
  if (SECONDS_CACHED.seconds !== seconds) {
    SECONDS_CACHED.seconds = seconds;
    SECONDS_CACHED.text = new Date(seconds * 1000).toISOString().slice(0, -5);
  }
  return `${SECONDS_CACHED.text}.${String(nanoseconds).padStart(9, "0")}Z`;
}

/** Milliseconds since 1970 with a fraction, of a time of the wire: precise to about a microsecond. */
export function toMilliseconds(time: Time): number {
  const dot = time.indexOf(".");
  if (dot < 0) return Date.parse(time);
  const whole = Date.parse(`${time.slice(0, dot)}Z`);
  return whole + Number(`0${time.slice(dot, -1)}`) * 1000;
}

/** Nanoseconds since 1970, exactly. */
export function toNanoseconds(time: Time): bigint {
  const dot = time.indexOf(".");
  const end = dot < 0 ? time.length - 1 : dot;
  const fraction = dot < 0 ? "" : time.slice(dot + 1, -1);
  const whole = BigInt(Date.parse(`${time.slice(0, end)}Z`)) * 1_000_000n;
  return whole + BigInt(fraction.padEnd(9, "0").slice(0, 9));
}

/** The text of milliseconds since 1970. */
export function fromMilliseconds(milliseconds: number): Time {
  const seconds = Math.floor(milliseconds / 1000);
  const nanoseconds = Math.min(999_999_999, Math.round((milliseconds - seconds * 1000) * 1e6));
  return timeText(seconds, nanoseconds);
}
