/** The crowd's progress: asked for each minute while somebody looks at the page, and when it matters. */
import { call } from "../shared/api.ts";
import type { Progress } from "../shared/contract.ts";
import { progress } from "./store.ts";

const EVERY_MS = 60_000;

let timer: ReturnType<typeof setTimeout> | undefined;

/** Asks now, and from now on. */
export async function followCrowd(slug: string): Promise<void> {
  clearTimeout(timer);
  // Thousands began to look at the same moment; they do not ask at the same moment.
  timer = setTimeout(() => void followCrowd(slug), EVERY_MS * (0.75 + Math.random() / 2));
  if (document.visibilityState !== "visible") return;
  const answer = await call<Progress>(`/v1/campaigns/${encodeURIComponent(slug)}/progress`).catch(() => null);
  if (answer) progress.value = answer;
}
