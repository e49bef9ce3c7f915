/** The crowd's progress: asked for each minute while somebody looks at the page, and sooner when it matters. */
import { backoffMs, call, type Problem } from "../shared/api.ts";
import type { Progress } from "../shared/contract.ts";
import { block, progress } from "./store.ts";

const EVERY_MS = 60_000;
/** What was just sent is counted within seconds; whoever is told the end of the search wants to know soon. */
const SOON_MS = 2_000;

let timer: ReturnType<typeof setTimeout> | undefined;

/** Asks now, soon again, and from then on ever more seldom, down to once a minute. */
export async function followCrowd(slug: string, waitMs = SOON_MS): Promise<void> {
  const askIn = (ms: number) => {
    clearTimeout(timer);
    timer = setTimeout(() => void followCrowd(slug, Math.min(EVERY_MS, waitMs * 4)), ms);
  };
  // Thousands began to look at the same moment; they do not ask at the same moment.
  const wait = (block.peek() === null ? EVERY_MS : waitMs) * (0.75 + Math.random() / 2);
  askIn(wait);
  if (document.visibilityState !== "visible") return;
  await call<Progress>(`/v1/campaigns/${encodeURIComponent(slug)}/progress`).then(
    (answer) => (progress.value = answer),
    ({ retryAfterMs }: Problem) => {
      if (retryAfterMs !== null) askIn(Math.max(wait, backoffMs(0, retryAfterMs)));
    },
  );
}
