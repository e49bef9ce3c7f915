/** The shapes that only the wizard exchanges with the server. */
import type { Campaign, MultiPolygon } from "../../shared/contract.ts";
import type * as api from "../../shared/openapi.ts";

export { tilesOf } from "../../shared/layer.ts";
export type { Layer } from "../imagery.ts";

export type Note = api.AreaNote;

/** The answer of a preview with an area. */
export type Preview = Omit<api.EstimateView, "area" | "outline" | "leave_out" | "priority_parts" | "sample_cells"> & {
  area: MultiPolygon;
  outline?: MultiPolygon | null;
  leave_out?: MultiPolygon | null;
  priority_parts: { cells: number; area_km2: number; area: MultiPolygon }[];
  sample_cells: string[];
};

/** What the preview is asked. */
export type PreviewOf = Partial<Pick<api.PreviewOf, "cell_zoom" | "looks_wanted" | "instructions">> & {
  area?: unknown;
  leave_out?: MultiPolygon;
  priorities?: { area: MultiPolygon; weight: number; name?: string }[];
  imagery_layers?: string[];
};

export type Probed = api.ProbeView;

/** A campaign as its organiser sees it. */
export type OwnCampaign = Omit<Campaign, "priorities"> & {
  outline?: MultiPolygon | null;
  leave_out?: MultiPolygon | null;
  priorities?: { area: MultiPolygon; weight: number; name?: string | null }[] | null;
  notes?: Note[];
};
