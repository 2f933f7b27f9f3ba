// <tickwire-ticker symbols="BTC-USD,ETH-*">: live prices in a page of anybody's.
//
// The element speaks to the server that its script came from, or to `server`. Whoever embeds it gives it a token by the
// property `token` (a text, or a function that gets one); without one it asks the server for a guest's. Nothing of it is
// in an attribute that could end up in a log.

import type { Token } from "@tickwire/client";
import { guest, HOME, serverOf } from "./server.js";
import { Strip } from "./strip.js";
import { STYLE } from "./style.js";

const sheet = new CSSStyleSheet();
sheet.replaceSync(STYLE);

export class TickwireTicker extends HTMLElement {
  static readonly observedAttributes = ["symbols", "server"];

  #token: Token | undefined;
  #strip: Strip | undefined;
  readonly #list: HTMLElement;
  readonly #state: HTMLElement;
  #planned = false;

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    this.#list = document.createElement("ul");
    this.#state = document.createElement("p");
    this.#state.setAttribute("role", "status");
    root.append(this.#list, this.#state);
    // Given before this script was there, it is a property of the element's own, which hides the one below.
    if (Object.hasOwn(this, "token")) {
      const { token } = this;
      delete (this as { token?: unknown }).token;
      this.token = token;
    }
  }

  /** A token for the server, or what gets one each time that it is needed. Another one begins anew. */
  get token(): Token | undefined {
    return this.#token;
  }

  set token(token: Token | undefined) {
    if (token === this.#token) return;
    this.#token = token;
    this.#plan();
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
    if (symbols.length === 0) return this.#refuse('name symbols, as in symbols="BTC-USD,ETH-*".');
    const named = this.getAttribute("server") ?? HOME;
    const server = serverOf(named);
    if (server === undefined) return this.#refuse(`server="${named}" is no address of a server, as in server="https://ticks.example".`);
    try {
      this.#strip = new Strip({ server, symbols, token: this.#token ?? guest(server) }, { list: this.#list, stands: (...how) => this.#stands(...how) });
    } catch (error) {
      this.#refuse(error instanceof Error ? error.message : String(error));
    }
  }

  #end(): void {
    this.#strip?.end();
    this.#strip = undefined;
  }

  #refuse(why: string): void {
    this.#stands("closed", `tickwire-ticker: ${why}`);
  }

  #stands(phase: string, words: string): void {
    this.dataset["phase"] = phase;
    if (this.#state.textContent !== words) this.#state.textContent = words;
    this.#state.hidden = words === "";
  }
}

if (!customElements.get("tickwire-ticker")) customElements.define("tickwire-ticker", TickwireTicker);
