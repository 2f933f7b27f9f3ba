// A line between client and server that can be cut, and that can stop reading.

import { createServer, connect, type Server, type Socket } from "node:net";

export class Proxy {
  readonly #pairs = new Set<[Socket, Socket]>();
  #server!: Server;
  #isFrozen = false;
  connections = 0;
  target: string;

  constructor(target: string) {
    this.target = target;
  }

  static async before(target: string): Promise<Proxy> {
    const proxy = new Proxy(target);
    proxy.#server = createServer((client) => proxy.#pair(client));
    await new Promise<void>((done) => proxy.#server.listen(0, "127.0.0.1", done));
    return proxy;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as { port: number }).port}/v1/stream`;
  }

  /** Both ends are gone without a goodbye. */
  cut(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.resetAndDestroy();
  }

  /** Nothing is read of either end, or all again. */
  freeze(isFrozen: boolean): void {
    this.#isFrozen = isFrozen;
    for (const pair of this.#pairs) for (const socket of pair) isFrozen ? socket.pause() : socket.resume();
  }

  close(): void {
    this.cut();
    this.#server.close();
  }

  #pair(client: Socket): void {
    this.connections += 1;
    const [host, port] = this.target.split(":") as [string, string];
    const server = connect({ host, port: Number(port) });
    const pair: [Socket, Socket] = [client, server];
    this.#pairs.add(pair);
    for (const [from, to] of [pair, [server, client] as const]) {
      from.on("data", (bytes) => to.write(bytes));
      from.on("error", () => {});
      from.on("close", () => {
        this.#pairs.delete(pair);
        to.destroy();
      });
      if (this.#isFrozen) from.pause();
    }
  }
}
