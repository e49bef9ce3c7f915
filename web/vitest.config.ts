import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["tests/unit/**/*.test.ts"], environment: "node" } },
      {
        test: {
          name: "browser",
          include: ["tests/browser/**/*.test.ts"],
          environment: "node",
          // Longer than anything takes: a machine that builds meanwhile is five times as slow.
          testTimeout: 180_000,
          hookTimeout: 90_000,
          // Vitest itself claims BASE_URL, so the tests get it under another name.
          env: { SPOTTER_URL: process.env.BASE_URL ?? "" },
          // One Chromium at a time: software WebGL takes a whole core.
          fileParallelism: false,
          // A busy machine can starve a browser that draws WebGL in software; what fails twice is wrong.
          retry: 1,
        },
      },
    ],
  },
});
