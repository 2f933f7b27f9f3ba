// A real server with a simulated market, in a process of its own; it ends with the test.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

import { until } from "./until.js";

const PROGRAM = resolve(process.env.TICKWIRE_PROGRAM ?? "../../target/debug/tickwire");
const ENVIRONMENT = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("TICKWIRE_")));

export interface PlantOptions {
  /** More lines of `[server]`. */
  server?: string;
  /** Tables behind it. */
  config?: string;
  listen?: string;
}

export const SIM = '[[feed]]\nname = "sim"\nkind = "sim"\nsymbols = 6\nrate = 600\n';
/** Behind it, so that tests may ask often. */
export const MANY_REQUESTS = "[limits]\nrequests_per_second = 1000\n";

export class Plant {
  /** `127.0.0.1:port`. */
  address = "";
  admin = "";
  log = "";
  #process: ChildProcess | undefined;

  /** Of a folder that another one has: the same configuration. */
  constructor(readonly folder = mkdtempSync(join(tmpdir(), "tickwire-client-"))) {}

  static async start(options: PlantOptions = {}): Promise<Plant> {
    if (!existsSync(PROGRAM)) throw new Error(`there is no server program ${PROGRAM}: build it, or say where in TICKWIRE_PROGRAM`);
    const plant = new Plant();
    writeFileSync(join(plant.folder, "secret.key"), "a secret of at least thirty-two bytes");
    plant.configure(options);
    await plant.run();
    return plant;
  }

  /** Writes the configuration, for this and coming runs. */
  configure({ server = "", config = MANY_REQUESTS + SIM, listen = "127.0.0.1:0" }: PlantOptions): void {
    const always = `[server]\nlisten = "${listen}"\nadmin_listen = "127.0.0.1:0"\n${server}`;
    const keys = '[[auth.keys]]\nid = "main"\nalgorithm = "HS256"\nsecret_file = "secret.key"\n';
    writeFileSync(join(this.folder, "tickwire.toml"), always + keys + config);
  }

  get url(): string {
    return `ws://${this.address}/v1/stream`;
  }

  async run(): Promise<void> {
    const args = ["serve", "--log-format", "json", "-c", join(this.folder, "tickwire.toml")];
    const child = spawn(PROGRAM, args, { env: ENVIRONMENT, stdio: ["ignore", "ignore", "pipe"] });
    this.#process = child;
    this.address = "";
    createInterface({ input: child.stderr! }).on("line", (line) => {
      this.log += `${line}\n`;
      const found = /serving ws:\/\/([^/]+)\/v1\/stream, metrics at http:\/\/([^/]+)\/metrics/.exec(line);
      if (found !== null) [this.address, this.admin] = [found[1]!, found[2]!];
    });
    await until(() => {
      if (child.exitCode !== null) throw new Error(`the server ended: ${this.log}`);
      return this.address !== "";
    }, "the server starts");
    await until(async () => (await fetch(`http://${this.admin}/readyz`)).ok, "the server is ready");
  }

  signal(name: NodeJS.Signals): void {
    this.#process?.kill(name);
  }

  async ended(): Promise<void> {
    const child = this.#process!;
    await until(() => child.exitCode !== null || child.signalCode !== null, "the server ends");
  }

  async stop(): Promise<void> {
    this.signal("SIGKILL");
    await this.ended();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A token made by `tickwire token mint`. */
  token(scopes: string[] = ["stream:*"], ttl = "10m", subject = "alice"): string {
    const config = ["-c", join(this.folder, "tickwire.toml"), "--kid", "main"];
    const wish = ["--sub", subject, "--ttl", ttl, ...scopes.flatMap((scope) => ["--scope", scope])];
    return execFileSync(PROGRAM, ["token", "mint", ...config, ...wish], { env: ENVIRONMENT, encoding: "utf8" }).trim();
  }
}
