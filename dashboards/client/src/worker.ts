// The file that a page starts as its worker.

import { serveWorker } from "./worker-host.js";

serveWorker(globalThis as never);
