/** What the numbers of a search mean together. */
import type { Progress } from "./contract.ts";

type Counted = Pick<Progress, "cells" | "cells_closed">;

/** Cells that are to be looked at: nobody is given those that the organisers closed. */
export const cellsToSearch = ({ cells, cells_closed }: Counted): number => cells - cells_closed;

/** True when every cell that is to be looked at has its looks. */
export const isAllSearched = (progress: (Counted & Pick<Progress, "cells_done">) | null): boolean =>
  progress !== null && cellsToSearch(progress) > 0 && progress.cells_done >= cellsToSearch(progress);
