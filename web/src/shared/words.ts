/**
 * Whole sentences with named holes, in the reader's language.
 *
 * Invariant: a sentence is never put together from parts; what varies with a number has a form for each
 * plural category of its language, chosen by the hole `n`.
 */
import { type Language, PSEUDO, type Reader } from "./language.ts";

export type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string };
export type Sentence = string | Forms;
export type Catalogue = Readonly<Record<string, Sentence>>;
/** Another language's catalogue: with the same sentences, each in the plural forms that it needs. */
export type Translation<C extends Catalogue> = Readonly<Record<keyof C & string, Sentence>>;
/** One file for each language, fetched alone. */
export type Loaders<C extends Catalogue> = Record<Language, () => Promise<Translation<C>>>;
export type Holes = Record<string, string | number>;

export class Words<C extends Catalogue> {
  readonly #catalogue: C;
  readonly #plural: Intl.PluralRules;
  readonly #number: Intl.NumberFormat;
  readonly locale: string;

  constructor(catalogue: C, locale: string) {
    this.#catalogue = catalogue;
    this.locale = locale;
    this.#plural = new Intl.PluralRules(locale);
    this.#number = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
  }

  /** The sentence `key` with its holes filled. */
  say(key: keyof C & string, holes: Holes = {}): string {
    const sentence = this.#catalogue[key]!;
    const form = typeof sentence === "string" ? sentence : this.#form(sentence, Number(holes.n ?? 0));
    return form.replace(/\{(\w+)\}/g, (_, name: string) => this.#fill(holes[name]));
  }

  number(value: number): string {
    return this.#number.format(value);
  }

  percent(share: number): string {
    return new Intl.NumberFormat(this.locale, { style: "percent" }).format(share);
  }

  /** A share with one decimal, for lists whose parts must add up. */
  percentFine(share: number): string {
    return new Intl.NumberFormat(this.locale, {
      style: "percent",
      minimumFractionDigits: 1,
      maximumFractionDigits: 1,
    }).format(share);
  }

  date(iso: string): string {
    return new Intl.DateTimeFormat(this.locale, {
      day: "numeric",
      month: "short",
      year: "numeric",
      timeZone: "UTC",
    }).format(new Date(iso));
  }

  /** Day and time of day where the reader is. */
  moment(iso: string): string {
    return new Intl.DateTimeFormat(this.locale, { dateStyle: "medium", timeStyle: "short" }).format(new Date(iso));
  }

  #form(forms: Forms, n: number): string {
    return forms[this.#plural.select(n)] ?? forms.other;
  }

  #fill(value: string | number | undefined): string {
    return typeof value === "number" ? this.number(value) : (value ?? "");
  }
}

/** The reader's words; the document then says which language it is in. */
export async function fetchWords<C extends Catalogue>(
  loaders: Loaders<C>,
  { language, locale, direction }: Reader,
): Promise<Words<Translation<C>>> {
  const catalogue =
    language === PSEUDO
      ? (await import("../words/pseudo.ts")).pseudo<C>(await loaders.en())
      : await loaders[language]();
  if (typeof document !== "undefined") Object.assign(document.documentElement, { lang: locale, dir: direction });
  return new Words(catalogue, locale);
}
