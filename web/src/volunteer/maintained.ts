/** An image does not say why it did not come; this asks the service. */
import { backoffMs, call } from "../shared/api.ts";
import type { ServiceMode } from "../shared/contract.ts";
import type { Halt } from "./blocks.ts";

/** How often a square whose image did not come is tried during maintenance, at most. */
const AGAIN_MS = 30_000;

/** The card about maintenance, or null while there is none. */
export async function maintained(): Promise<Halt | null> {
  const service = await call<ServiceMode>("/v1/mode").catch(() => null);
  if (service?.mode !== "maintenance") return null;
  const waitMs = backoffMs(0, AGAIN_MS);
  return { block: { kind: "maintenance", until: Date.now() + waitMs, message: service.message ?? undefined }, waitMs };
}
