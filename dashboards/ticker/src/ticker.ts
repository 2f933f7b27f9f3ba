// <tickwire-ticker symbols="BTC-USD,ETH-*">: live prices in a page of anybody's.
//
// The element speaks to the server that its script came from, or to `server`. Whoever embeds it gives it a token by the
// property `token` (a text, or a function that gets one); without one it asks the server for a guest's. Nothing of it is
// in an attribute that could end up in a log.

import { connect, everyMs, LatestStore, type Session, type Ticker, type Token } from "@tickwire/client";
import { Row } from "./row.js";
import { STYLE } from "./style.js";

/** Where the script came from: the server to speak to, unless another is named. */
const HOME = document.currentScript instanceof HTMLScriptElement ? new URL(document.currentScript.src).origin : location.origin;
/** Changes are drawn this often: more is for nobody's eyes. */
const DRAWN_MS = 250;

const sheet = new CSSStyleSheet();
sheet.replaceSync(STYLE);

export class TickwireTicker extends HTMLElement {
  static readonly observedAttributes = ["symbols", "server"];

  /** A token for the server, or what gets one each time that it is needed. */
  token: Token | undefined;
  #session: Session | undefined;
  #rows = new Map<string, Row>();
  readonly #list: HTMLElement;
  readonly #state: HTMLElement;
  #planned = false;
  #looks: ReturnType<typeof setInterval> | undefined;

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    this.#list = document.createElement("ul");
    this.#state = document.createElement("p");
    this.#state.setAttribute("role", "status");
    root.append(this.#list, this.#state);
  }

  connectedCallback(): void {
    this.#plan();
  }

  disconnectedCallback(): void {
    this.#end();
  }

  attributeChangedCallback(): void {
    this.#plan();
  }

  /** Begins anew once all that is being changed has been: attributes come one by one. */
  #plan(): void {
    if (this.#planned) return;
    this.#planned = true;
    queueMicrotask(() => {
      this.#planned = false;
      this.#end();
      if (this.isConnected) this.#begin();
    });
  }

  #begin(): void {
    const symbols = (this.getAttribute("symbols") ?? "").split(/[\s,]+/).filter((symbol) => symbol !== "");
    if (symbols.length === 0) return this.#say("tickwire-ticker: name symbols, as in symbols=\"BTC-USD,ETH-*\".");
    const server = new URL(this.getAttribute("server") ?? HOME, location.href);
    const url = new URL("/v1/stream", server);
    url.protocol = server.protocol === "http:" ? "ws:" : "wss:";
    const session = connect({ url: url.href, token: this.token ?? guest(server.origin), encoding: "json" });
    this.#session = session;
    session.state.subscribe(({ phase, reason }) => {
      this.dataset["phase"] = phase;
      this.#say(phase === "live" ? "" : phase === "connecting" ? "…" : reason ?? phase);
    });
    session.on("rejected", ({ rejected }) => this.#say(rejected.message));
    const wanted = { symbols, conflate_ms: DRAWN_MS };
    session.subscribe({ channels: ["ticker", "status"], ...wanted });
    new LatestStore(session, { schedule: everyMs(DRAWN_MS) }).onFlush(({ changes }) => {
      for (const { channel, symbol, record } of changes) {
        if (channel === "ticker" && record) this.#row(symbol).show(record as Ticker);
      }
    });
    // A price that is not live any more tells so by itself.
    this.#looks = setInterval(() => {
      for (const [symbol, row] of this.#rows) row.grow(session.freshness("ticker", symbol));
    }, 1000);
  }

  #end(): void {
    clearInterval(this.#looks);
    this.#session?.close();
    this.#session = undefined;
    this.#rows.clear();
    this.#list.replaceChildren();
  }

  #row(symbol: string): Row {
    let row = this.#rows.get(symbol);
    if (!row) {
      row = new Row(symbol);
      this.#rows.set(symbol, row);
      const after = [...this.#rows.keys()].sort().indexOf(symbol);
      this.#list.insertBefore(row.element, this.#list.children[after] ?? null);
    }
    return row;
  }

  #say(text: string): void {
    this.#state.textContent = text;
    this.#state.hidden = text === "";
  }
}

/** Gets tokens for a guest; with the one at hand, the next one is for the same guest. */
function guest(origin: string): () => Promise<string> {
  let token = "";
  return async () => {
    const asked = () => fetch(`${origin}/v1/guests`, { method: "POST", headers: token ? { Authorization: `Bearer ${token}` } : {} });
    const answer = await asked();
    if (!answer.ok) throw new Error(`${origin} has no token for guests (${answer.status})`);
    ({ token } = (await answer.json()) as { token: string });
    return token;
  };
}

if (!customElements.get("tickwire-ticker")) customElements.define("tickwire-ticker", TickwireTicker);
