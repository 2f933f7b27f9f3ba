// Waiting for conditions, never for time.

import { setTimeout as sleep } from "node:timers/promises";

const PATIENCE_MS = 120_000;

export async function until(holds: () => unknown, what: string, patienceMs = PATIENCE_MS): Promise<void> {
  const end = Date.now() + patienceMs;
  for (;;) {
    if (await holds()) return;
    if (Date.now() > end) throw new Error(`it never came that ${what}`);
    await sleep(20);
  }
}
