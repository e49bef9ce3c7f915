import { randomUUID } from "node:crypto";
import { call, expect } from "./api.ts";
import { eventually } from "./eventually.ts";
import { type Settings, spotter } from "./processes.ts";
import { block, CELL_ZOOM } from "./squares.ts";

export interface Campaign {
  id: string;
  slug: string;
  /** Key of an organiser who may steer it. */
  organiser: string;
}

/** Makes a campaign of so many cells each way and waits until it is open. */
export async function openCampaign(server: string, settings: Settings, side: number): Promise<Campaign> {
  const organiser = await spotter(settings, "organiser", "create", "--name", "Test");
  const key = `layer-${randomUUID()}`;
  const layer = { key, name: "Survey", url_template: "https://tiles.example.org/{z}/{x}/{y}", max_zoom: 20 };
  await expect(201, call(server, "POST", "/v1/imagery", organiser, layer));
  const slug = `search-${randomUUID()}`;
  const made = await expect(
    201,
    call(server, "POST", "/v1/campaigns", organiser, {
      slug,
      title: { en: "Find the aircraft" },
      area: { type: "Polygon", coordinates: [block(side)] },
      cell_zoom: CELL_ZOOM,
      looks_wanted: 5,
      imagery_layer: key,
      tag_types: [
        { key: "wreckage", name: { en: "Wreckage" } },
        { key: "track", name: { en: "Track" }, geometry: "LineString" },
      ],
    }),
  );
  await steer(server, { slug, organiser }, "publish");
  await eventually("the campaign opens", async () => {
    const seen = await call(server, "GET", `/v1/campaigns/${slug}`);
    return seen.status === 200;
  });
  return { id: (made as { id: string }).id, slug, organiser };
}

/** `publish`, `pause`, `resume` or `close`. */
export async function steer(server: string, of: Pick<Campaign, "slug" | "organiser">, action: string): Promise<void> {
  await expect(200, call(server, "POST", `/v1/campaigns/${of.slug}/${action}`, of.organiser));
}
