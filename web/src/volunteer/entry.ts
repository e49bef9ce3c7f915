/**
 * Starts the app as a chunk of its own, so that its style never delays the first image, and when the first
 * square's images are on the screen, so that its start does not either.
 */
import { loadWords } from "./language.ts";

/** From the beginning of the visit; after it somebody waits for more than an image. */
const PATIENCE_MS = 2000;

const { firstImage, isTry } = window.spotterBoot;
const patience = new Promise((resolve) => setTimeout(resolve, isTry ? 0 : PATIENCE_MS - performance.now()));

// Small, and the app cannot begin without it. The app, which waits for it, hears of a failure.
loadWords().catch(() => {});
void Promise.race([firstImage.catch(() => {}), patience])
  .then(() => import("./main.tsx"))
  .then(({ main }) => main());
