/**
 * Names in addresses, made from what people write.
 *
 * Invariant: what comes out satisfies the API's pattern `^[a-z0-9][a-z0-9_-]*$`, 64 signs at most, or is empty.
 */
export const SLUG_MOST = 64;
/** Words of the API and of the pages' own addresses. */
const RESERVED = new Set(["preview", "new"]);

const PLAIN: Record<string, string> = {
  ß: "ss",
  ä: "ae",
  ö: "oe",
  ü: "ue",
  æ: "ae",
  œ: "oe",
  ø: "o",
  đ: "d",
  ł: "l",
  þ: "th",
};

/** "Find the missing light aircraft" → "find-the-missing-light-aircraft"; empty when no letter can be kept. */
export function slugOf(text: string): string {
  const plain = text
    .toLowerCase()
    .replace(/[ßäöüæœøđłþ]/g, (letter) => PLAIN[letter]!)
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/['’]/g, "")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
  const slug = shortened(plain);
  return RESERVED.has(slug) ? `${slug}-1` : slug;
}

export const isSlug = (slug: string): boolean =>
  /^[a-z0-9][a-z0-9_-]*$/.test(slug) && slug.length <= SLUG_MOST && !RESERVED.has(slug);

/** The next one to try when a slug is taken: "a" → "a-2" → "a-3". */
export function nextSlug(slug: string): string {
  const [, stem = slug, number] = /^(.*?)-(\d{1,3})$/.exec(slug) ?? [];
  const tail = `-${number === undefined ? 2 : Number(number) + 1}`;
  return stem.slice(0, SLUG_MOST - tail.length) + tail;
}

/** Keys for names, in order, none twice. */
export function keysOf(names: readonly string[]): string[] {
  const keys: string[] = [];
  for (const [i, name] of names.entries()) {
    let key = slugOf(name) || `type-${i + 1}`;
    while (keys.includes(key)) key = nextSlug(key);
    keys.push(key);
  }
  return keys;
}

/** Cut at a word's end, where there is one in the second half. */
function shortened(plain: string): string {
  if (plain.length <= SLUG_MOST) return plain;
  const cut = plain.slice(0, SLUG_MOST);
  const word = cut.lastIndexOf("-");
  return (word > SLUG_MOST / 2 ? cut.slice(0, word) : cut).replace(/-+$/, "");
}
