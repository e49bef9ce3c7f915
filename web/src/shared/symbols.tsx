/**
 * The drawn signs: icons of the interface, badges of the tag types, the ring around a tag.
 *
 * Invariant: badges differ in shape as well as in colour; ink and white casings keep them visible on any imagery.
 */
import type { IconName } from "./contract.ts";

const INK = "#0B1015";

const SHAPES: Record<IconName, string> = {
  triangle: "M12 4.5 20 18H4Z",
  circle: "M5 12a7 7 0 1 0 14 0a7 7 0 1 0-14 0Z",
  square: "M5.5 5.5h13v13h-13Z",
  diamond: "M12 3.5 20.5 12 12 20.5 3.5 12Z",
  hexagon: "M8 5h8l4 7-4 7H8l-4-7Z",
  pentagon: "M12 4l8.2 6-3.1 9.4H6.9L3.8 10Z",
  cross: "M9.3 4.5h5.4v4.8h4.8v5.4h-4.8v4.8H9.3v-4.8H4.5V9.3h4.8Z",
  star: "m12 3 2.7 5.9 6.3.7-4.7 4.3 1.3 6.3L12 17l-5.6 3.2 1.3-6.3L3 9.600l6.3-.7Z",
};

const ICONS = {
  help: "M17.5 10a7.5 7.5 0 1 1-15 0a7.5 7.5 0 1 1 15 0ZM7.8 7.700a2.3 2.3 0 1 1 3.2 2.300c-.7.3-1 .7-1 1.500M10 14v.1",
  menu: "M3.5 5.500h13M3.5 10h13M3.5 14.500h13",
  undo: "M7 4 3.5 7.5 7 11M4 7.500h8a4.25 4.25 0 0 1 0 8.500H8",
  cloud: "M6 15.500a3.25 3.25 0 0 1-.4-6.5 4.5 4.5 0 0 1 8.7-.5 3.6 3.6 0 0 1-.3 7ZM3 3l14 14",
  skip: "m4 5 6 5-6 5ZM10.5 5l6 5-6 5Z",
  plus: "M10 4v12M4 10h12",
  minus: "M4 10h12",
  fit: "M3.5 7V3.500H7M13 3.500h3.500V7M16.5 13v3.500H13M7 16.500H3.500V13",
  check: "m4 10.5 4 4 8-9",
  close: "m5 5 10 10M15 5 5 15",
  bin: "M3.5 5.500h13M8 5V3.500h4V5M5.5 5.500l.7 11h7.600l.7-11M8.5 9v4.500M11.5 9v4.5",
  note: "m12.5 4.5 3 3L7 16l-3.5.5L4 13Z",
  move: "M10 2.500v15M2.5 10h15M7.5 5 10 2.5 12.5 5M7.5 15l2.5 2.5 2.5-2.500M5 7.5 2.5 10 5 12.500M15 7.500l2.5 2.5-2.5 2.5",
  offline:
    "M3 3l14 14M2.5 8a11 11 0 0 1 4-2.300M17.5 8A11 11 0 0 0 9.5 5.100M5.5 11.200a6.5 6.5 0 0 1 3-1.600M14.5 11.200a6.4 6.4 0 0 0-1.7-1.100M10 15.500v.1",
  pause: "M7 4.500v11M13 4.500v11",
  image: "M3 4.500h14v11H3ZM3 13l4-4 3.5 3.500L13 10l4 4M3 3l14 14",
  chevron: "m8 5 5 5-5 5",
  link: "M8.5 11.500a3 3 0 0 0 4.300 0l2.800-2.800a3 3 0 1 0-4.300-4.300l-1 1M11.5 8.500a3 3 0 0 0-4.300 0l-2.800 2.800a3 3 0 1 0 4.300 4.300l1-1",
  get: "M10 3.500v9M6 9l4 4 4-4M3.5 16.500h13",
  line: "M3.5 15 8 7l4.500 5L16.5 5",
  area: "M4 7.500 11 3.500l5.5 5-3 8H5.500Z",
  key: "M12.5 11.500a4 4 0 1 1-3.3-3.300L16 3M13.5 5.500l2.5 2.5",
  file: "M11.5 2.5h-6v15h9v-12ZM11.5 2.5v3h3",
  polygon: "M4 6.5 11 3.5l5.500 6-4 7-8-2Z",
  hole: "M3.5 3.5h13v13h-13ZM7.5 8.5l3-1.5 2.5 3-2 3-3.5-1Z",
  first: "m10 3 2.2 4.5 4.8.7-3.5 3.4.8 4.900-4.3-2.3-4.3 2.3.8-4.900L3 8.200l4.8-.7Z",
  info: "M17.5 10a7.5 7.5 0 1 1-15 0a7.5 7.5 0 1 1 15 0ZM10 9v5M10 6.2v.1",
  warn: "M10 3 17.5 16.5h-15ZM10 8v4M10 14.2v.1",
  grip: "M7.5 5v.1M7.5 10v.1M7.5 15v.1M12.5 5v.1M12.5 10v.1M12.5 15v.1",
  dots: "M4.5 10v.1M10 10v.1M15.5 10v.1",
  up: "m5 12.5 5-5 5 5",
  down: "m5 7.5 5 5 5-5",
} as const;

export type Glyph = keyof typeof ICONS;

export function Icon({ name, small, flip }: { name: Glyph; small?: boolean; flip?: boolean }) {
  return (
    <svg class={`ic${small ? " s" : ""}${flip ? " flip" : ""}`} viewBox="0 0 20 20" aria-hidden="true">
      <path d={ICONS[name]} />
    </svg>
  );
}

/** The three strokes of a badge, for use inside an `<svg>` of any size. */
export function BadgeShape({ icon, colour }: { icon: IconName; colour: string }) {
  const d = SHAPES[icon] ?? SHAPES.circle;
  return (
    <g stroke-linejoin="round">
      <path d={d} stroke={INK} stroke-width="6" />
      <path d={d} fill={colour} stroke="#fff" stroke-width="3" />
      <path d={d} fill={colour} />
    </g>
  );
}

export function Badge({ icon, colour, size = "" }: { icon: IconName; colour: string; size?: "" | "s" | "l" }) {
  return (
    <svg class={`mk ${size}`} viewBox="0 0 24 24" aria-hidden="true">
      <BadgeShape icon={icon} colour={colour} />
    </svg>
  );
}

/** A badge as an image that MapLibre can draw. */
export function badgeSvg(icon: IconName, colour: string, px: number): string {
  const d = SHAPES[icon] ?? SHAPES.circle;
  const path = (rest: string) => `<path d="${d}" ${rest}/>`;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${px}" height="${px}" viewBox="-1 -1 26 26" stroke-linejoin="round">` +
    `${path(`fill="none" stroke="${INK}" stroke-width="6"`)}${path(`fill="${colour}" stroke="#fff" stroke-width="3"`)}${path(`fill="${colour}"`)}</svg>`
  );
}

/** The open ring whose four ticks point at the exact spot; drawn around the middle of a 72 px box. */
export function Ring({ colour }: { colour: string }) {
  return (
    <g fill="none">
      <circle cx="36" cy="36" r="14" stroke={INK} stroke-width="8" opacity=".9" />
      <circle cx="36" cy="36" r="14" stroke="#fff" stroke-width="5.5" />
      <circle cx="36" cy="36" r="14" stroke={colour} stroke-width="3" />
      <path d="M36 25.500v5M36 41.500v5M25.5 36h5M41.5 36h5" stroke={INK} stroke-width="3.5" />
      <path d="M36 25v5M36 42v5M25 36h5M42 36h5" stroke="#fff" stroke-width="1.5" />
    </g>
  );
}

/** The dashed circle within which tags count as the same object. */
export function AgreementCircle({ cx, cy, r }: { cx: number; cy: number; r: number }) {
  return (
    <g fill="none">
      <circle cx={cx} cy={cy} r={r} stroke={INK} stroke-width="3" opacity=".55" />
      <circle cx={cx} cy={cy} r={r} stroke="#fff" stroke-width="1.5" stroke-dasharray="4 5" />
    </g>
  );
}

export function BrandMark() {
  return (
    <svg
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="2"
      stroke-linecap="round"
      aria-hidden="true"
    >
      <path d="M3 8V4.500A1.5 1.5 0 0 1 4.5 3H8M16 3h3.500A1.5 1.5 0 0 1 21 4.500V8M21 16v3.500a1.5 1.5 0 0 1-1.5 1.500H16M8 21H4.500A1.5 1.5 0 0 1 3 19.500V16" />
      <circle class="dot" cx="12" cy="12" r="4" stroke="none" />
    </svg>
  );
}
