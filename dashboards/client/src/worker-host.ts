// The worker's side: the session runs here, and what changed is posted once per flush.
//
// A flush is posted when the page has taken the one before: what a busy page does not take is not queued, it is replaced.

import { ClosedError, RequestError, TickwireError } from "./errors.js";
import type { SessionEvents } from "./events.js";
import { LatestStore } from "./latest.js";
import type { Replay } from "./replay.js";
import { connect, type Session } from "./session.js";
import type { Subscription } from "./subscription.js";
import { type Command, type Port, type SourceId, TOLD, type Told, type ToldError, type WorkerStoreOptions } from "./worker-messages.js";

const FLUSH_MS = 50;

/** Serves one page over a port, until it says `close`. */
export function serveWorker(port: Port<Told, Command>, WebSocket?: unknown): void {
  let host: Host | undefined;
  port.onmessage = ({ data: command }: { data: Command }) => {
    if (command.do !== "connect") return host?.take(command);
    host?.take({ do: "close" });
    host = new Host(port, command, WebSocket);
  };
}

/** Flushes of one source, each after the page has taken the one before. */
class Feed {
  #run: (() => void) | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isTaken = true;
  #isDue = false;

  constructor(readonly flushMs: number) {}

  schedule(run: () => void): () => void {
    this.#run = run;
    this.#isDue = false;
    this.#timer = setTimeout(() => {
      this.#isDue = true;
      this.#go();
    }, this.flushMs);
    return () => {
      clearTimeout(this.#timer);
      this.#run = undefined;
    };
  }

  taken(): void {
    this.#isTaken = true;
    if (this.#isDue) this.#go();
  }

  #go(): void {
    const run = this.#run;
    if (!this.#isTaken || run === undefined) return;
    this.#isTaken = false;
    this.#run = undefined;
    run();
  }
}

class Host {
  readonly #session: Session;
  readonly #sources = new Map<SourceId, { feed: Feed; store: LatestStore }>();
  readonly #subscriptions = new Map<number, Subscription>();
  readonly #replays = new Map<SourceId, Replay>();
  readonly #tokens = new Map<number, { resolve(token: string): void; reject(error: Error): void }>();
  readonly #store: WorkerStoreOptions;
  #count = 0;

  constructor(
    readonly port: Port<Told, Command>,
    { options, store, hasToken }: Command & { do: "connect" },
    WebSocket: unknown,
  ) {
    this.#store = store;
    const token = hasToken ? { token: () => this.#token() } : {};
    this.#session = connect({ ...options, ...token, WebSocket });
    this.#session.state.subscribe((state) => {
      if (state.phase === "closed") for (const of of this.#sources.keys()) this.#close(of);
      port.postMessage({ tell: "state", state });
    });
    for (const name of TOLD) this.#session.on(name, (event) => this.#event(name, event));
    this.#open(0, this.#session);
  }

  take(command: Command): void {
    switch (command.do) {
      case "subscribe":
        this.#subscribe(command);
        break;
      case "subscription": {
        const subscription = this.#subscriptions.get(command.of)!;
        const { what, options = {} } = command;
        if (what === "unsubscribe") this.#forget(command.of);
        this.#answer(command.call, () => (what === "change" ? subscription.change(options) : subscription[what]()));
        break;
      }
      case "request":
        this.#answer(command.call, () => this.#session.request(command.op, command.fields));
        break;
      case "pace":
        this.#answer(command.call, () => this.#session.pace(command.fields));
        break;
      case "openReplay":
        this.#answer(command.call, () => this.#openReplay(command));
        break;
      case "replay": {
        const replay = this.#replays.get(command.of);
        this.#answer(command.call, () => {
          if (replay !== undefined) return replay[command.what](command.argument as never);
          if (command.what !== "close") throw new ClosedError("the replay is over");
        });
        break;
      }
      case "token": {
        const waiting = this.#tokens.get(command.call);
        this.#tokens.delete(command.call);
        if (command.token !== undefined) waiting?.resolve(command.token);
        else waiting?.reject(new TickwireError(command.error));
        break;
      }
      case "flushed":
        this.#sources.get(command.of)?.feed.taken();
        break;
      case "wake":
        this.#session.wake();
        break;
      case "close":
        this.#session.close();
    }
  }

  #subscribe({ call, request }: Command & { do: "subscribe" }): void {
    this.#answer(call, () => {
      const subscription = this.#session.subscribe(request);
      this.#subscriptions.set(call, subscription);
      subscription.changed = () => {
        const { symbols, rejected } = subscription;
        this.port.postMessage({ tell: "subscription", of: call, symbols, rejected });
      };
      subscription.ready.catch(() => this.#forget(call));
      return subscription.ready;
    });
  }

  #forget(of: number): void {
    const subscription = this.#subscriptions.get(of);
    if (subscription !== undefined) subscription.changed = () => {};
    this.#subscriptions.delete(of);
  }

  async #openReplay({ call, options }: Command & { do: "openReplay" }): Promise<unknown> {
    const replay = await this.#session.openReplay(options);
    this.#replays.set(call, replay);
    this.#open(call, replay);
    replay.state.subscribe((state) => {
      const isOver = state.phase === "closed" || state.phase === "failed";
      if (isOver) this.#close(call);
      this.port.postMessage({ tell: "replay", of: call, state, opened: replay.opened });
    });
    return replay.opened;
  }

  /** Hands out what is left of a source that is over. */
  #close(of: SourceId): void {
    this.#sources.get(of)?.store.flush();
    this.#sources.get(of)?.store.close();
    this.#sources.delete(of);
    this.#replays.delete(of);
  }

  #open(of: SourceId, source: Session | Replay): void {
    const feed = new Feed(this.#store.flushMs ?? FLUSH_MS);
    const store = new LatestStore(source, { ...this.#store, schedule: (run) => feed.schedule(run) });
    this.#sources.set(of, { feed, store });
    store.onFlush((flush) => {
      const { account } = source;
      this.port.postMessage({ tell: "flush", of, flush, account, dataAge: this.#session.dataAge });
    });
  }

  #event(name: (typeof TOLD)[number], event: SessionEvents[keyof SessionEvents]): void {
    const told = name === "rejected" ? { rejected: (event as SessionEvents["rejected"]).rejected } : event;
    this.port.postMessage({ tell: "event", name, event: told instanceof Error ? toldError(told) : told });
  }

  /** The page has the token, or what fetches one. */
  #token(): Promise<string> {
    const call = ++this.#count;
    this.port.postMessage({ tell: "token", call });
    return new Promise((resolve, reject) => this.#tokens.set(call, { resolve, reject }));
  }

  #answer(call: number, run: () => unknown): void {
    Promise.resolve()
      .then(run)
      .then((value) => this.port.postMessage({ tell: "answer", call, value }))
      .catch((error: Error) => this.port.postMessage({ tell: "answer", call, error: toldError(error) }));
  }
}

function toldError(error: Error): ToldError {
  const { name, message } = error;
  if (!(error instanceof RequestError)) return { name, message };
  const { op, code, retryable, details } = error;
  return { name, message, op, code, retryable, details };
}
