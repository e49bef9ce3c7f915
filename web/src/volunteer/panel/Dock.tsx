/** The tools: what to tag, what is tagged, the one primary button, undo, the two other answers. */
import { Icon } from "../../shared/symbols.tsx";
import { badImage, finish, open, skip, undo } from "../actions.ts";
import { canEnd } from "../drawing.ts";
import { say } from "../language.ts";
import { block, canUndo, chosenTag, drawing, isReady, square, tags } from "../store.ts";
import { Foot } from "./Foot.tsx";
import { Palette } from "./Palette.tsx";
import { TagList } from "./TagList.tsx";
import { TagTools } from "./TagTools.tsx";

/** Keeps the focus on the image while the mouse works in the panel, so that keys go on meaning the same. */
export function keepFocus(event: MouseEvent): void {
  if ((event.target as Element).closest("button")) event.preventDefault();
}

function primaryLabel(): string {
  if (drawing.value) return say(drawing.value.kind === "Polygon" ? "finish_area" : "finish_line");
  const n = tags.value.length;
  return n > 0 ? say("done_tags", { n }) : say("nothing_here");
}

function Actions() {
  const canFinish = isReady.value && (drawing.value === null || canEnd(drawing.value));
  const canAnswer = square.value !== null && block.value === null;
  return (
    <div class="actions">
      <button type="button" class="btn side touch" disabled={!canUndo.value} onClick={undo}>
        <Icon name="undo" flip />
        {say("undo")}
      </button>
      <button type="button" class="btn primary go" id="finish" disabled={!canFinish} onClick={finish}>
        {primaryLabel()}
        <kbd aria-hidden="true">{say("space_key")}</kbd>
      </button>
      <button
        type="button"
        class="btn side touch"
        aria-label={say("more_label")}
        disabled={!canAnswer}
        onClick={() => open("more")}
      >
        <span class="dots" aria-hidden="true">
          ···
        </span>
        {say("more")}
      </button>
      <div class="second">
        <button type="button" class="btn ghost" disabled={!canUndo.value} onClick={undo}>
          <Icon name="undo" small flip />
          {say("undo")}
        </button>
        <button type="button" class="btn ghost" disabled={!canAnswer} onClick={badImage}>
          <Icon name="cloud" small />
          {say("bad_image")}
        </button>
        <button type="button" class="btn ghost" disabled={!canAnswer} onClick={skip}>
          <Icon name="skip" small flip />
          {say("skip")}
        </button>
      </div>
    </div>
  );
}

export function Dock() {
  const chosen = tags.value.find((tag) => tag.id === chosenTag.value);
  return (
    <>
      <div class={`tools-of-square${chosen ? " has-chosen" : ""}`}>
        <Palette />
        <TagList />
        <Actions />
      </div>
      {chosen && <TagTools key={chosen.id} tag={chosen} />}
      <Foot />
    </>
  );
}
