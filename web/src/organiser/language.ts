/** The organiser's words in the reader's language. Whoever imports this is run when they are there. */
import { reader } from "../shared/locale.ts";
import { fetchWords, type Loaders } from "../shared/words.ts";
import type { enOrganiser } from "../words/en-organiser.ts";

const LOADERS: Loaders<typeof enOrganiser> = {
  en: async () => (await import("../words/en-organiser.ts")).enOrganiser,
  de: async () => (await import("../words/de-organiser.ts")).deOrganiser,
};

export const words = await fetchWords(LOADERS, reader.value);
export const say: typeof words.say = (key, holes) => words.say(key, holes);

/** "23 s ago", in the reader's language. */
export function ago(iso: string, now: number): string {
  const seconds = Math.round((new Date(iso).getTime() - now) / 1000);
  const format = new Intl.RelativeTimeFormat(words.locale, { numeric: "auto", style: "short" });
  if (seconds > -60) return format.format(Math.min(0, seconds), "second");
  if (seconds > -3600) return format.format(Math.round(seconds / 60), "minute");
  if (seconds > -86_400) return format.format(Math.round(seconds / 3600), "hour");
  return format.format(Math.round(seconds / 86_400), "day");
}
