/**
 * Where the square sits on the screen. The stylesheet decides (the invisible `.home` box); this only measures,
 * so that the first images, the map and the markers can never disagree with the layout.
 */
export interface Frame {
  width: number;
  height: number;
  /** Side of the fitted square in CSS pixels. */
  cell: number;
  /** How far the middle of the fitted square is above the middle of the stage. */
  up: number;
}

// Whole pixels for each tile of the square, else hairlines show between them.
const GRAIN_PX = 8;

export function measure(stage: HTMLElement): Frame {
  const outer = stage.getBoundingClientRect();
  const home = stage.querySelector(".home")!.getBoundingClientRect();
  return {
    width: outer.width,
    height: outer.height,
    cell: Math.max(64, Math.floor(home.width / GRAIN_PX) * GRAIN_PX),
    up: Math.round(outer.top + outer.height / 2 - (home.top + home.height / 2)),
  };
}
