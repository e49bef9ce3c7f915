/**
 * Whole sentences with named holes, in the reader's language.
 *
 * Invariant: a sentence is never put together from parts; what varies with a number has a form for each
 * plural category of its language, chosen by the hole `n`.
 */
export type Sentence = string | Partial<Record<Intl.LDMLPluralRule, string>>;
export type Catalogue = Record<string, Sentence>;
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

  #form(forms: Partial<Record<Intl.LDMLPluralRule, string>>, n: number): string {
    return forms[this.#plural.select(n)] ?? forms.other ?? "";
  }

  #fill(value: string | number | undefined): string {
    return typeof value === "number" ? this.number(value) : (value ?? "");
  }
}
