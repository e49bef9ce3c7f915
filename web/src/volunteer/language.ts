/** The volunteer's words in the reader's language; each language is a file of its own, loaded alone. */
import { signal } from "@preact/signals";
import type { Language } from "../shared/language.ts";
import { choose, reader } from "../shared/locale.ts";
import { fetchWords, type Loaders, type Translation, type Words } from "../shared/words.ts";
import type { en } from "../words/en.ts";

type VolunteerWords = Words<Translation<typeof en>>;

const LOADERS: Loaders<typeof en> = {
  en: async () => (await import("../words/en.ts")).en,
  de: async () => (await import("../words/de.ts")).de,
};

/** Changes with the language, so that whatever said something in a rendering says it again. */
const current = signal<VolunteerWords | null>(null);
let loading: Promise<void> | null = null;

export let words: VolunteerWords;

async function fetchThem(): Promise<void> {
  words = await fetchWords(LOADERS, reader.value);
  current.value = words;
}

/** Loads the best language we have for this reader; asked again, it waits for the same file. */
export function loadWords(): Promise<void> {
  loading ??= fetchThem();
  return loading;
}

/** Goes on in another language, without losing what is on the page. */
export async function speak(language: Language): Promise<void> {
  choose(language);
  loading = fetchThem();
  await loading;
}

export const say: VolunteerWords["say"] = (key, holes) => (current.value ?? words).say(key, holes);
