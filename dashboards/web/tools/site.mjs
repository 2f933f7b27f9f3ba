// Serves `dist` as the binary does, with the strict policy, and passes `/v1` on to a plant: requests and WebSockets.

import { readFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import { connect } from "node:net";
import { extname, join, normalize, resolve } from "node:path";

/** npm runs its scripts in the package's folder. */
const DIST = resolve("dist");

export const POLICY = [
  "default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src 'self' data:", "font-src 'self'", "worker-src 'self'",
  "manifest-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'",
].join("; ");

const TYPES = {
  ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml",
  ".woff2": "font/woff2", ".txt": "text/plain; charset=utf-8", ".webmanifest": "application/manifest+json",
};

export class Site {
  #server = createServer((asked, answer) => void this.#serve(asked, answer));
  #sockets = new Set();
  /** Those of them that lead to the plant. */
  #passed = new Set();
  /** Whether guests get to the plant. */
  welcomes = true;
  /** More files, by path: a page to compare with. */
  files = new Map();

  /** @param {import("./plant.mjs").Plant} plant */
  constructor(plant) {
    this.plant = plant;
    this.#server.on("upgrade", (asked, socket, head) => this.#upgrade(asked, socket, head));
  }

  async listen(port = 0) {
    await new Promise((done) => this.#server.listen(port, "127.0.0.1", () => done(undefined)));
    return this;
  }

  get url() {
    return `http://127.0.0.1:${this.#server.address().port}/`;
  }

  async close() {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  /** How many WebSockets were passed on so far. */
  connections = 0;

  /** Breaks all WebSockets. */
  cut() {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** So many bytes a second of WebSockets that are passed on from here on are read of the plant. */
  pace = Number.POSITIVE_INFINITY;

  /** The plant loses all WebSockets, and the page hears nothing of it: neither bytes nor an end. */
  bury() {
    for (const socket of this.#sockets) {
      socket.unpipe();
      socket.removeAllListeners("close");
      socket.pause();
    }
    for (const socket of this.#passed) socket.destroy();
  }

  async #serve(asked, answer) {
    const { pathname } = new URL(asked.url, "http://localhost");
    if (pathname === "/v1/guests" && !this.welcomes) return answer.writeHead(404, { "Content-Type": "application/problem+json" }).end("{}");
    if (pathname.startsWith("/v1/")) return this.#pass(asked, answer);
    const path = pathname === "/" ? "/index.html" : pathname;
    try {
      const body = this.files.get(path) ?? (await readFile(join(DIST, normalize(path))));
      answer.writeHead(200, {
        "Content-Type": TYPES[extname(path)] ?? "application/octet-stream", "Content-Security-Policy": this.files.has(path) ? "" : POLICY, "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer", "Cache-Control": path.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache",
      });
      answer.end(body);
    } catch {
      answer.writeHead(404).end();
    }
  }

  #target() {
    const [hostname, port] = this.plant.address.split(":");
    return { hostname, port };
  }

  #pass(asked, answer) {
    const fail = () => answer.headersSent || answer.writeHead(502).end();
    if (this.plant.address === "") return fail();
    const headers = { ...asked.headers, host: this.plant.address };
    delete headers.origin;
    const passed = request({ ...this.#target(), path: asked.url, method: asked.method, headers }, (got) => {
      answer.writeHead(got.statusCode, got.headers);
      got.pipe(answer);
    });
    passed.on("error", fail);
    asked.pipe(passed);
  }

  #upgrade(asked, socket, head) {
    if (this.plant.address === "") return socket.destroy();
    const { hostname, port } = this.#target();
    this.connections += 1;
    const passed = connect(Number(port), hostname, () => {
      const names = asked.rawHeaders;
      const lines = [`GET ${asked.url} HTTP/1.1`];
      for (let at = 0; at < names.length; at += 2) {
        const name = names[at].toLowerCase();
        if (name === "host") lines.push(`Host: ${this.plant.address}`);
        else if (name === "origin") lines.push(`Origin: http://${this.plant.address}`);
        else lines.push(`${names[at]}: ${names[at + 1]}`);
      }
      passed.write(`${lines.join("\r\n")}\r\n\r\n`);
      passed.write(head);
      if (this.pace === Number.POSITIVE_INFINITY) passed.pipe(socket);
      else slowly(passed, socket, this.pace);
      socket.pipe(passed);
    });
    this.#passed.add(passed);
    passed.on("close", () => this.#passed.delete(passed));
    for (const one of [socket, passed]) {
      this.#sockets.add(one);
      one.on("error", () => {});
      one.on("close", () => (this.#sockets.delete(one), socket.destroy(), passed.destroy()));
    }
  }
}

/** Reads as who has not more than so many bytes a second. */
function slowly(from, to, pace) {
  from.on("data", (bytes) => {
    to.write(bytes);
    from.pause();
    setTimeout(() => from.resume(), (bytes.length / pace) * 1000);
  });
}
