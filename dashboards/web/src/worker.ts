// The file that runs beside the page: the session lives here, so that a busy page delays no message.

import { serveWorker } from "@tickwire/client";

serveWorker(globalThis as never);
