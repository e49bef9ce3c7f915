/** What lies over the image at its edges: true scale, where the image is from, zoom. */

import { pick } from "../../shared/locale.ts";
import { Icon } from "../../shared/symbols.tsx";
import { niceLength } from "../../shared/tiles.ts";
import { say, words } from "../language.ts";
import { campaign, chosenType, dialog, imagery, isBare } from "../store.ts";
import { showWhole, zoomBy } from "./camera.ts";
import { frame, isZoomed, metresPerPx, squareBox } from "./view.ts";

const length = (metres: number) =>
  metres >= 1000 ? say("kilometres", { n: metres / 1000 }) : say("metres", { n: metres });

/** The typical object: of the chosen type, else of the first type that has a size. */
function typicalObject(): { metres: number; what: string } | null {
  const types = campaign.value?.tag_types ?? [];
  const sized =
    types.find((type) => type.key === chosenType.value && type.typical_size_m) ??
    types.find((type) => type.typical_size_m);
  if (!sized?.typical_size_m) return null;
  return { metres: sized.typical_size_m, what: pick(sized.typical_size_label).text || pick(sized.name).text };
}

function Bar({ metres, label }: { metres: number; label: string }) {
  return (
    <div>
      <div class="bar" style={{ width: `${metres / metresPerPx.value}px` }} />
      <b class="num" dir="auto">
        {label}
      </b>
    </div>
  );
}

function Provenance() {
  if (!imagery.value) return null;
  const { name, acquired_at, ground_sample_distance_m: gsd } = imagery.value;
  const sentence =
    acquired_at && gsd
      ? say("provenance", { name, date: words.date(acquired_at), gsd })
      : say("provenance_undated", { name });
  return (
    <p class="prov">
      <span>{sentence}</span>
      <button type="button" class="plain" onClick={() => (dialog.value = "source")}>
        {say("source_link")}
      </button>
    </p>
  );
}

export function Furniture({ canZoom }: { canZoom: boolean }) {
  const box = squareBox.value;
  if (!box || isBare.value) return null;
  const object = typicalObject();
  // Longer than the stage it would say nothing.
  const isObjectShown =
    object !== null &&
    object.metres / metresPerPx.value < frame.value.width / 3 &&
    object.metres / metresPerPx.value > 3;
  const round = niceLength(metresPerPx.value, Math.min(180, frame.value.cell / 3.2));
  return (
    <>
      <div class="over bs chip">
        <div class="scale">
          <Bar metres={round} label={length(round)} />
          {object && isObjectShown && (
            <Bar metres={object.metres} label={say("object_size", { n: object.metres, what: object.what })} />
          )}
        </div>
        <Provenance />
      </div>
      {canZoom && (
        <div class="over be zoom" role="group" aria-label={say("zoom_group")}>
          <button type="button" aria-label={say("zoom_in")} onClick={() => zoomBy(1)}>
            <Icon name="plus" />
          </button>
          <button type="button" aria-label={say("zoom_out")} onClick={() => zoomBy(-1)}>
            <Icon name="minus" />
          </button>
          {isZoomed.value && (
            <button type="button" aria-label={say("zoom_fit")} onClick={showWhole}>
              <Icon name="fit" />
            </button>
          )}
        </div>
      )}
    </>
  );
}
