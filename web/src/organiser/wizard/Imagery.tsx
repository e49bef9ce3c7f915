/** Step 2: on which imagery people look: a layer that is there, or a new one. */
import { parseCell, tileUrl, toWorld } from "../../shared/tiles.ts";
import { AddImagery } from "./AddImagery.tsx";
import { type Layer, tilesOf } from "./api.ts";
import { resolutionOf } from "./cells.ts";
import { coverageOf } from "./checks.ts";
import { estimate } from "./estimate.ts";
import { Message, Option } from "./fields.tsx";
import { boxOf } from "./geometry.ts";
import { measured, say, words } from "./language.ts";
import { draft, lat, layers, layersProblem, loadLayers, settings } from "./state.ts";

export function ImageryStep() {
  const list = layers.value;
  return (
    <>
      <h1>{say("imagery_title")}</h1>
      <p>{say("imagery_lead")}</p>
      {layersProblem.value && !list && <Trouble />}
      {list && list.length > 0 && (
        <div class="blk opts" role="radiogroup" aria-label={say("step_imagery")}>
          {list.map((layer) => (
            <Card key={layer.key} layer={layer} />
          ))}
        </div>
      )}
      {list?.length === 0 && <p class="blk help">{say("imagery_none")}</p>}
      <AddImagery />
    </>
  );
}

function Trouble() {
  const problem = layersProblem.value!;
  const words = problem.status === 403 ? "imagery_scope" : problem.isOffline ? "imagery_offline" : "imagery_trouble";
  return (
    <Message tone="bad">
      {say(words)}{" "}
      {problem.status !== 403 && (
        <button type="button" class="btn sm" onClick={() => void loadLayers()}>
          {say("try_again")}
        </button>
      )}
    </Message>
  );
}

/** "12 Feb 2019, 0.6 m, zoom 10 to 19"; what nobody has said is left out. */
export function facts(layer: Layer): string {
  const zooms = say("zooms", { from: layer.min_zoom ?? 0, to: layer.max_zoom ?? 19 });
  const resolution = `${measured(resolutionOf(layer, lat.value))} m`;
  return [layer.acquired_at ? words.date(layer.acquired_at) : say("undated"), resolution, zooms].join(", ");
}

export function coverageWords(share: number | null): string | null {
  if (share === null) return null;
  if (share >= 0.9995) return say("covers_all");
  return share === 0 ? say("covers_none") : say("covers_part", { share: words.percent(Math.min(0.99, share)) });
}

function Card({ layer }: { layer: Layer }) {
  const share = coverageOf(estimate.value.value, layer.key);
  const covered = coverageWords(share);
  return (
    <Option name="layer" isChosen={draft.value.imagery === layer.key} onChoose={() => settings({ imagery: layer.key })}>
      <Thumbnail layer={layer} />
      <span class="grow">
        <b dir="auto">{layer.name}</b>
        <span class="muted num">{facts(layer)}</span>
        {covered && <span class={share !== null && share < 0.9995 ? "muted part" : "muted"}>{covered}</span>}
      </span>
    </Option>
  );
}

/** One tile in the middle of the area, else of the layer. */
function Thumbnail({ layer }: { layer: Layer }) {
  const cell = estimate.value.value?.sample_cells?.[0];
  const zoom = Math.max(layer.min_zoom ?? 0, Math.min(layer.max_zoom ?? 19, 16));
  const box = boxOf(draft.value.parts.map((part) => part.geometry)) ?? layer.bounds;
  if (!box && !cell) return <span class="thumb" />;
  const middle = cell
    ? { x: (parseCell(cell).x + 0.5) / 2 ** parseCell(cell).z, y: (parseCell(cell).y + 0.5) / 2 ** parseCell(cell).z }
    : toWorld([(box![0] + box![2]) / 2, (box![1] + box![3]) / 2]);
  const n = 2 ** zoom;
  const tile = { z: zoom, x: Math.floor(middle.x * n), y: Math.floor(middle.y * n) };
  const address = tileUrl(tilesOf(layer), tile);
  return (
    <span class="thumb">
      <img
        key={address}
        src={address}
        alt=""
        loading="lazy"
        onError={(event) => {
          event.currentTarget.hidden = true;
        }}
      />
    </span>
  );
}
