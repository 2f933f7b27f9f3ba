// A place for a text that changes often: the document is touched only where the text is another one.

export class Cell {
  readonly #node: HTMLElement;
  #shown = "";
  #mark = "";
  #title = "";

  constructor(node: HTMLElement) {
    this.#node = node;
    node.textContent = "";
    this.#mark = node.className;
  }

  text(text: string): void {
    if (text === this.#shown) return;
    this.#shown = text;
    // A new text, not a changed one: in a column that is aligned to the right a changed one counts as a shift.
    this.#node.textContent = text;
  }

  /** Its class, all of it. */
  mark(name: string): void {
    if (name === this.#mark) return;
    this.#mark = name;
    this.#node.className = name;
  }

  title(text: string): void {
    if (text === this.#title) return;
    this.#title = text;
    this.#node.title = text;
  }
}

/** The cells of a row, one for each element that says `data-cell`. */
export function cellsOf<N extends string>(row: HTMLElement, names: readonly N[]): Record<N, Cell> {
  const made: Partial<Record<N, Cell>> = {};
  for (const name of names) made[name] = new Cell(row.querySelector<HTMLElement>(`[data-cell="${name}"]`)!);
  return made as Record<N, Cell>;
}
