// What a user has chosen, kept in this browser: looks, language, watchlist, alerts. Never a token.

import { effect, type Signal, signal } from "@preact/signals";

import type { Sort } from "../model/order.js";
import type { Zone } from "../text/times.js";

export type Theme = "auto" | "dark" | "light" | "blue-orange";
export const THEMES: readonly Theme[] = ["auto", "dark", "light", "blue-orange"];
export type Language = "en" | "de";
export const LANGUAGES: readonly Language[] = ["en", "de"];

/** A price that the server watches for. */
export interface AlertWish {
  alert: string;
  symbol: string;
  field: "last_price" | "bid_price" | "ask_price" | "change_percent";
  above?: string;
  below?: string;
  repeat?: boolean;
  /** How it stood when this browser last knew. */
  state?: "armed" | "beyond" | "done";
  fired?: number;
}

const PREFIX = "tickwire.";

/** A signal whose value outlives the page, the same on all pages of a browser; where nothing may be kept, it is as any other. */
function kept<T>(name: string, first: T, isValid: (value: unknown) => boolean): Signal<T> {
  const made = signal(first);
  const read = (): void => {
    try {
      const text = localStorage.getItem(PREFIX + name);
      const value: unknown = text === null ? undefined : JSON.parse(text);
      if (isValid(value)) made.value = value as T;
    } catch {
      // As it is by itself.
    }
  };
  read();
  addEventListener("storage", ({ key }) => key === PREFIX + name && read());
  let isFirst = true;
  effect(() => {
    const text = JSON.stringify(made.value);
    if (isFirst) isFirst = false;
    else store(name, text);
  });
  return made;
}

function store(name: string, text: string): void {
  try {
    localStorage.setItem(PREFIX + name, text);
  } catch {
    // A browser that keeps nothing still shows everything.
  }
}

const isText = (value: unknown): value is string => typeof value === "string";
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);

function preferred(): Language {
  return (navigator.languages ?? [navigator.language]).some((language) => language.toLowerCase().startsWith("de")) ? "de" : "en";
}

export const theme = kept<Theme>("theme", "auto", (value) => THEMES.includes(value as Theme));
export const language = kept<Language>("language", preferred(), (value) => LANGUAGES.includes(value as Language));
export const zone = kept<Zone>("zone", "utc", (value) => value === "utc" || value === "local");
/** `null`: what the server lists first. */
export const watchlist = kept<string[] | null>("watchlist", null, isTexts);
export const sort = kept<Sort>("sort", { key: "added", isDescending: false }, (value) => typeof value === "object" && value !== null);
/** The smallest trade that is listed; empty: all. */
export const minSize = kept<string>("min-size", "", isText);
export const alertWishes = kept<readonly AlertWish[]>("alerts", [], Array.isArray);

const darkness = matchMedia("(prefers-color-scheme: light)");
const isBright = signal(darkness.matches);
darkness.addEventListener("change", () => (isBright.value = darkness.matches));

/** The palette that is in force. */
export function palette(): Exclude<Theme, "auto"> {
  return theme.value === "auto" ? (isBright.value ? "light" : "dark") : theme.value;
}

const calmness = matchMedia("(prefers-reduced-motion: reduce)");
/** Nothing flashes. */
export const isCalm = signal(calmness.matches);
calmness.addEventListener("change", () => (isCalm.value = calmness.matches));
