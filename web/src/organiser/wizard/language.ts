/** The wizard's words in the reader's language; fetched with the wizard only. */
import { reader } from "../../shared/locale.ts";
import { fetchWords, type Loaders } from "../../shared/words.ts";
import type { enWizard } from "../../words/en-wizard.ts";

const LOADERS: Loaders<typeof enWizard> = {
  en: async () => (await import("../../words/en-wizard.ts")).enWizard,
  de: async () => (await import("../../words/de-wizard.ts")).deWizard,
};

export const words = await fetchWords(LOADERS, reader.value);
export const say: typeof words.say = (key, holes) => words.say(key, holes);

/** A language by its own name: "Español". */
export function languageName(tag: string): string {
  const name = new Intl.DisplayNames([tag], { type: "language" }).of(tag) ?? tag;
  return name[0]!.toLocaleUpperCase(tag) + name.slice(1);
}

/** "English and Español", in the reader's language. */
export const listed = (items: readonly string[]): string => new Intl.ListFormat(words.locale).format(items);

/** Two or three signs that matter: 0.02, 3.4, 304, 12,000. */
export const measured = (value: number): string =>
  new Intl.NumberFormat(words.locale, { maximumSignificantDigits: value >= 100 ? 3 : 2 }).format(value);

export const timeOfDay = (time: number): string =>
  new Intl.DateTimeFormat(words.locale, { hour: "2-digit", minute: "2-digit" }).format(time);
