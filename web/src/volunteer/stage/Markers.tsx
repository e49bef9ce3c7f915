/**
 * The tags on the image: real buttons, with the exact spot left visible in the middle of the ring. A line or polygon
 * has its sign at one of its vertices; what it looks like is drawn by Shapes.
 */
import { useRef } from "preact/hooks";
import { AgreementCircle, BadgeShape, Icon, Ring } from "../../shared/symbols.tsx";
import type { DraftTag } from "../draft.ts";
import { say } from "../language.ts";
import { anchorOf } from "../shape.ts";
import { chosenTag, chosenVertex, isBare, tags, typeOf } from "../store.ts";
import { agreementPx, choose, moveBy, moveTo, remove } from "../tagging.ts";
import { useDrag } from "./drag.ts";
import { frame, metresPerPx, project, squareBox } from "./view.ts";

const FLIP_PX = 40;
const STEPS: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

function onMarkerKey(event: KeyboardEvent, tag: DraftTag): void {
  const step = STEPS[event.key];
  if (step) moveBy(tag.id, step[0] * (event.shiftKey ? 10 : 1), step[1] * (event.shiftKey ? 10 : 1));
  else if (event.key === "Delete" || event.key === "Backspace") removeAndStay(tag.id);
  else if (event.key === "Escape") leave();
  else return;
  event.preventDefault();
  event.stopPropagation();
}

function leave(): void {
  choose(null);
  document.getElementById("map")?.focus();
}

function removeAndStay(id: string): void {
  remove(id);
  document.getElementById("map")?.focus();
}

function Marker({ tag, index, count }: { tag: DraftTag; index: number; count: number }) {
  const { icon, colour, name } = typeOf(tag.type);
  const { x, y } = project(anchorOf(tag));
  const chosen = chosenTag.value === tag.id;
  const box = squareBox.value;
  const isPoint = tag.kind === "Point";
  const radius = box && isPoint ? agreementPx(metresPerPx.value, box.side) : null;
  const gesture = useRef(0);
  const drag = useDrag(
    (to) => moveTo(tag.id, to, String(gesture.current)),
    () => (gesture.current += 1),
  );
  const flip = x > frame.value.width - FLIP_PX ? -30 : 0;
  const drop = y < FLIP_PX ? 30 : 0;
  const label = chosen ? "tag_label_chosen" : "tag_label";
  return (
    <div class={`spot${chosen ? " sel" : ""}`} style={{ transform: `translate(${x}px, ${y}px)` }}>
      <svg class="mark" viewBox="0 0 72 72" aria-hidden="true">
        {chosen && radius !== null && <AgreementCircle cx={36} cy={36} r={radius} />}
        {isPoint && <Ring colour={colour} />}
        <svg x={39 + flip} y={9 + drop} width="24" height="24" viewBox="0 0 24 24" overflow="visible">
          <BadgeShape icon={icon} colour={colour} />
        </svg>
      </svg>
      <button
        type="button"
        class="tag"
        id={`tag-${tag.id}`}
        aria-label={say(label, { type: name.text, i: index + 1, n: count })}
        onPointerDown={(event) => event.pointerType === "mouse" && drag.start(event, { x, y })}
        onClick={() => !drag.justDragged() && choose(tag.id)}
        onKeyDown={(event) => onMarkerKey(event, tag)}
      />
      <span class="lbl" aria-hidden="true">
        {name.text}
      </span>
      {chosen && chosenVertex.value === null && (
        <>
          <span class="stem touch" />
          <span
            class="grip touch"
            title={say("tag_move_handle")}
            onPointerDown={(event) => drag.start(event, { x, y })}
          >
            <Icon name="move" />
          </span>
        </>
      )}
    </div>
  );
}

export function Markers() {
  if (isBare.value) return null;
  const list = tags.value;
  return (
    <div class="spots">
      {list.map((tag, index) => (
        <Marker key={tag.id} tag={tag} index={index} count={list.length} />
      ))}
    </div>
  );
}
