/** One square on its way from assignment to look. */
import type { Assignment, Imagery, NewLook, Outcome } from "../shared/contract.ts";
import { fitZoom, parseCell, sourceTileSize, type Tile, tileZoom } from "../shared/tiles.ts";
import { uuid7 } from "../shared/uuid7.ts";
import { History } from "./history.ts";
import { Plate } from "./plate.ts";
import type { DraftTag } from "./store.ts";

export class Square {
  readonly assignment: Assignment;
  readonly cell: Tile;
  readonly plate: Plate;
  readonly history = new History<readonly DraftTag[]>([]);
  /** Made once, so that sending the look again can never store it twice. */
  readonly lookId = uuid7();
  startedAt: string | null = null;
  /** Which one it is for this volunteer: 1, 2, … */
  number = 0;

  constructor(assignment: Assignment, imagery: Imagery, cellPx: number) {
    this.assignment = assignment;
    this.cell = parseCell(assignment.cell);
    const z = tileZoom(
      fitZoom(this.cell.z, cellPx),
      sourceTileSize(imagery.tile_size, devicePixelRatio),
      imagery.min_zoom,
      imagery.max_zoom,
    );
    this.plate = new Plate(this.cell, z, imagery);
  }

  toLook(outcome: Outcome): NewLook {
    const tags = outcome === "tagged" ? this.history.now : [];
    const now = new Date().toISOString();
    return {
      id: this.lookId,
      cell: this.assignment.cell,
      outcome,
      started_at: this.startedAt ?? now,
      finished_at: now,
      campaign_version: this.assignment.campaign_version,
      tags: tags.map(({ id, type, at, note }) => ({
        id,
        tag_type: type,
        geometry: { type: "Point", coordinates: at },
        ...(note ? { note } : {}),
      })),
    };
  }
}
