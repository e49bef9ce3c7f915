/** Why the server gives or takes nothing now; each reason has sentences of its own, since each is another truth. Pure. */
import type { Problem } from "../shared/api.ts";

/**
 * `busy`: more is asked than the servers can answer; `limited`: this device or its network asks too often;
 * `not_let_in`: volunteers are let in one part after the other; `read_only`: nothing can be stored.
 */
const HOLDS = ["offline", "busy", "limited", "not_let_in", "read_only", "maintenance"] as const;

export type Hold = (typeof HOLDS)[number];

/** Those that the server names by its code. */
const BY_CODE: readonly string[] = ["not_let_in", "read_only", "maintenance"] satisfies Hold[];

export const isHold = (kind: string): kind is Hold => (HOLDS as readonly string[]).includes(kind);

export function holdOf(problem: Problem): Hold {
  if (problem.isOffline) return "offline";
  if (problem.status === 429) return "limited";
  const { code } = problem.body;
  return code && BY_CODE.includes(code) ? (code as Hold) : "busy";
}

/** True for what operators end, and not the passing of time. */
export const isByOperators = (hold: Hold): boolean => hold === "read_only" || hold === "maintenance";
