/** The volunteer's words in the reader's language; each language is a file of its own, loaded alone. */
import { Words } from "../shared/words.ts";
import type { en } from "../words/en.ts";

type Loader = () => Promise<Record<string, string | Partial<Record<Intl.LDMLPluralRule, string>>>>;

const LANGUAGES: Record<string, Loader> = {
  en: async () => (await import("../words/en.ts")).en,
};

type VolunteerWords = Words<Record<keyof typeof en, string | Partial<Record<Intl.LDMLPluralRule, string>>>>;

export let words: VolunteerWords;

/** Loads the best language we have for this reader. */
export async function loadWords(): Promise<void> {
  const wanted = navigator.languages.map((tag) => tag.split("-")[0]!);
  const language = wanted.find((tag) => tag in LANGUAGES) ?? "en";
  const regional = navigator.languages.find((tag) => tag.split("-")[0] === language) ?? language;
  words = new Words((await LANGUAGES[language]!()) as never, regional);
  document.documentElement.lang = language;
}

export const say: VolunteerWords["say"] = (key, holes) => words.say(key, holes);
