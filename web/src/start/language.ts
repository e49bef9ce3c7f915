/** The start page's words in the reader's language. Whoever imports this is run when they are there. */
import { reader } from "../shared/locale.ts";
import { fetchWords, type Loaders } from "../shared/words.ts";
import type { enStart } from "../words/en-start.ts";

const LOADERS: Loaders<typeof enStart> = {
  en: async () => (await import("../words/en-start.ts")).enStart,
  de: async () => (await import("../words/de-start.ts")).deStart,
};

export const words = await fetchWords(LOADERS, reader.value);
export const say: typeof words.say = (key, holes) => words.say(key, holes);
