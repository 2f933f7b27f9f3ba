// The rows of the ladder as they stand in the document: asks above, the best nearest to the middle, bids below.

import type { LadderRow } from "../model/levels.js";
import { columnDigits, compactDigits, groupDigits, type Marks } from "../text/numbers.js";
import { t } from "../text/texts.js";
import { type Cell, cellsOf } from "./cell.js";

const NAMES = ["price", "size", "total"] as const;

interface Line {
  node: HTMLTableRowElement;
  button: HTMLButtonElement;
  cells: Record<(typeof NAMES)[number], Cell>;
}

export class LadderRows {
  readonly #asks: Line[];
  readonly #bids: Line[];

  constructor(table: HTMLTableElement, readonly count: number) {
    const lines = (side: string): Line[] => [...table.querySelectorAll<HTMLTableRowElement>(`[data-side="${side}"] tr`)].map((node) => ({
      node, button: node.querySelector("button")!, cells: cellsOf(node, NAMES),
    }));
    // The best ask is the lowest row of its side.
    this.#asks = lines("ask").reverse();
    this.#bids = lines("bid");
  }

  paint(asks: readonly LadderRow[], bids: readonly LadderRow[], marks: Marks): void {
    const digits = columnDigits([...asks, ...bids].map(({ size }) => size));
    this.#asks.forEach((line, at) => this.#line(line, asks[at], marks, digits));
    this.#bids.forEach((line, at) => this.#line(line, bids[at], marks, digits));
  }

  clear(): void {
    for (const line of [...this.#asks, ...this.#bids]) this.#line(line, undefined, { group: "", decimal: "" }, 0);
  }

  #line({ node, button, cells }: Line, row: LadderRow | undefined, marks: Marks, digits: number): void {
    const price = row?.price ?? "";
    if ((node.dataset.price ?? "") !== price) {
      node.dataset.price = price;
      // Its place stays.
      node.classList.toggle("none", price === "");
      button.title = price === "" ? "" : t("setAlertAt", { price });
    }
    cells.price.text(row === undefined ? "" : groupDigits(row.price, marks));
    cells.size.text(row === undefined ? "" : compactDigits(row.size, marks, digits));
    cells.total.text(row === undefined ? "" : compactDigits(row.total, marks, digits));
  }
}
