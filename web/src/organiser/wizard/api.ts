/** The shapes that only the wizard exchanges with the server. */
import type { BBox, Campaign, LonLat, MultiPolygon, Texts } from "../../shared/contract.ts";
import type * as api from "../../shared/openapi.ts";

export type Layer = api.LayerView;
export type LayerPage = api.LayerPage;

export interface Note {
  code: string;
  pointer: string;
  detail: string;
  place?: LonLat | null;
}

/** The answer of a preview; what belongs to the area is null or empty when none was sent. */
export interface Preview {
  cells: number | null;
  area_km2: number | null;
  looks_expected: number | null;
  volunteer_hours: number | null;
  minutes_for_500_volunteers: number | null;
  cell_side_m: number | null;
  bbox: BBox | null;
  area: MultiPolygon | null;
  outline?: MultiPolygon | null;
  leave_out?: MultiPolygon | null;
  leave_out_km2?: number | null;
  priority_parts?: { cells: number; area_km2: number; area: MultiPolygon }[];
  coverage?: { imagery_layer: string; share: number }[];
  sample_cells?: string[];
  instructions_html?: Texts;
  notes: Note[];
}

/** What the preview is asked. */
export interface PreviewOf {
  area?: unknown;
  leave_out?: MultiPolygon;
  priorities?: { area: MultiPolygon; weight: number; name?: string }[];
  cell_zoom?: number;
  looks_wanted?: number;
  imagery_layers?: string[];
  instructions?: Texts;
}

export interface Probed {
  kind: "xyz" | "tms" | "wmts" | "quadkey";
  url_template: string;
  secrets_found: string[];
  tile: string;
  media_type: string;
  width: number;
  height: number;
  bytes: number;
  millis: number;
}

/** A campaign as its organiser sees it. */
export type OwnCampaign = Omit<Campaign, "priorities"> & {
  outline?: MultiPolygon | null;
  leave_out?: MultiPolygon | null;
  priorities?: { area: MultiPolygon; weight: number; name?: string | null }[] | null;
  notes?: Note[];
};

/** Where our pages find a layer's tiles: an address of our own, which changes with the revision. */
export const tilesOf = (layer: Layer): string => `/v1/imagery/${layer.key}/{z}/{x}/{y}?v=${layer.revision}`;
