// What a user has chosen, kept in this browser: looks, language, watchlist. Never a token.

import { effect, type Signal, signal } from "@preact/signals";

import type { Sort } from "../model/order.js";
import type { Zone } from "../text/times.js";

export type Theme = "auto" | "dark" | "light" | "blue-orange";
export const THEMES: readonly Theme[] = ["auto", "dark", "light", "blue-orange"];
export type Language = "en" | "de";
export const LANGUAGES: readonly Language[] = ["en", "de"];

const PREFIX = "tickwire.";

interface Kept<T> {
  signal: Signal<T>;
  /** Takes what is kept by now. */
  refresh(): void;
}

/** A signal whose value outlives the page, in a store; where nothing may be kept, it is as any other. */
function keptIn<T>(of: () => Storage, name: string, first: T, isValid: (value: unknown) => boolean): Kept<T> {
  const made = signal(first);
  let known: string | null = null;
  const refresh = (): void => {
    try {
      const text = of().getItem(PREFIX + name);
      if (text === known) return;
      known = text;
      const value: unknown = text === null ? undefined : JSON.parse(text);
      if (isValid(value)) made.value = value as T;
    } catch {
      // As it is by itself.
    }
  };
  refresh();
  let isFirst = true;
  effect(() => {
    const text = JSON.stringify(made.value);
    if (!isFirst && text !== known) {
      known = text;
      try {
        of().setItem(PREFIX + name, text);
      } catch {
        // A browser that keeps nothing still shows everything.
      }
    }
    isFirst = false;
  });
  return { signal: made, refresh };
}

/** The same on all pages of a browser. */
export function kept<T>(name: string, first: T, isValid: (value: unknown) => boolean): Kept<T> {
  const made = keptIn(() => localStorage, name, first, isValid);
  addEventListener("storage", ({ key }) => key === PREFIX + name && made.refresh());
  return made;
}

/** For as long as the tab is there. */
export const keptInTab = <T>(name: string, first: T, isValid: (value: unknown) => boolean): Kept<T> => keptIn(() => sessionStorage, name, first, isValid);

const isText = (value: unknown): value is string => typeof value === "string";
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);

function preferred(): Language {
  return (navigator.languages ?? [navigator.language]).some((language) => language.toLowerCase().startsWith("de")) ? "de" : "en";
}

export const theme = kept<Theme>("theme", "auto", (value) => THEMES.includes(value as Theme)).signal;
export const language = kept<Language>("language", preferred(), (value) => LANGUAGES.includes(value as Language)).signal;
export const zone = kept<Zone>("zone", "utc", (value) => value === "utc" || value === "local").signal;
/** `null`: what the server lists first. */
export const watchlist = kept<string[] | null>("watchlist", null, isTexts).signal;
export const sort = kept<Sort>("sort", { key: "added", isDescending: false }, (value) => typeof value === "object" && value !== null).signal;
/** The smallest trade that is listed; empty: all. */
export const minSize = kept<string>("min-size", "", isText).signal;

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
