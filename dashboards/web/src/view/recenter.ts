// A wish to have the book back in its middle, from a key: it counts up.

import { signal } from "@preact/signals";

export const recenter = signal(0);
