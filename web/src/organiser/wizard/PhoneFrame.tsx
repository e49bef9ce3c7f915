/** The volunteer's real page in a phone, made of the draft; nothing that is done in it is stored. */
import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Campaign, TagType } from "../../shared/contract.ts";
import { imageryOf } from "../../shared/layer.ts";
import { toWorld } from "../../shared/tiles.ts";
import type { TryOut } from "../../volunteer/try-out.ts";
import type { Layer } from "./api.ts";
import { definitionOf, joined, partsOf } from "./definition.ts";
import { mainText } from "./draft.ts";
import { estimate, instructionsHtml } from "./estimate.ts";
import { boxOf } from "./geometry.ts";
import { say } from "./language.ts";
import { cellZoom, draft, lat, layer, layers, step, stored } from "./state.ts";

const RELOAD_MS = 700;
const TRY_OUT = "/s/preview?try";
const NOWHERE = { type: "MultiPolygon" as const, coordinates: [] };

/** The cell in the middle of what there is, when the server has named none. */
function someCell(of: Layer): string {
  const box = boxOf(draft.value.parts.map((part) => part.geometry)) ?? of.bounds ?? [0, 0, 0, 0];
  const { x, y } = toWorld([(box[0] + box[2]) / 2, lat.value]);
  const n = 2 ** cellZoom.value;
  return `${cellZoom.value}/${Math.floor(x * n)}/${Math.floor(y * n)}`;
}

/** The campaign as the volunteer's page would get it, or null while there is no imagery to show. */
function campaignNow(): TryOut | null {
  const shown = layer.value ?? layers.value?.[0];
  if (!shown) return null;
  const d = draft.value;
  const definition = definitionOf(d, cellZoom.value);
  const preview = estimate.value.value;
  const now = new Date().toISOString();
  const campaign: Campaign = {
    id: d.id,
    slug: definition.slug || "preview",
    version: stored.value?.version ?? 1,
    state: "open",
    message: null,
    languages: d.languages,
    title: mainText(d, d.title).trim() ? definition.title : { [d.languages[0]!]: say("untitled") },
    summary: definition.summary ?? {},
    instructions: definition.instructions ?? {},
    instructions_html: instructionsHtml.value,
    area: preview?.area ?? joined(partsOf(d, "area")) ?? NOWHERE,
    area_km2: preview?.area_km2 ?? 0,
    bbox: preview?.bbox ?? boxOf(d.parts.map((part) => part.geometry)) ?? [0, 0, 0, 0],
    cells: preview?.cells ?? 1,
    cell_zoom: definition.cell_zoom,
    looks_wanted: definition.looks_wanted,
    lease_seconds: d.leaseSeconds,
    agreement_radius_m: d.agreementRadiusM,
    imagery_layer: shown.key,
    imagery: imageryOf(shown),
    tag_types: definition.tag_types as unknown as TagType[],
    priorities: null,
    starts_at: null,
    ends_at: null,
    created_at: now,
    updated_at: now,
    published_at: now,
  } as Campaign;
  const cells = preview?.sample_cells?.length ? preview.sample_cells : [someCell(shown)];
  return { campaign, cells };
}

export function PhoneFrame() {
  const frame = useRef<HTMLIFrameElement>(null);
  const hasImagery = Boolean(layers.value?.length);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let shown = "";
    // By its address: the browser's own page of a lost network is a stranger that may not be touched.
    const reload = () => {
      if (frame.current && navigator.onLine) frame.current.src = TRY_OUT;
    };
    const stop = effect(() => {
      const next = campaignNow();
      if (!next) return;
      const { created_at: _, updated_at: __, published_at: ___, ...what } = next.campaign;
      const text = JSON.stringify([what, next.cells]);
      if (text === shown) return;
      const isFirst = shown === "";
      shown = text;
      window.spotterTry = next;
      if (isFirst) return;
      clearTimeout(timer);
      timer = setTimeout(reload, RELOAD_MS);
    });
    addEventListener("online", reload);
    return () => {
      stop();
      removeEventListener("online", reload);
      clearTimeout(timer);
    };
  }, []);
  const caption = say(step.value === "what" ? "phone_first" : "phone_try");
  return (
    <div class="frame" tabIndex={0} role="group" aria-label={caption}>
      <div class="phone">
        {hasImagery ? (
          <iframe ref={frame} src={TRY_OUT} title={caption} />
        ) : (
          <p class="blank">{say("phone_no_imagery")}</p>
        )}
      </div>
      <p>{caption}</p>
    </div>
  );
}
