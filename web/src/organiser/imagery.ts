/** The imagery layers of this server, for whoever chooses one. */
import type * as api from "../shared/openapi.ts";
import { organiserCall } from "./session.ts";

export type Layer = api.LayerView;
export type LayerPage = api.LayerPage;

const PAGE = 100;
const MOST = 1000;

/** All layers, page by page. */
export async function fetchLayers(): Promise<Layer[]> {
  const found: Layer[] = [];
  let address: string | null | undefined = `/v1/imagery?limit=${PAGE}`;
  while (address && found.length < MOST) {
    const page: LayerPage = await organiserCall<LayerPage>(address);
    found.push(...page.layers);
    address = page.next;
  }
  return found;
}
