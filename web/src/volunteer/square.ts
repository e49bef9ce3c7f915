/** One square on its way from assignment to look. */
import type { Assignment, Imagery, NewLook, Outcome } from "../shared/contract.ts";
import { fitZoom, parseCell, sourceTileSize, type Tile, tileZoom } from "../shared/tiles.ts";
import { uuid7 } from "../shared/uuid7.ts";
import { type Draft, EMPTY } from "./draft.ts";
import { History } from "./history.ts";
import { Plate } from "./plate.ts";
import { geometryOf } from "./shape.ts";
import type { KeptSquare } from "./slot.ts";

export class Square {
  readonly assignment: Assignment;
  readonly cell: Tile;
  /** Its own where the organisers gave it one, else the campaign's. */
  readonly imagery: Imagery;
  readonly plate: Plate;
  readonly history: History<Draft>;
  /** Made once, so that sending the look again can never store it twice. */
  readonly lookId: string;
  startedAt: string | null;
  /** Which one it is for this volunteer: 1, 2, … */
  number: number;

  constructor(assignment: Assignment, ofCampaign: Imagery, cellPx: number, before?: KeptSquare) {
    this.assignment = assignment;
    this.cell = parseCell(assignment.cell);
    this.imagery = assignment.imagery ?? ofCampaign;
    const z = tileZoom(
      fitZoom(this.cell.z, cellPx),
      sourceTileSize(this.imagery.tile_size, devicePixelRatio),
      this.imagery.min_zoom,
      this.imagery.max_zoom,
    );
    this.plate = new Plate(this.cell, z, this.imagery);
    this.history = new History(before?.draft ?? EMPTY);
    this.lookId = before?.look_id ?? uuid7();
    this.startedAt = before?.started_at ?? null;
    this.number = before?.number ?? 0;
  }

  toLook(outcome: Outcome): NewLook {
    const tags = outcome === "tagged" ? this.history.now.tags : [];
    const now = new Date().toISOString();
    return {
      id: this.lookId,
      cell: this.assignment.cell,
      outcome,
      started_at: this.startedAt ?? now,
      finished_at: now,
      campaign_version: this.assignment.campaign_version,
      tags: tags.map((tag) => ({
        id: tag.id,
        tag_type: tag.type,
        geometry: geometryOf(tag),
        ...(tag.note ? { note: tag.note } : {}),
      })),
    };
  }

  toKeep(): KeptSquare {
    return {
      assignment: this.assignment,
      look_id: this.lookId,
      started_at: this.startedAt,
      number: this.number,
      draft: this.history.now,
    };
  }
}
