/** Which language the reader gets, and how numbers and dates look in it. */
import type { Texts } from "./contract.ts";

export interface Localised {
  text: string;
  /** The language of `text`; set it as `lang` when it is not the page's. */
  lang: string;
}

/** The text in the reader's best language, else in the campaign's first. */
export function pick(texts: Texts | null | undefined, wanted: readonly string[] = navigator.languages): Localised {
  const offered = Object.keys(texts ?? {});
  for (const language of wanted) {
    const exact = offered.find((tag) => tag.toLowerCase() === language.toLowerCase());
    const near = exact ?? offered.find((tag) => tag.split("-")[0] === language.split("-")[0]);
    if (near) return { text: texts![near]!, lang: near };
  }
  const first = offered[0];
  return first === undefined ? { text: "", lang: "" } : { text: texts![first]!, lang: first };
}
