// Getting in: as a guest where the server welcomes them, by a cookie, or with a token that somebody pastes.

import { type Instrument as Listed, HttpError, symbols } from "@tickwire/client";

interface Visit {
  token: string;
  subject: string;
  expires_at: string;
  /** Up to when it may be used, milliseconds of `performance.now`: this machine's clock may be wrong. */
  until: { clock: number; date: number };
}

/**
 * How this page is let in. A token lives here only: never in the address, never in what the browser keeps. A guest's,
 * which anybody gets, is that of the tab, so that who loads the page again is the same guest.
 */
export type Entry =
  | { way: "guest" | "token"; token: () => Promise<string>; current: () => Promise<string> }
  | { way: "cookie" };

/** Nobody is let in without a token. */
export class SignInNeeded extends Error {
  override name = "SignInNeeded";
}

export const streamUrl = (): string => new URL("/v1/stream", location.href).href.replace(/^http/, "ws");

/** What requests over plain HTTP need. */
export function httpOf(entry: Entry): { url: string; token?: () => Promise<string> } {
  return { url: location.origin, ...(entry.way !== "cookie" && { token: entry.current }) };
}

/** A guest's token; for the same guest again, where it is asked with one. */
async function visit(token?: string): Promise<Visit | undefined> {
  const answer = await fetch("/v1/guests", { method: "POST", headers: token === undefined ? {} : { Authorization: `Bearer ${token}` } });
  if (answer.ok) {
    const given = (await answer.json()) as Omit<Visit, "until">;
    const served = Date.parse(answer.headers.get("Date") ?? "") || Date.now();
    // That time has no fractions.
    const left = Date.parse(given.expires_at) - served - 1000;
    return { ...given, until: { clock: performance.now() + left, date: Date.now() + left } };
  }
  // Who welcomes no guests says so; all else may pass.
  if ([401, 403, 404, 405].includes(answer.status)) return undefined;
  throw new Error(`guests: ${answer.status}`);
}

const KEPT = "tickwire.guest";

/** The guest that this tab was; a page that is not allowed to keep anything is a new one each time. */
function keptGuest(): string | undefined {
  try {
    return sessionStorage.getItem(KEPT) ?? undefined;
  } catch {
    return undefined;
  }
}

function keepGuest({ token }: Visit): void {
  try {
    sessionStorage.setItem(KEPT, token);
  } catch {
    // A new one the next time.
  }
}

/** For the same guest where the server knows it still; one that was started anew knows nobody. */
async function visitAgain(token: string | undefined): Promise<Visit | undefined> {
  const visited = (token === undefined ? undefined : await visit(token)) ?? (await visit());
  if (visited !== undefined) keepGuest(visited);
  return visited;
}

/** Where a machine sleeps, one of its clocks may stand still; where it is set, the other one jumps. */
const isPast = ({ clock, date }: Visit["until"]): boolean => performance.now() >= clock || Date.now() >= date;

/** A guest's tokens: a session asks for one at each connection, requests take what there is. */
class Guest {
  /** Nobody has had it yet. */
  #isFresh = true;

  constructor(private visit: Visit) {}

  readonly next = async (): Promise<string> => {
    if (!this.#isFresh) this.visit = (await visitAgain(this.visit.token)) ?? this.visit;
    this.#isFresh = false;
    return this.visit.token;
  };

  readonly current = async (): Promise<string> => (isPast(this.visit.until) ? this.next() : this.visit.token);
}

/** Finds the way in, and what there is to be seen. Throws `SignInNeeded`, or what the network says. */
export async function enter(pasted: string | undefined): Promise<{ entry: Entry; listed: Listed[] }> {
  if (pasted !== undefined) {
    const token = async (): Promise<string> => pasted;
    return look({ way: "token", token, current: token });
  }
  const first = await visitAgain(keptGuest());
  if (first === undefined) return look({ way: "cookie" });
  const guest = new Guest(first);
  return look({ way: "guest", token: guest.next, current: guest.current });
}

async function look(entry: Entry): Promise<{ entry: Entry; listed: Listed[] }> {
  try {
    return { entry, listed: await symbols(httpOf(entry)) };
  } catch (error) {
    if (error instanceof HttpError && (error.status === 401 || error.status === 403)) throw new SignInNeeded(error.message);
    throw error;
  }
}
