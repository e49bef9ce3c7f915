/** Once per run: the installation that most tests share. */

import type { TestProject } from "vitest/node";
import { type Installation, install } from "./installation.ts";

declare module "vitest" {
  interface ProvidedContext {
    installation: Installation;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [installation, end] = await install();
  project.provide("installation", installation);
  return end;
}
