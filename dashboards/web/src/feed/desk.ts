// The desk: what is looked at, where it comes from, and how that stands. All panes read it, and change it by its verbs.

import { batch, computed, effect, signal } from "@preact/signals";
import { type ConnectionState, HttpError, type Instrument as Listed, type Interval, type RecordingInfo, recordings, symbols as symbolsOf, type Time } from "@tickwire/client";

import type { Market } from "../model/market.js";
import { Alerts } from "./alerts.js";
import { enter, type Entry, httpOf, SignInNeeded } from "./entry.js";
import { Live } from "./live.js";
import { formatPlace, type Layout, parsePlace, type Place } from "./place.js";
import { Replaying } from "./replaying.js";
import { watchlist } from "./settings.js";
import { wishes } from "./wishes.js";

/** So many symbols are watched where nobody has chosen. */
const WATCHED = 40;
const RETRY_MS = 2000;
/** A longer list is subscribed to in part: a server gives a session so many symbols, and nobody sees more. */
export const LIST_MAX = 500;
const SEEN_MS = 200;
const ALERTS_MS = 30_000;

/** A recording that has something in it. */
export type Recording = RecordingInfo & { from: Time; to: Time };

/** `gone`: the server does not answer, and is asked again. */
export type Stage = "entering" | "sign-in" | "gone" | "open";

const first = parsePlace(location.hash);

export const stage = signal<Stage>("entering");
export const signInReason = signal("");
export const connection = signal<ConnectionState | null>(null);
export const listed = signal<readonly Listed[]>([]);
export const symbol = signal(first.symbol ?? "");
export const interval = signal<Interval>(first.interval);
export const layout = signal<Layout>(first.layout);
export const recorded = signal<readonly Recording[] | null>(null);
/** Why there is nothing to be replayed; empty where there is. */
export const recordedReason = signal("");
/** What has just gone wrong, to be shown for a while. */
export const trouble = signal<string>("");

let live: Live | undefined;
let entry: Entry | undefined;

export const alerts = new Alerts((error) => tell(error));
export const replay = new Replaying(
  () => live?.session,
  () => ({ symbol: symbol.value, interval: interval.value, watched: subscribed.value }),
  (error) => {
    tell(error);
    // What is recorded may be something else by now.
    void lookForRecordings();
  },
  () => changed(),
);

let changed = (): void => {};

/** Calls `run` whenever something has come. */
export function onChange(run: () => void): void {
  changed = run;
}

export const watched = computed<readonly string[]>(() => {
  const names = new Set(listed.value.map((one) => one.symbol));
  const chosen = watchlist.value?.filter((name) => names.size === 0 || names.has(name));
  return chosen ?? [...names].slice(0, WATCHED);
});

/** What of a long list is near what is seen. */
const near = signal<readonly string[]>([]);
export const isLong = computed(() => watched.value.length > LIST_MAX);
const subscribed = computed(() => {
  if (!isLong.value) return watched.value;
  return near.value.length === 0 ? watched.value.slice(0, LIST_MAX / 2) : near.value;
});

let seeing: ReturnType<typeof setTimeout> | undefined;

/** These rows of a long list are near what is seen; who scrolls on has not looked. */
export function see(names: readonly string[]): void {
  clearTimeout(seeing);
  if (!isLong.value || String(names) === String(near.value)) return;
  seeing = setTimeout(() => (near.value = names), SEEN_MS);
}

/** The address names a place in a recording, which is not shown yet. */
const isAwaited = signal(first.at !== undefined);

export const isReplaying = computed(() => replay.playing.value !== null || isAwaited.value);

/** The market that the page shows. */
export function market(): Market | undefined {
  return isReplaying.value ? replay.market : live?.market;
}

/** The session, for what is asked of it now and then. */
export const session = () => live?.session;
export const http = () => (entry === undefined ? undefined : httpOf(entry));

/** Milliseconds since 1970, by the clock that the page follows. */
export function now(): number {
  return replay.playing.value !== null ? replay.now() : liveNow();
}

/** The same by the server's clock, whatever is played. */
export function liveNow(): number {
  return Date.now() + (connection.value?.clockOffsetMs ?? 0);
}

export function tickOf(name: string): string | undefined {
  return listed.value.find((one) => one.symbol === name)?.tick_size;
}

export function tell(error: Error): void {
  trouble.value = error.message;
}

/** Finds the way in and connects; asks again while the server does not answer. */
export async function start(token?: string): Promise<void> {
  if (stage.value === "open") stage.value = "entering";
  try {
    const found = await enter(token);
    entry = found.entry;
    open(found.listed);
  } catch (error) {
    if (error instanceof SignInNeeded) {
      signInReason.value = token === undefined ? "" : error.message;
      stage.value = "sign-in";
      return;
    }
    stage.value = "gone";
    setTimeout(() => void start(token), RETRY_MS);
  }
}

function open(symbols: readonly Listed[]): void {
  live?.close();
  live = new Live(entry!, (state) => (connection.value = state), () => changed());
  live.session.on("error", (error) => tell(error));
  live.session.on("rejected", ({ rejected }) => tell(new Error(rejected.message)));
  alerts.attach(live.session);
  batch(() => {
    listed.value = symbols;
    if (symbol.value === "") symbol.value = watched.value[0] ?? "";
    stage.value = "open";
  });
  if (symbols.length === 0) setTimeout(() => void list(), RETRY_MS);
  follow();
}

/** A server that has just been started has no symbols yet. */
async function list(): Promise<void> {
  const from = http();
  if (from === undefined) return;
  const found = await symbolsOf(from).catch(() => []);
  if (found.length === 0) {
    setTimeout(() => void list(), RETRY_MS);
    return;
  }
  batch(() => {
    listed.value = found;
    if (symbol.value === "") symbol.value = watched.value[0] ?? "";
  });
}

let isFollowing = false;

/** What is chosen is subscribed to, for as long as the page is open. */
function follow(): void {
  if (isFollowing) {
    subscribe();
    return;
  }
  isFollowing = true;
  if (isAwaited.value) void openAt(first).finally(() => (isAwaited.value = false));
  effect(() => live?.watch(subscribed.value));
  effect(() => {
    void subscribed.value;
    // What is looked at of a long list is replayed, too.
    if (isLong.peek() && replay.isOn) void replay.reopen();
  });
  effect(() => {
    if (symbol.value !== "") live?.focus(symbol.value);
  });
  effect(() => {
    if (symbol.value !== "") live?.chart(symbol.value, interval.value);
  });
  // A new connection: its name is another one.
  const name = computed(() => (connection.value?.phase === "live" ? connection.value.session : null));
  effect(() => {
    if (name.value === null) return;
    void alerts.reconcile();
    // A server that was started anew has others.
    void lookForRecordings();
  });
  // Values come back without a word: the alerts that are armed again by that are known from the server's list.
  setInterval(() => name.value !== null && wishes.value.length > 0 && void alerts.reconcile(), ALERTS_MS);
  effect(remember);
  addEventListener("hashchange", () => go(parsePlace(location.hash)));
}

function openAt({ at, recording }: Place): Promise<void> {
  return replay.open({ from: at!, paused: true, ...(recording !== undefined && { recording }) });
}

/** Somebody has put another address into this page. */
function go(place: Place): void {
  batch(() => {
    if (place.symbol !== undefined) symbol.value = place.symbol;
    interval.value = place.interval;
    layout.value = place.layout;
  });
  if (place.at === undefined) {
    void replay.close();
    return;
  }
  isAwaited.value = true;
  void openAt(place).finally(() => (isAwaited.value = false));
}

function subscribe(): void {
  live?.watch(subscribed.value);
  if (symbol.value === "") return;
  live?.focus(symbol.value);
  live?.chart(symbol.value, interval.value);
}

/** The address says where the page stands, without a step in its history. */
function remember(): void {
  const playing = replay.playing.value;
  if (isAwaited.value) return;
  const place: Place = {
    symbol: symbol.value || undefined, interval: interval.value, layout: layout.value,
    at: playing?.at, recording: playing?.recording,
  };
  const hash = `#${formatPlace(place)}`;
  if (hash !== location.hash) history.replaceState(null, "", hash);
}

export async function lookForRecordings(): Promise<void> {
  const from = http();
  if (from === undefined) return;
  try {
    const found = (await recordings(from)).filter((one): one is Recording => one.from !== undefined && one.to !== undefined);
    recorded.value = found.sort((a, b) => (a.from < b.from ? 1 : -1));
    recordedReason.value = "";
  } catch (error) {
    // What may pass leaves what was known.
    if (recorded.value !== null && !(error instanceof HttpError && [401, 403].includes(error.status))) return;
    recorded.value = [];
    recordedReason.value = (error as Error).message;
  }
}

/** Looks at a symbol, in all panes. */
export function look(name: string): void {
  if (name === symbol.value) return;
  symbol.value = name;
  if (isReplaying.value) void replay.reopen();
}

export function pickInterval(next: Interval): void {
  if (next === interval.value) return;
  interval.value = next;
  if (isReplaying.value) void replay.reopen();
}

export function watch(name: string): void {
  if (watched.value.includes(name)) return;
  watchlist.value = [...watched.value, name];
  if (isReplaying.value) void replay.reopen();
}

export function unwatch(name: string): void {
  watchlist.value = watched.value.filter((one) => one !== name);
}

/** As many levels as a grouping needs. */
export function deepen(depth: number): void {
  live?.deepen(depth);
}
