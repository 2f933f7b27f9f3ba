// How a symbol stands, for whoever looks at its price: one word, from the line, the stream and the feed.

import type { Phase, StatusState } from "@tickwire/client";

/** `live` may be shown as live; all else greys what is shown. */
export type Standing = "live" | "waiting" | "silent" | "void" | Exclude<StatusState, "open">;

/** What stands nearest to the eye counts first: the line, then the stream, then the feed. */
export function standingOf(phase: Phase, isKnown: boolean, isVoid: boolean, status: StatusState | undefined): Standing {
  if (phase !== "live") return "silent";
  if (status !== undefined && status !== "open") return status;
  if (isVoid) return "void";
  return isKnown || status === "open" ? "live" : "waiting";
}

/** A price that may not be current. */
export function isDoubtful(standing: Standing): boolean {
  return standing !== "live" && standing !== "waiting";
}
