/**
 * English in a made-up accent, two fifths longer, for finding texts that were never translated and boxes that are too
 * small. A chunk of its own that only `?lang=x-rtl` loads.
 */
import type { Catalogue, Sentence, Translation } from "../shared/words.ts";

const ACCENTS: Record<string, string> = {
  a: "á",
  e: "é",
  i: "í",
  o: "ó",
  u: "ú",
  A: "Á",
  E: "É",
  I: "Í",
  O: "Ó",
  U: "Ú",
};

/** Every vowel twice makes words longer, as German does, where more words would only wrap. Holes stay as they are. */
const distort = (text: string): string =>
  text
    .split(/(\{\w+\})/)
    .map((part) => (part.startsWith("{") ? part : part.replace(/[aeiou]/gi, (vowel) => ACCENTS[vowel]!.repeat(2))))
    .join("");

const disguise = (sentence: Sentence): Sentence =>
  typeof sentence === "string"
    ? distort(sentence)
    : { other: "", ...Object.fromEntries(Object.entries(sentence).map(([form, text]) => [form, distort(text)])) };

export function pseudo<C extends Catalogue>(catalogue: Translation<C>): Translation<C> {
  const entries = Object.entries<Sentence>(catalogue).map(([key, sentence]) => [key, disguise(sentence)]);
  return Object.fromEntries(entries) as Translation<C>;
}
