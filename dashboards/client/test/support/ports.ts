// Two ends of a channel without a worker: what one posts the other has right after, copied as by a worker's port.

import type { Command, Port, Told } from "../../src/worker-messages.js";

export class Page extends EventTarget implements Port<Command, Told> {
  onmessage: ((event: never) => void) | null = null;
  readonly told: Told[] = [];
  readonly worker: Port<Told, Command> = {
    onmessage: null,
    postMessage: (message) => {
      const data = structuredClone(message);
      this.told.push(data);
      queueMicrotask(() => this.onmessage?.({ data } as never));
    },
  };

  postMessage(message: Command): void {
    const data = structuredClone(message);
    queueMicrotask(() => this.worker.onmessage?.({ data } as never));
  }
}
