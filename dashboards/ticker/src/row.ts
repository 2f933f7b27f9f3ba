// One symbol of the strip: name, price, change; and how far it is to be trusted.

import type { Freshness, Ticker } from "@tickwire/client";

export class Row {
  readonly element = document.createElement("li");
  readonly #price = part("b", "price");
  readonly #change = part("span", "change");
  readonly #mark = part("span", "mark");

  constructor(symbol: string) {
    const name = part("span", "name");
    name.textContent = symbol;
    this.element.append(name, this.#price, this.#change, this.#mark);
    this.element.part.add("row");
  }

  show({ last_price, change_percent }: Ticker): void {
    set(this.#price, last_price ?? "–");
    const falls = change_percent?.startsWith("-") ?? false;
    const stands = change_percent === undefined || /^-?[0.]*$/.test(change_percent);
    const arrow = stands ? "" : falls ? "▼ " : "▲ ";
    const sign = stands || falls ? "" : "+";
    set(this.#change, change_percent === undefined ? "" : `${arrow}${sign}${change_percent.replace("-", "−")} %`);
    this.element.dataset["move"] = stands ? "none" : falls ? "down" : "up";
  }

  /** A price that is not live is shown as what it is, with the reason. */
  grow({ state, reason }: Freshness): void {
    const live = state === "live";
    this.element.dataset["state"] = state;
    set(this.#mark, live ? "" : state.replace("_", " "));
    this.element.title = live ? "" : reason ?? state;
  }
}

function part(tag: string, name: string): HTMLElement {
  const element = document.createElement(tag);
  element.className = name;
  element.part.add(name);
  return element;
}

function set(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
