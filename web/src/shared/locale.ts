/** The reader of this page, and the campaign's texts in the best language for them. */
import { signal } from "@preact/signals";
import type { Texts } from "./contract.ts";
import { CHOICE, type Language, type Reader, readerHere, readerOf } from "./language.ts";

export interface Localised {
  text: string;
  /** The language of `text`; set it as `lang` when it is not the page's. */
  lang: string;
}

/** Unit tests have neither an address nor a browser. */
const hasPage = typeof location !== "undefined" && typeof navigator !== "undefined";

export const reader = signal<Reader>(hasPage ? readerHere() : readerOf(null, null, []));

/** Remembers the choice on this device; it goes before the address's and the browser's. */
export function choose(language: Language): void {
  try {
    localStorage.setItem(CHOICE, language);
  } catch {
    // Storage is forbidden here: the choice lives as long as the page.
  }
  reader.value = readerOf(null, language, navigator.languages);
}

const wantedHere = (): readonly string[] => [reader.value.locale, ...(hasPage ? navigator.languages : [])];

/** The languages of the campaign on this page, in its organisers' order. */
export const campaignLanguages = signal<readonly string[]>([]);

/** The text in the reader's best language, else in the campaign's first. */
export function pick(
  texts: Texts | null | undefined,
  order: readonly string[] = campaignLanguages.value,
  wanted: readonly string[] = wantedHere(),
): Localised {
  const offered = Object.keys(texts ?? {});
  for (const language of [...wanted, ...order]) {
    const exact = offered.find((tag) => tag.toLowerCase() === language.toLowerCase());
    const near = exact ?? offered.find((tag) => tag.split("-")[0] === language.split("-")[0]);
    if (near) return { text: texts![near]!, lang: near };
  }
  const first = offered[0];
  return first === undefined ? { text: "", lang: "" } : { text: texts![first]!, lang: first };
}
