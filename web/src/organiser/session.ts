/**
 * Who is signed in, and the one way to call the server as that organiser.
 *
 * Invariant: the key is in this tab's memory and its sessionStorage, never in an address, a log or a longer store;
 * a key which the server refuses is forgotten at once.
 */
import { signal } from "@preact/signals";
import { type Call, call, Problem } from "../shared/api.ts";

const KEY = "spotter.organiser_key";

export interface Organiser {
  organiser_id: string;
  name: string;
  scopes: string[];
}

export const key = signal<string | null>(null);
/** Known once it was asked for; a failed question leaves null. */
export const organiser = signal<Organiser | null>(null);
/** True after the server refused a key, until the next one is tried. */
export const isKeyRefused = signal(false);
/** True while somebody without a key asks for the sign-in on a page that has something to show without one. */
export const isSigningIn = signal(false);

/** Takes the key from `#key=` and removes it from the address bar at once, else from this tab. */
export function startSession(): void {
  const found = /^#key=(.+)$/.exec(location.hash)?.[1];
  if (found) {
    history.replaceState(history.state, "", location.pathname + location.search);
    keep(decodeURIComponent(found).trim());
  } else key.value = sessionStorage.getItem(KEY);
  if (key.value) void introduce().catch(() => {});
}

/** Checks the key and keeps it when the server knows it; throws the `Problem` when it could not be checked. */
export async function signIn(value: string): Promise<void> {
  const tried = value.trim();
  isKeyRefused.value = false;
  try {
    organiser.value = await call<Organiser>("/v1/organisers/me", { token: tried });
    keep(tried);
    isSigningIn.value = false;
  } catch (error) {
    if ((error as Problem).status !== 401) throw error;
    isKeyRefused.value = true;
  }
}

export function signOut(): void {
  key.value = null;
  organiser.value = null;
  isKeyRefused.value = false;
  sessionStorage.removeItem(KEY);
}

/** One request as the organiser. A refused key signs out; the `Problem` is thrown all the same. */
export async function organiserCall<T>(path: string, options: Omit<Call, "token"> = {}): Promise<T> {
  const used = key.value;
  try {
    return await call<T>(path, { ...options, token: used });
  } catch (error) {
    // Another key may have been given meanwhile; that one is not to blame.
    if (error instanceof Problem && error.status === 401 && used !== null && key.value === used) {
      signOut();
      isKeyRefused.value = true;
    }
    throw error;
  }
}

async function introduce(): Promise<void> {
  organiser.value = await organiserCall<Organiser>("/v1/organisers/me");
}

function keep(value: string): void {
  key.value = value;
  sessionStorage.setItem(KEY, value);
}
