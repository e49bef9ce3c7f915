/** The anonymous volunteer of this device: a random number and its token. */
import { type Call, call, Problem } from "../shared/api.ts";
import type { Volunteer } from "./boot.ts";

const KEY = "spotter.volunteer";
let current: Promise<Volunteer> | null = null;

function stored(): Volunteer | null {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "null") as Volunteer | null;
  } catch {
    return null;
  }
}

async function enrol(): Promise<Volunteer> {
  const volunteer = await call<Volunteer>("/v1/volunteers", { method: "POST" });
  try {
    localStorage.setItem(KEY, JSON.stringify(volunteer));
  } catch {
    // Storage is forbidden here: the token lives as long as the page.
  }
  return volunteer;
}

/** The token is good for nothing any more: it was not signed here, or its volunteer asked to be forgotten. */
const isRefused = ({ status, body }: Problem) =>
  status === 401 || (status === 403 && body.code === "volunteer_forgotten");

/** Takes over the volunteer whom the boot script enrolled, or enrols one where that failed. */
export function adopt(volunteer: Promise<Volunteer>): void {
  current = volunteer.catch(enrol);
}

async function token(refused?: string): Promise<string> {
  const before = current;
  // Of several calls that were refused at once only the first one replaces it.
  if (refused && (await before?.catch(() => null))?.token === refused && current === before) {
    // Another tab may have got a new token meanwhile; only one that was refused too is replaced.
    const known = stored();
    current = known && known.token !== refused ? Promise.resolve(known) : enrol();
  }
  current ??= enrol();
  const asked = current;
  try {
    return (await asked).token;
  } catch (error) {
    if (current === asked) current = null;
    throw error instanceof Problem ? error : new Problem(0, {}, null);
  }
}

/** Calls the server as this volunteer; a refused token is replaced once, silently. */
export async function callAsVolunteer<T>(path: string, options: Call = {}): Promise<T> {
  const first = await token();
  try {
    return await call<T>(path, { ...options, token: first });
  } catch (error) {
    if (!(error instanceof Problem) || !isRefused(error)) throw error;
    return call<T>(path, { ...options, token: await token(first) });
  }
}

/** Whose number this device has now. */
export function volunteerHere(): string | null {
  return stored()?.volunteer_id ?? null;
}

/** The token at hand, without waiting; for the moment when the page goes away. */
export function tokenAtHand(): string | null {
  return stored()?.token ?? null;
}
