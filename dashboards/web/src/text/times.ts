// Times for eyes, in UTC or in the machine's own zone; one switch for all panes.

export type Zone = "utc" | "local";

const two = (value: number): string => (value < 10 ? `0${value}` : String(value));

/** Milliseconds since 1970, moved so that the UTC getters of a date give what a clock in the zone shows. */
function shifted(ms: number, zone: Zone): Date {
  return new Date(zone === "utc" ? ms : ms - new Date(ms).getTimezoneOffset() * 60_000);
}

/** `14:30:05`, or with milliseconds `14:30:05.351`. */
export function clockText(ms: number, zone: Zone, withMs = false): string {
  const date = shifted(ms, zone);
  const text = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
  return withMs ? `${text}.${String(date.getUTCMilliseconds()).padStart(3, "0")}` : text;
}

/** `2026-11-20 14:30:05`. */
export function dateTimeText(ms: number, zone: Zone): string {
  return `${dateText(ms, zone)} ${clockText(ms, zone)}`;
}

export function dateText(ms: number, zone: Zone): string {
  return shifted(ms, zone).toISOString().slice(0, 10);
}

/** The instant that somebody writes as `2026-11-20 14:30:05.25`, or, of the day of `near`, as `14:30`; `NaN` where it is none. */
export function writtenTime(text: string, near: number, zone: Zone): number {
  const found = /^(?:(\d{4}-\d\d-\d\d)[ T]+)?(\d\d?):(\d\d)(?::(\d\d(?:\.\d{1,3})?))?$/.exec(text.trim());
  if (found === null) return Number.NaN;
  const [, day = dateText(near, zone), hours, minutes, seconds = "00"] = found;
  return Date.parse(`${day}T${hours!.padStart(2, "0")}:${minutes}:${seconds}${zone === "utc" ? "Z" : ""}`);
}

/** `0:42`, `12:05`, `1:02:03`: how long something still takes. */
export function countdownText(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** An age in a narrow column: `0.1s`, `12s`, `3m`, `2h`, `5d`. */
export function ageText(ms: number): string {
  if (ms < 1000) return "<1s";
  if (ms < 60_000) return `${Math.floor(ms / 1000)}s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)}m`;
  return ms < 86_400_000 ? `${Math.floor(ms / 3_600_000)}h` : `${Math.floor(ms / 86_400_000)}d`;
}

/** How late something is made: `3 s`, `15 min`. */
export function lateText(ms: number): string {
  const isExact = ms >= 60_000 && (ms % 60_000 === 0 || ms >= 600_000);
  return isExact ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 1000)} s`;
}

/** `3 ms`, `120 ms`, `1.4 s`. */
export function delayText(ms: number): string {
  const shown = Math.max(0, ms);
  if (shown < 10) return `${shown.toFixed(1)} ms`;
  return shown < 1000 ? `${Math.round(shown)} ms` : `${(shown / 1000).toFixed(1)} s`;
}

/** How the axis of a chart says a time: the more of it changes, the more is told. */
export function axisText(seconds: number, kind: number, zone: Zone, language: string): string {
  const date = shifted(seconds * 1000, zone);
  if (kind === 0) return String(date.getUTCFullYear());
  if (kind === 1) return date.toLocaleDateString(language, { month: "short", timeZone: "UTC" });
  if (kind === 2) return date.toLocaleDateString(language, { day: "numeric", month: "short", timeZone: "UTC" });
  return kind === 3 ? clockText(seconds * 1000, zone).slice(0, 5) : clockText(seconds * 1000, zone);
}
