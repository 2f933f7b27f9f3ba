// A real server with a simulated market and a recording, in a process of its own, for developing and testing.

import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

/** npm runs its scripts in the package's folder. */
const PROGRAM = resolve(process.env.TICKWIRE_PROGRAM ?? "../../target/debug/tickwire");
const ENVIRONMENT = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("TICKWIRE_")));

export class Plant {
  folder = mkdtempSync(join(tmpdir(), "tickwire-web-"));
  /** `127.0.0.1:port`; empty while it does not run. */
  address = "";
  log = "";
  /** @type {import("node:child_process").ChildProcess | undefined} */
  #process;
  /** @type {string[]} */
  #args = [];

  /** @param {{ symbols?: number, rate?: number, recording?: boolean, guests?: string[], auth?: string, limits?: string, config?: string, extra?: string, args?: string[] }} [options] */
  static async start(options = {}) {
    const plant = new Plant();
    const { symbols = 24, rate = 600, recording = true, guests = ["stream:*", "replay"], auth = "", limits = "", config = "", extra = "", args = [] } = options;
    plant.#args = args;
    writeFileSync(join(plant.folder, "secret.key"), "a secret of at least thirty-two bytes");
    const lines = [
      '[server]\nlisten = "127.0.0.1:0"\nadmin_listen = "127.0.0.1:0"\ndrain = "0s"\n' + config,
      `[auth]\nguests = ${JSON.stringify(guests)}\n${auth}`,
      '[[auth.keys]]\nid = "main"\nalgorithm = "HS256"\nsecret_file = "secret.key"',
      recording ? '[recording]\nfolder = "recordings"' : "",
      `[limits]\nrequests_per_second = 200\n${limits}`,
      `[[feed]]\nname = "sim"\nkind = "sim"\nseed = 7\nsymbols = ${symbols}\nrate = ${rate}`,
      extra,
    ];
    writeFileSync(join(plant.folder, "tickwire.toml"), lines.join("\n"));
    await plant.run();
    return plant;
  }

  async run() {
    const child = spawn(PROGRAM, ["serve", "--log-format", "json", "-c", join(this.folder, "tickwire.toml"), ...this.#args], { env: ENVIRONMENT, stdio: ["ignore", "ignore", "pipe"] });
    this.#process = child;
    await new Promise((done, failed) => {
      child.once("exit", () => failed(new Error(`the server ended: ${this.log}`)));
      createInterface({ input: child.stderr }).on("line", (line) => {
        this.log += `${line}\n`;
        const found = /serving ws:\/\/([^/]+)\/v1\/stream/.exec(line);
        if (found === null) return;
        this.address = found[1];
        done(undefined);
      });
    });
  }

  /** Ends at once, as in a crash. */
  async kill() {
    const child = this.#process;
    this.address = "";
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((done) => child.once("exit", done));
    child.kill("SIGKILL");
    await ended;
  }

  /** Holds all of it still, so that the line is silent; and goes on. */
  hold() {
    this.#process?.kill("SIGSTOP");
  }

  release() {
    this.#process?.kill("SIGCONT");
  }

  async stop() {
    this.release();
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  token(scopes = ["stream:*", "replay"], subject = "tester", ttl = "4h") {
    const wish = ["--sub", subject, "--ttl", ttl, ...scopes.flatMap((scope) => ["--scope", scope])];
    return execFileSync(PROGRAM, ["token", "mint", "-c", join(this.folder, "tickwire.toml"), "--kid", "main", ...wish], { env: ENVIRONMENT, encoding: "utf8" }).trim();
  }

  /** What the server itself answers. */
  async get(path, token = this.token()) {
    const answer = await fetch(`http://${this.address}${path}`, { headers: { Authorization: `Bearer ${token}` } });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }
}
