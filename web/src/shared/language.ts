/**
 * Which of our languages the reader gets: the one that the address names, else the one chosen on this device, else the
 * browser's first that we have.
 *
 * Invariant: no imports, because the boot script carries this too.
 */

/** Our languages, each by its own name. */
export const LANGUAGES = { en: "English", de: "Deutsch" } as const;

export type Language = keyof typeof LANGUAGES;

/** English in a made-up accent, longer and from right to left: `?lang=x-rtl` shows what a translation would break. */
export const PSEUDO = "x-rtl";

export interface Reader {
  readonly language: Language | typeof PSEUDO;
  /** With the region, for `lang` and for numbers and dates. */
  readonly locale: string;
  readonly direction: "ltr" | "rtl";
}

export const CHOICE = "spotter.language";

const primary = (tag: string) => tag.toLowerCase().split("-")[0]!;
const isOurs = (tag: string): tag is Language => Object.hasOwn(LANGUAGES, tag);

/** `asked` is the address's, `chosen` this device's; `wanted` are the browser's languages, best first. */
export function readerOf(asked: string | null, chosen: string | null, wanted: readonly string[]): Reader {
  // "x-rtl" alone is no language that Intl or `lang` knows.
  if (asked === PSEUDO) return { language: PSEUDO, locale: `en-${PSEUDO}`, direction: "rtl" };
  const ours = [asked ?? "", chosen ?? "", ...wanted].map(primary).find(isOurs) ?? "en";
  const regional = [asked ?? "", ...wanted].find((tag) => primary(tag) === ours);
  return { language: ours, locale: regional ?? ours, direction: "ltr" };
}

/** The reader of this page. */
export function readerHere(): Reader {
  let chosen: string | null = null;
  try {
    chosen = localStorage.getItem(CHOICE);
  } catch {
    // Storage is forbidden here: the browser's languages decide.
  }
  return readerOf(new URLSearchParams(location.search).get("lang"), chosen, navigator.languages);
}
