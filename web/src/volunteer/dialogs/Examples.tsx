/** One example for each tag type; a type without a picture shows its sign and what it means. */
import type { TagType } from "../../shared/contract.ts";
import { pick } from "../../shared/locale.ts";
import { Badge } from "../../shared/symbols.tsx";
import { Thumb } from "../../shared/Thumb.tsx";
import { campaign, palette } from "../store.ts";
import { Said } from "../text.tsx";

function Example({ type, hasDescription }: { type: TagType; hasDescription: boolean }) {
  const at = type.examples[0];
  const name = pick(type.name);
  const description = pick(type.description);
  return (
    <figure>
      {at && campaign.value && <Thumb at={at} imagery={campaign.value.imagery} label={name.text} />}
      <figcaption>
        <Badge icon={type.icon} colour={type.colour} size="s" />
        <span>
          <Said of={name} />
          {hasDescription && description.text && (
            <small>
              <Said of={description} />
            </small>
          )}
        </span>
      </figcaption>
    </figure>
  );
}

export function Examples({ hasDescription = false }: { hasDescription?: boolean }) {
  const types = palette.value;
  const hasPictures = types.some((type) => type.examples.length > 0);
  return (
    <div class={`ex${hasPictures ? "" : " bare-list"}${hasDescription ? " described" : ""}`}>
      {types.map((type) => (
        <Example key={type.key} type={type} hasDescription={hasDescription || !hasPictures} />
      ))}
    </div>
  );
}
