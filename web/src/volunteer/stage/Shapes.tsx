/**
 * Lines and polygons on the image: what was drawn, what is being drawn, and the vertices of the chosen one.
 *
 * Invariant: while a shape is being drawn nothing here takes a tap away from the image.
 */
import { useRef } from "preact/hooks";
import type { LonLat } from "../../shared/contract.ts";
import { Icon } from "../../shared/symbols.tsx";
import type { DraftTag } from "../draft.ts";
import { say } from "../language.ts";
import { LEAST, middleOfSide, sidesOf, withNewVertex, withoutVertex, withVertex } from "../shape.ts";
import { chosenTag, chosenVertex, drawing, isBare, tags, typeOf } from "../store.ts";
import { choose, placeAt, reshape } from "../tagging.ts";
import { hover, isKeyboardAiming } from "./Aim.tsx";
import { useDrag } from "./drag.ts";
import { crosshair, type Point, project } from "./view.ts";

const STEPS: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

function pathOf(points: readonly LonLat[], isClosed: boolean): string {
  const corners = points.map(project).map(({ x, y }) => `${x.toFixed(1)} ${y.toFixed(1)}`);
  return `M${corners.join("L")}${isClosed ? "Z" : ""}`;
}

/** Ink, white and the type's colour, so that it shows on any imagery. */
function Outline({ d, colour, isArea }: { d: string; colour: string; isArea: boolean }) {
  return (
    <g fill="none" stroke-linejoin="round" stroke-linecap="round">
      <path d={d} stroke="#0B1015" stroke-width="7" opacity=".9" fill={isArea ? colour : "none"} fill-opacity=".14" />
      <path d={d} stroke="#fff" stroke-width="5" />
      <path d={d} stroke={colour} stroke-width="2.5" />
    </g>
  );
}

function Shape({ tag }: { tag: DraftTag }) {
  const isArea = tag.kind === "Polygon";
  const d = pathOf(tag.points, isArea);
  return (
    <g>
      <Outline d={d} colour={typeOf(tag.type).colour} isArea={isArea} />
      {/* For hands; the keyboard has the tag's sign. */}
      <path class="grab" d={d} onClick={() => choose(tag.id)} />
    </g>
  );
}

function Unfinished() {
  const shape = drawing.value;
  if (!shape) return null;
  const { type, points, kind } = shape;
  const corners = points.map(project);
  const at = hover.value ?? (isKeyboardAiming.value ? crosshair.value : null);
  const last = corners.at(-1);
  return (
    <g>
      <Outline d={pathOf(points, false)} colour={typeOf(type).colour} isArea={kind === "Polygon"} />
      {at && last && <path class="rubber" d={`M${last.x} ${last.y}L${at.x} ${at.y}`} />}
      {corners.map(({ x, y }, i) => (
        <rect key={i} class="corner" x={x - 6} y={y - 6} width="12" height="12" />
      ))}
    </g>
  );
}

function Vertex({ tag, index }: { tag: DraftTag; index: number }) {
  const { x, y } = project(tag.points[index]!);
  const gesture = useRef(0);
  const move = (to: Point, name: string) =>
    reshape(tag.id, withVertex(tag.points, index, placeAt(to)), `${index} ${name}`);
  const drag = useDrag(
    (to) => move(to, String(gesture.current)),
    () => (gesture.current += 1),
  );
  const isChosen = chosenVertex.value === index;
  const take = () => {
    chosenVertex.value = index;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = STEPS[event.key];
    const by = event.shiftKey ? 10 : 1;
    if (step) move({ x: x + step[0] * by, y: y + step[1] * by }, "keys");
    else if (event.key === "Delete" || event.key === "Backspace") drop();
    else if (event.key === "Escape") choose(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const drop = () => {
    if (tag.points.length <= LEAST[tag.kind]) return;
    if (reshape(tag.id, withoutVertex(tag.points, index), null)) chosenVertex.value = null;
    document.getElementById(`tag-${tag.id}`)?.focus();
  };
  return (
    <div class="spot" style={{ transform: `translate(${x}px, ${y}px)` }}>
      <button
        type="button"
        id={`vertex-${index}`}
        class={`vertex${isChosen ? " sel" : ""}`}
        aria-label={say("vertex_label", { i: index + 1, n: tag.points.length })}
        onPointerDown={(event) => event.pointerType === "mouse" && drag.start(event, { x, y })}
        onClick={() => !drag.justDragged() && take()}
        onFocus={take}
        onKeyDown={onKeyDown}
      />
      {isChosen && (
        <>
          <span class="stem touch" />
          <span class="grip touch" title={say("vertex_handle")} onPointerDown={(event) => drag.start(event, { x, y })}>
            <Icon name="move" />
          </span>
        </>
      )}
    </div>
  );
}

function Middle({ tag, index }: { tag: DraftTag; index: number }) {
  const place = middleOfSide(tag.points, index);
  const { x, y } = project(place);
  const insert = () => {
    if (!reshape(tag.id, withNewVertex(tag.points, index + 1, placeAt({ x, y })), null)) return;
    chosenVertex.value = index + 1;
    // The new corner is drawn a moment later; the keys are meant for it.
    setTimeout(() => document.getElementById(`vertex-${index + 1}`)?.focus());
  };
  return (
    <div class="spot" style={{ transform: `translate(${x}px, ${y}px)` }}>
      <button type="button" class="middle" aria-label={say("vertex_add")} onClick={insert} />
    </div>
  );
}

function Vertices() {
  const tag = tags.value.find((candidate) => candidate.id === chosenTag.value);
  if (!tag || tag.kind === "Point" || drawing.value) return null;
  return (
    <div class="spots vertices">
      {sidesOf(tag.points, tag.kind === "Polygon").map((_, i) => (
        <Middle key={`m${i}`} tag={tag} index={i} />
      ))}
      {tag.points.map((_, i) => (
        <Vertex key={i} tag={tag} index={i} />
      ))}
    </div>
  );
}

export function Shapes() {
  if (isBare.value) return null;
  const shapes = tags.value.filter((tag) => tag.kind !== "Point");
  if (shapes.length === 0 && !drawing.value) return null;
  return (
    <>
      <svg class="shapes" aria-hidden="true">
        {shapes.map((tag) => (
          <Shape key={tag.id} tag={tag} />
        ))}
        <Unfinished />
      </svg>
      <Vertices />
    </>
  );
}
