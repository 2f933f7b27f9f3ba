// The words of the page in the chosen language, and numbers as it writes them.

import { computed } from "@preact/signals";

import { language } from "../feed/settings.js";
import { de } from "./de.js";
import { en, type Texts } from "./en.js";
import { marksOf } from "./numbers.js";

const ALL: Record<typeof language.value, Texts> = { en, de };

const texts = computed(() => ALL[language.value]);
export const marks = computed(() => marksOf(language.value));

/** A text of the page, with values put in. */
export function t(key: keyof Texts, values?: Record<string, string | number>): string {
  const text = texts.value[key];
  return values === undefined ? text : fill(text, values);
}

export function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (all, name: string) => String(values[name] ?? all));
}

/** A whole number, grouped. */
export function count(value: number): string {
  return new Intl.NumberFormat(language.value).format(value);
}
