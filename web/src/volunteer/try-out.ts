/**
 * Trying a campaign out, in the wizard's frame or alone (`?try`): the page as volunteers see it.
 *
 * Invariant: nothing is stored, on this device or by the server; only tiles and the campaign are asked for.
 */
import { call } from "../shared/api.ts";
import type { Assignment, Assignments, Campaign } from "../shared/contract.ts";
import { imageryOf } from "../shared/layer.ts";
import type { LayerView } from "../shared/openapi.ts";
import { parseCell, tileBox, toLonLat } from "../shared/tiles.ts";
import type { Outbox } from "./outbox.ts";
import type { Sender, SenderEvents } from "./sender.ts";

export interface TryOut {
  campaign: Campaign;
  cells: string[];
}

declare global {
  interface Window {
    /** Set by the wizard on the page that frames this one. */
    spotterTry?: TryOut;
  }
}

const LEASE_MS = 86_400_000;

function keyHere(): string | null {
  try {
    return sessionStorage.getItem("spotter.organiser_key");
  } catch {
    return null;
  }
}

/** What is tried out; from the frame around this page, else from the address. */
export async function tryOutOf(slug: string): Promise<TryOut> {
  const framed = parent === window ? undefined : parent.spotterTry;
  if (framed) return framed;
  const asked = new URLSearchParams(location.search);
  const token = keyHere();
  const campaign = await call<Campaign>(`/v1/campaigns/${encodeURIComponent(slug)}`, { token });
  const layer = asked.get("layer");
  if (layer) campaign.imagery = imageryOf(await call<LayerView>(`/v1/imagery/${encodeURIComponent(layer)}`, { token }));
  const cells = (asked.get("cell") ?? "").split(",");
  return { campaign, cells: cells.filter((cell) => /^\d+\/\d+\/\d+$/.test(cell)) };
}

function assignmentOf(cell: string, version: number): Assignment {
  const { x, y, side } = tileBox(parseCell(cell));
  const [west, north] = toLonLat({ x, y });
  const [east, south] = toLonLat({ x: x + side, y: y + side });
  return {
    cell,
    bbox: [west, south, east, north],
    lease_expires_at: new Date(Date.now() + LEASE_MS).toISOString(),
    reason: "new",
    campaign_version: version,
  };
}

/** Deals the cells of a try-out, again from the first when all were seen. */
export function dealer({ campaign, cells }: TryOut): (count: number) => Promise<Assignments> {
  let next = 0;
  return async (count) => {
    const assignments = Array.from({ length: Math.min(count, cells.length) }, () =>
      assignmentOf(cells[next++ % cells.length]!, campaign.version),
    );
    return { assignments, exhausted: assignments.length === 0, retry_after_seconds: null };
  };
}

/** In the place of a sender: finished looks go nowhere. */
export function sink(outbox: Outbox, { onSettled }: SenderEvents): Pick<Sender, "kick" | "flushOnExit"> {
  return {
    async kick() {
      const due = await outbox.due(Number.MAX_SAFE_INTEGER);
      for (const { id } of due) await outbox.acknowledge(id);
      if (due.length > 0) onSettled(0);
    },
    flushOnExit() {},
  };
}
