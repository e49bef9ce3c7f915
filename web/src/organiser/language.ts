/** The organiser's words; loaded with the page, because nothing of it is needed before the rest. */
import { Words } from "../shared/words.ts";
import { enOrganiser } from "../words/en-organiser.ts";

export const words = new Words(enOrganiser, navigator.languages.find((tag) => tag.startsWith("en")) ?? "en");
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
