/** What the pointer will mark: the exact point, the circle of agreement in true metres, the chosen type. */
import { signal } from "@preact/signals";
import { AgreementCircle, BadgeShape } from "../../shared/symbols.tsx";
import { chosenTag, chosenType, isBare, isReady, typeOf } from "../store.ts";
import { agreementPx } from "../tagging.ts";
import { crosshair, isInSquare, metresPerPx, type Point, squareBox } from "./view.ts";

/** Where the mouse is over the image. */
export const hover = signal<Point | null>(null);
/** True while the image has the keyboard's focus: the aim stands in the middle. */
export const isKeyboardAiming = signal(false);

const CROSS = "M60 44v10M60 66v10M44 60h10M66 60h10";

export function Aim() {
  const at = hover.value ?? (isKeyboardAiming.value ? crosshair.value : null);
  const box = squareBox.value;
  if (!at || !box || !isReady.value || isBare.value || chosenTag.value || !isInSquare(at)) return null;
  const { icon, colour, kind } = typeOf(chosenType.value);
  const radius = kind === "Point" ? agreementPx(metresPerPx.value, box.side) : null;
  const badge = 60 + Math.min(46, Math.max(14, (radius ?? 16) * 0.7)) - 5;
  return (
    <svg
      class="aim"
      viewBox="0 0 120 120"
      aria-hidden="true"
      style={{ transform: `translate(${at.x - 60}px, ${at.y - 60}px)` }}
    >
      {radius !== null && <AgreementCircle cx={60} cy={60} r={radius} />}
      <path d={CROSS} stroke="#0B1015" stroke-width="4" />
      <path d={CROSS} stroke="#fff" stroke-width="1.75" />
      <svg x={badge - 4} y={120 - badge - 14} width="18" height="18" viewBox="0 0 24 24" overflow="visible">
        <BadgeShape icon={icon} colour={colour} />
      </svg>
    </svg>
  );
}
