/**
 * Other searches for whoever has seen all of this one, as the server names them with its last answer.
 *
 * Invariant: only what can be opened and has a title in some language is offered, each search once.
 */
import type { OtherCampaign, Texts } from "../shared/contract.ts";

export interface OtherSearch {
  slug: string;
  title: Texts;
}

/** Those that are worth offering; none when the answer names none. */
export function worthOffering(named: readonly Partial<OtherCampaign>[] | null | undefined): OtherSearch[] {
  const seen = new Set<string>();
  const found: OtherSearch[] = [];
  for (const { slug, title } of named ?? []) {
    const written = Object.entries(title ?? {}).filter(([, text]) => text.trim() !== "");
    if (!slug || written.length === 0 || seen.has(slug)) continue;
    seen.add(slug);
    found.push({ slug, title: Object.fromEntries(written) });
  }
  return found;
}
