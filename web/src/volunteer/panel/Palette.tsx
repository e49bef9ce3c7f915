/** The tag types as one radio group: arrows choose, numbers choose, a tap chooses. */
import { useEffect, useRef } from "preact/hooks";
import { pick } from "../../shared/locale.ts";
import { Badge, Icon } from "../../shared/symbols.tsx";
import { chooseTypeByKey } from "../drawing.ts";
import { say } from "../language.ts";
import { chosenType, palette, typeOf } from "../store.ts";
import { Said } from "../text.tsx";

const STEP: Record<string, number> = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };

const KIND = { Point: "kind_point", LineString: "kind_line", Polygon: "kind_area" } as const;

function onArrow(event: KeyboardEvent): void {
  const step = STEP[event.key];
  if (!step) return;
  event.preventDefault();
  const types = palette.value;
  const index = types.findIndex((type) => type.key === chosenType.value);
  const next = types[(index + step + types.length) % types.length];
  if (!next) return;
  chooseTypeByKey(next.key);
  document.getElementById(`type-${next.key}`)?.focus();
}

export function Palette() {
  const types = palette.value;
  const group = useRef<HTMLDivElement>(null);
  useEffect(() => {
    group.current?.querySelector("[aria-checked=true]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [chosenType.value]);
  return (
    <div class="sec">
      <h2 id="pal">
        {say("palette_title")}
        <span>{say(typeOf(chosenType.value).kind === "Point" ? "palette_hint" : "palette_hint_shape")}</span>
      </h2>
      <div
        class={`types${types.length > 4 ? " many" : ""}`}
        role="radiogroup"
        aria-labelledby="pal"
        ref={group}
        onKeyDown={onArrow}
      >
        {types.map((type, i) => {
          const checked = type.key === chosenType.value;
          return (
            <button
              type="button"
              key={type.key}
              id={`type-${type.key}`}
              class="type"
              role="radio"
              aria-checked={checked}
              tabIndex={checked ? 0 : -1}
              onClick={() => chooseTypeByKey(type.key)}
            >
              <Badge icon={type.icon} colour={type.colour} />
              <span class="grow">
                <Said of={pick(type.name)} />
              </span>
              {type.geometry !== "Point" && (
                <span class="kind" title={say(KIND[type.geometry])}>
                  <Icon name={type.geometry === "Polygon" ? "area" : "line"} small />
                  <span class="vh">{say(KIND[type.geometry])}</span>
                </span>
              )}
              {i < 9 && <kbd aria-hidden="true">{i + 1}</kbd>}
            </button>
          );
        })}
      </div>
    </div>
  );
}
