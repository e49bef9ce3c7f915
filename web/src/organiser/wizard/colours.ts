/**
 * How far two colours are apart for the eye: CIEDE2000 (Sharma, Wu and Dalal 2005), from sRGB under D65.
 *
 * Invariant: `difference` is symmetric and 0 only for equal colours.
 */
type Lab = readonly [L: number, a: number, b: number];

/** Nearer than this, two tag types are easily mistaken for each other. */
export const NEAR = 12;

/** The difference of two `#rrggbb` colours. */
export const difference = (one: string, other: string): number => ciede2000(labOf(one), labOf(other));

/** The colour among `others` that is nearest, if it is too near. */
export function tooNear<T extends { colour: string }>(colour: string, others: readonly T[]): T | null {
  let best: T | null = null;
  let least = NEAR;
  for (const other of others) {
    const apart = difference(colour, other.colour);
    if (apart < least) [best, least] = [other, apart];
  }
  return best;
}

export function labOf(hex: string): Lab {
  const [r, g, b] = [1, 3, 5].map((at) => linear(Number.parseInt(hex.slice(at, at + 2), 16) / 255)) as [
    number,
    number,
    number,
  ];
  const x = (0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047;
  const y = 0.2126729 * r + 0.7151522 * g + 0.072175 * b;
  const z = (0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883;
  const [fx, fy, fz] = [f(x), f(y), f(z)] as [number, number, number];
  return [116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)];
}

const linear = (c: number): number => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
const f = (t: number): number => (t > (6 / 29) ** 3 ? Math.cbrt(t) : t / (3 * (6 / 29) ** 2) + 4 / 29);

const rad = (degrees: number): number => (degrees * Math.PI) / 180;
const hue = (a: number, b: number): number => {
  if (a === 0 && b === 0) return 0;
  const degrees = (Math.atan2(b, a) * 180) / Math.PI;
  return degrees < 0 ? degrees + 360 : degrees;
};

/** The formula with kL = kC = kH = 1; names as in the paper. */
export function ciede2000([L1, a1, b1]: Lab, [L2, a2, b2]: Lab): number {
  const meanC = (Math.hypot(a1, b1) + Math.hypot(a2, b2)) / 2;
  const G = 0.5 * (1 - Math.sqrt(meanC ** 7 / (meanC ** 7 + 25 ** 7)));
  const [a1p, a2p] = [(1 + G) * a1, (1 + G) * a2];
  const [C1, C2] = [Math.hypot(a1p, b1), Math.hypot(a2p, b2)];
  const [h1, h2] = [hue(a1p, b1), hue(a2p, b2)];
  const isGrey = C1 * C2 === 0;

  const turn = h2 - h1;
  const dh = isGrey ? 0 : turn > 180 ? turn - 360 : turn < -180 ? turn + 360 : turn;
  const dL = L2 - L1;
  const dC = C2 - C1;
  const dH = 2 * Math.sqrt(C1 * C2) * Math.sin(rad(dh / 2));

  const L = (L1 + L2) / 2;
  const C = (C1 + C2) / 2;
  const sum = h1 + h2;
  const h = isGrey ? sum : Math.abs(turn) <= 180 ? sum / 2 : sum < 360 ? (sum + 360) / 2 : (sum - 360) / 2;

  const T =
    1 -
    0.17 * Math.cos(rad(h - 30)) +
    0.24 * Math.cos(rad(2 * h)) +
    0.32 * Math.cos(rad(3 * h + 6)) -
    0.2 * Math.cos(rad(4 * h - 63));
  const SL = 1 + (0.015 * (L - 50) ** 2) / Math.sqrt(20 + (L - 50) ** 2);
  const SC = 1 + 0.045 * C;
  const SH = 1 + 0.015 * C * T;
  const RC = 2 * Math.sqrt(C ** 7 / (C ** 7 + 25 ** 7));
  const RT = -Math.sin(rad(60 * Math.exp(-(((h - 275) / 25) ** 2)))) * RC;
  const [l, c, s] = [dL / SL, dC / SC, dH / SH];
  return Math.sqrt(l * l + c * c + s * s + RT * c * s);
}
