/**
 * Starts the app as a chunk of its own, so that its style never delays the first image, and after the first
 * square's images were asked for, so that its start does not either.
 */
const PATIENCE_MS = 1500;

const { campaign, assignments } = window.spotterBoot;
const patience = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));

void Promise.race([Promise.allSettled([campaign, assignments]), patience])
  .then(() => import("./main.tsx"))
  .then(({ main }) => main());
