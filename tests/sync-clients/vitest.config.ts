import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    environment: "node",
    globalSetup: ["harness/setup.ts"],
    // Longer than anything takes: a machine that builds meanwhile is five times as slow.
    testTimeout: 180_000,
    hookTimeout: 120_000,
    // Stock clients wait by the clock, and all files share two servers. The models do not take that for an excuse.
    retry: 1,
    // They mostly wait.
    maxWorkers: 4,
    // RxDB opens 13 collections in one process at most.
    maxConcurrency: 3,
    // The stock clients print what they retry.
    silent: "passed-only",
  },
});
