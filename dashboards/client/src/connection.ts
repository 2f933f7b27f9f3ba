// One WebSocket from its opening to its end: welcome, token, liveness, pings. What messages mean is the session's matter.

import type { Clock } from "./clock.js";
import { ClockSync, type Timing } from "./clock-sync.js";
import type { Codec } from "./codec.js";
import { Liveness } from "./liveness.js";
import { Pace } from "./pace.js";
import type { Ack, ErrorMessage, Message, Welcome } from "./protocol.js";
import { type Verdict, verdict } from "./verdicts.js";

/** What is used of a WebSocket: the browser's, Node's, and that of the package `ws` have it. */
export interface SocketLike {
  binaryType: string;
  send(data: string | Uint8Array): void;
  close(code?: number, reason?: string): void;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
}
export type SocketConstructor = new (url: string, protocols?: string[]) => SocketLike;

/** A token, or what fetches one each time that one is needed. */
export type Token = string | (() => string | Promise<string>);

export interface ConnectionOptions {
  url: string;
  token: Token | undefined;
  codec: Codec;
  socket: SocketConstructor;
  clock: Clock;
  /** Milliseconds from the first attempt to a session. */
  openTimeoutMs: number;
  /** Milliseconds between pings. */
  pingMs: number;
  /** Milliseconds; the server's own where it is absent. */
  heartbeatMs: number | undefined;
}

/** What a connection tells. After `ended` nothing comes. */
export interface ConnectionListener {
  ready(connection: Connection): void;
  message(connection: Connection, message: Message): void;
  stale(connection: Connection, isStale: boolean): void;
  timing(connection: Connection, timing: Timing): void;
  ended(connection: Connection, verdict: Verdict): void;
}

const TOKEN_AGAIN_MS = 2000;
/** A token is never asked for more often than this while a connection serves. */
const TOKEN_LEAST_MS = 1000;
const GOODBYE = 1000;

export class Connection {
  /** What the server said first. */
  welcome: Welcome | undefined;
  /** The answer to the token. */
  authenticated: Ack | undefined;
  /** How often it may ask. */
  pace = new Pace(undefined);
  #stage: "opening" | "ready" | "ended" = "opening";
  #socket: SocketLike | undefined;
  #liveness: Liveness | undefined;
  #sync: ClockSync | undefined;
  #timers = new Set<unknown>();
  #tokensAsked = 0;
  #isRenewing = false;
  /** When a token was taken last. */
  #authenticatedAt = 0;
  #fetched: string | undefined;
  #lastError = "";

  constructor(
    readonly options: ConnectionOptions,
    readonly listener: ConnectionListener,
  ) {}

  get isReady(): boolean {
    return this.#stage === "ready";
  }

  open(): void {
    const { token, openTimeoutMs } = this.options;
    this.#after(openTimeoutMs, () => {
      const missed = this.#socket === undefined ? "no token came" : "nobody answered";
      if (this.#stage === "opening") this.#end({ retry: "again", reason: `${missed} for ${openTimeoutMs} ms` });
    });
    if (typeof token === "function") void this.#fetch(token);
    else this.#connect();
  }

  /** A token that takes long is there before the server waits for it. None may be right, too: a cookie may do. */
  async #fetch(token: () => string | Promise<string>): Promise<void> {
    try {
      const given = token();
      this.#fetched = typeof given === "string" ? given : await given;
    } catch (error) {
      this.#end({ retry: "again", reason: `no token could be had: ${words(error)}` });
      return;
    }
    if (!this.#ended()) this.#connect();
  }

  #connect(): void {
    const { url, codec, socket: Socket } = this.options;
    try {
      this.#socket = new Socket(url, [codec.subprotocol]);
    } catch (error) {
      this.#end({ retry: "never", reason: `${url} is no address of a stream: ${words(error)}` });
      return;
    }
    this.#socket.binaryType = "arraybuffer";
    this.#socket.onmessage = (event: { data: unknown }) => this.#take(event.data);
    this.#socket.onerror = (event: { message?: string }) => (this.#lastError = event.message ?? "");
    this.#socket.onclose = (event: { code: number; reason: string }) => {
      const told = verdict(event.code, String(event.reason ?? ""));
      const detail = this.#lastError === "" ? "" : `: ${this.#lastError}`;
      this.#end({ ...told, reason: told.reason + detail });
    };
  }

  send(request: object): void {
    if (this.#stage === "ended") return;
    this.pace.spend(this.options.clock.now());
    this.#socket?.send(this.options.codec.encode(request));
  }

  /** Looks whether the line is alive, at once: what was silent too long is given up, anything else is asked. */
  probe(): void {
    this.#liveness?.probe();
    if (!this.isReady) return;
    this.#liveness?.expect();
    this.#sync?.ask();
  }

  /** Ends it from here; nothing more is told. */
  close(reason = ""): void {
    this.#stop();
    this.#socket?.close(GOODBYE, reason);
  }

  #take(data: unknown): void {
    if (this.#stage === "ended") return;
    this.#liveness?.hear();
    let message: Message;
    try {
      message = this.options.codec.decode(data);
    } catch (error) {
      this.#end({ retry: "never", reason: words(error) });
      return;
    }
    if (message.type === "welcome") this.#welcomed(message as Welcome);
    else if (message.id === "auth") this.#answered(message as Ack | ErrorMessage);
    else if ((message.type === "pong" || message.type === "error") && this.#sync?.take(message)) return;
    else {
      // The new token's ack comes in place, and its subject is for the session to know.
      if (message.type === "token_expiring") this.#refresh(Number(message.expires_in_ms));
      this.listener.message(this, message);
    }
  }

  #welcomed(welcome: Welcome): void {
    this.welcome = welcome;
    this.pace = new Pace(welcome.limits?.max_requests_per_second);
    const heartbeatMs = this.options.heartbeatMs ?? welcome.heartbeat_ms;
    this.#liveness = new Liveness(this.options.clock, heartbeatMs, {
      stale: (isStale) => this.listener.stale(this, isStale),
      dead: (reason) => this.#end({ retry: "again", reason }),
    });
    if (welcome.authenticated) this.#ready();
    else if (this.options.token === undefined) this.#end({ retry: "token", reason: "the server wants a token" });
    else void this.#authenticate();
  }

  /** Sends a token. One that cannot be fetched in the beginning costs this attempt. */
  async #authenticate(): Promise<void> {
    const { token } = this.options;
    this.#tokensAsked += 1;
    let text = this.#fetched;
    this.#fetched = undefined;
    try {
      text ??= typeof token === "function" ? await token() : token;
    } catch (error) {
      if (this.#stage === "ready") this.#after(TOKEN_AGAIN_MS, () => void this.#authenticate());
      else this.#end({ retry: "again", reason: `no token could be had: ${words(error)}` });
      return;
    }
    if (this.#ended()) return;
    if (text) this.send({ op: "auth", id: "auth", token: text });
    else if (this.#stage === "opening") this.#end({ retry: "token", reason: "the server wants a token" });
  }

  #answered(message: Ack | ErrorMessage): void {
    if (message.type === "ack") {
      this.#tokensAsked = 0;
      this.#authenticatedAt = this.options.clock.now();
      this.authenticated = message as Ack;
      if (this.#stage === "opening") this.#ready();
      else this.listener.message(this, message);
      return;
    }
    const error = message as ErrorMessage;
    const wait = error.details?.retry_after_ms;
    if (error.retryable && wait !== undefined) {
      this.#after(wait, () => void this.#authenticate());
    } else if (typeof this.options.token === "function" && this.#tokensAsked < 2) {
      // What the function gave first may have been of before; the next one is fresh.
      void this.#authenticate();
    } else if (this.#stage === "opening") {
      this.#end({ retry: "never", reason: `${error.message} (${error.code})` });
    } else {
      this.listener.message(this, message);
    }
  }

  #ready(): void {
    this.#stage = "ready";
    this.#authenticatedAt = this.options.clock.now();
    this.listener.ready(this);
    if (this.#ended()) return;
    const { clock, pingMs } = this.options;
    const tell = (timing: Timing): void => this.listener.timing(this, timing);
    this.#sync = new ClockSync(clock, pingMs, (ping) => this.send(ping), tell);
  }

  /** The token runs out in so many milliseconds; without a function there is no other one. */
  #refresh(left: number): void {
    if (typeof this.options.token !== "function" || this.#isRenewing) return;
    const { clock } = this.options;
    const run = (): void => {
      this.#isRenewing = false;
      this.#tokensAsked = 0;
      void this.#authenticate();
    };
    // Of one whose whole life is short that is said at once: half of it is lived, so that the next one is not asked for in a loop.
    // One that is out already, and good for a moment still, is the last that there is: it is asked for once a second.
    const wait = Math.max(left / 2, TOKEN_LEAST_MS) - (clock.now() - this.#authenticatedAt);
    if (wait > 0) {
      this.#isRenewing = true;
      this.#after(wait, run);
    } else run();
  }

  #after(ms: number, run: () => void): void {
    const timer = this.options.clock.after(ms, () => {
      this.#timers.delete(timer);
      if (!this.#ended()) run();
    });
    this.#timers.add(timer);
  }

  #ended(): boolean {
    return this.#stage === "ended";
  }

  #end(told: Verdict): void {
    if (this.#stage === "ended") return;
    this.#stop();
    // A browser waits for the other side's goodbye: a line that is dead is not waited for.
    this.#socket?.close(GOODBYE);
    this.listener.ended(this, told);
  }

  #stop(): void {
    this.#stage = "ended";
    this.#liveness?.stop();
    this.#sync?.stop();
    for (const timer of this.#timers) this.options.clock.clear(timer);
    if (this.#socket === undefined) return;
    this.#socket.onmessage = null;
    this.#socket.onclose = null;
    // The package `ws` throws where nobody listens to errors.
    this.#socket.onerror = () => {};
  }
}

export function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
