/**
 * The address of a tile source as somebody pastes it.
 *
 * Invariant: pure. What `masked` gives never holds the value of a secret that the server has named.
 */
const HOLES = new Set(
  "z x y -y zoom quadkey q switch s tilematrix tilecol tilerow tilematrixset bbox width height proj style layer r".split(
    " ",
  ),
);
export const DOTS = "••••";

/** Is there enough of it to be tried? */
export const isWhole = (address: string): boolean =>
  /^https?:\/\/[^/\s]+\.?[^/\s]*\/\S*\{[^}]+\}/i.test(address.trim());

/** The names in braces that are no part of a tile's place: the source wants a secret there. */
export function secretHoles(address: string): string[] {
  const names = [...address.matchAll(/\{([^{}]+)\}/g)].map((match) => match[1]!);
  return [...new Set(names.filter((name) => !HOLES.has(name.toLowerCase().split(":")[0]!)))];
}

/** The address with dots for every secret that the server has found in it. */
export function masked(address: string, secrets: readonly string[]): string {
  return secrets.reduce((shown, name) => {
    const plain = name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    return shown.replace(new RegExp(`([?&]${plain}=)[^&#]*`, "gi"), `$1${DOTS}`).replaceAll(`{${name}}`, DOTS);
  }, address);
}

/** "2019-02-12 01:40 UTC", "2019-02-12T01:40Z", "2019-02-12": as an instant; null for what is no date. */
export function takenAt(text: string): string | null {
  const found = /^(\d{4})-(\d{2})-(\d{2})(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?\s*(?:UTC|GMT|Z)?$/i.exec(text.trim());
  if (!found) return null;
  const [, year, month, day, hour = "0", minute = "0", second = "0"] = found;
  const time = Date.UTC(+year!, +month! - 1, +day!, +hour, +minute, +second);
  const isReal = new Date(time).getUTCDate() === Number(day) && new Date(time).getUTCMonth() === Number(month) - 1;
  return isReal ? new Date(time).toISOString() : null;
}
