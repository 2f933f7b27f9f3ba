// Which requests may be on their way together, and which can be asked as one.
//
// A request that is refused for the moment is sent again. What was sent behind it may have been heeded meanwhile: so
// nothing is sent that could undo, or be undone by, a request without an answer.

import type { Ack, Channel, Message, SubscribeAck } from "./protocol.js";
import { matches } from "./subscription.js";

export interface Body {
  op: string;
  id: number;
  [field: string]: unknown;
}

/** Symbols of one request that others were merged into. */
const SYMBOLS_MAX = 200;

const OF_STREAMS = new Set(["subscribe", "unsubscribe", "pause", "unpause", "list", "ledger"]);
/** Of these it does not matter which one is first. */
const COMMUTE = new Set(["list", "ledger", "alert_list", "credit", "ping", "echo"]);

/** Whether it matters which of two requests is heeded first. */
export function opposes(one: Body, other: Body): boolean {
  if (familyOf(one.op) !== familyOf(other.op)) return false;
  if (COMMUTE.has(one.op) && COMMUTE.has(other.op)) return false;
  return about(one, other, "alert") && about(one, other, "replay") && shareStreams(one, other);
}

function familyOf(op: string): string {
  if (OF_STREAMS.has(op)) return "streams";
  if (op === "credit") return "pace";
  return /^(alert|replay)_/.exec(op)?.[1] ?? op;
}

/** Whether they are about the same, as far as both say what about. */
function about(one: Body, other: Body, field: string): boolean {
  return one[field] === undefined || other[field] === undefined || one[field] === other[field];
}

function shareStreams(one: Body, other: Body): boolean {
  if (!Array.isArray(one.symbols) || !Array.isArray(other.symbols)) return true;
  const [channels, others] = [one.channels as Channel[], other.channels as Channel[]];
  if (!channels?.some((channel) => others?.includes(channel))) return false;
  const isPattern = (symbol: string): boolean => symbol.includes("*");
  const names = new Set(other.symbols as string[]);
  const patterns = [...names].filter(isPattern);
  return (one.symbols as string[]).some((symbol) => {
    if (names.has(symbol)) return true;
    if (isPattern(symbol)) return [...names].some((name) => (isPattern(name) ? mayMeet(symbol, name) : matches(symbol, name)));
    return patterns.some((pattern) => matches(pattern, symbol));
  });
}

/** Whether two patterns may stand for the same symbol, as far as their ends say. */
function mayMeet(one: string, other: string): boolean {
  const [[begin, end], [otherBegin, otherEnd]] = [one, other].map((pattern) => {
    const parts = pattern.split("*");
    return [parts[0]!, parts.at(-1)!] as const;
  }) as [readonly [string, string], readonly [string, string]];
  const begins = begin.startsWith(otherBegin) || otherBegin.startsWith(begin);
  return begins && (end.endsWith(otherEnd) || otherEnd.endsWith(end));
}

/** How many of these, from the first one on, can be asked as one: what they get can be told apart by its symbol. */
export function together(bodies: readonly Body[]): number {
  const first = bodies[0]!;
  if (!isExact(first)) return 1;
  const wish = wishOf(first);
  let symbols = 0;
  let count = 0;
  for (const body of bodies) {
    symbols += (body.symbols as string[] | undefined)?.length ?? 0;
    if (count > 0 && (symbols > SYMBOLS_MAX || !isExact(body) || wishOf(body) !== wish)) break;
    count += 1;
  }
  return count;
}

function isExact({ op, symbols, rewind_ms }: Body): boolean {
  return op === "subscribe" && rewind_ms === undefined && Array.isArray(symbols) && !symbols.some((symbol) => symbol.includes("*"));
}

function wishOf({ id: _, symbols: __, ...wish }: Body): string {
  return JSON.stringify(Object.entries(wish).sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** One request for all of them. */
export function merged(bodies: readonly Body[]): Body {
  if (bodies.length === 1) return bodies[0]!;
  return { ...bodies[0]!, symbols: [...new Set(bodies.flatMap(({ symbols }) => symbols as string[]))] };
}

/** What of the answer is one's own. */
export function partOf(message: Message, body: Body): Ack {
  const ack = message as SubscribeAck;
  const names = new Set(body.symbols as string[]);
  const own = (symbols: readonly string[]): string[] => symbols.filter((symbol) => names.has(symbol));
  const ofEach = <T extends { symbols: string[] }>(all: T[]): T[] =>
    all.map((one) => ({ ...one, symbols: own(one.symbols) })).filter(({ symbols }) => symbols.length > 0);
  const part = { ...ack, id: body.id, symbols: own(ack.symbols), rejected: ack.rejected.filter(({ symbol }) => names.has(symbol)) };
  if (ack.streams !== undefined) {
    part.streams = ofEach(ack.streams);
    part.resumed = part.streams.length > 0 && part.streams.every(({ state }) => state !== "missing");
  }
  if (ack.narrowed !== undefined) part.narrowed = ofEach(ack.narrowed);
  return part;
}
