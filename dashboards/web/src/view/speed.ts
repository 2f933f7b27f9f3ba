// A speed of a replay in words.

import type { ReplaySpeed } from "@tickwire/client";

import { t } from "../text/texts.js";

export function speedText(speed: ReplaySpeed): string {
  return speed === "max" ? t("max") : `${speed}×`;
}
