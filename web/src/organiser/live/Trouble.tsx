/** What went wrong, why, and the way out, in the place where it went wrong; the request's id for whoever helps. */
import type { Problem } from "../../shared/api.ts";
import { say } from "../language.ts";

type Sentence = Parameters<typeof say>[0];

/** The cause with its way out. What the server refused it explains best itself. */
function cause(problem: Problem): string {
  if (problem.isOffline) return say("cause_network");
  if (problem.status === 401) return say("cause_key");
  if (problem.status === 403) return say("cause_scope");
  if (problem.status === 409 || problem.status === 412) return say("cause_changed", { detail: problem.message });
  if (problem.status === 429 || problem.status === 503) return say("cause_busy");
  if (problem.status >= 500) return say("cause_server");
  return problem.message;
}

export function Trouble({ problem, what }: { problem: Problem; what: Sentence }) {
  const request = problem.body.request_id;
  return (
    <p class="wrong" role="alert">
      {say(what)} {cause(problem)}
      {request && <small class="request">{say("request", { id: request })}</small>}
    </p>
  );
}
