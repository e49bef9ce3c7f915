/**
 * Looks at squares that were taken along, sent as RxDB sends documents: tags and looks apart, a whole day at once.
 *
 * Invariant: tags go before their looks, so that no look is ever there without its tags; of what is refused nothing
 * counts.
 */
import type { NewLook, NewTag, Verdict } from "../shared/contract.ts";
import type { PushRow, Synced, Wire } from "../sync/wire.ts";
import type { Kept } from "./outbox.ts";

/** Tags of one push; the server takes as many documents at once. */
const TAGS_AT_ONCE = 1000;

type TagDocument = Omit<NewTag, "id"> & { look_id: string; campaign: string };

const tagRows = ({ look, campaign }: Kept): PushRow<TagDocument>[] =>
  look.tags.map((tag) => ({ newDocumentState: { ...tag, look_id: look.id, campaign, _deleted: false } }));

type LookDocument = Omit<NewLook, "id" | "tags"> & { campaign: string };

function lookRow({ look, campaign }: Kept): PushRow<LookDocument> {
  const { tags, ...rest } = look;
  return { newDocumentState: { ...rest, campaign, _deleted: false } };
}

/** What became of each look, in the words of a batch. Why one was refused is told by its receipt. */
export async function pushLooks(wire: Wire, records: readonly Kept[]): Promise<Verdict[]> {
  const objections: Synced<{ look_id?: string }>[] = [];
  const tags = records.flatMap(tagRows);
  for (let from = 0; from < tags.length; from += TAGS_AT_ONCE)
    objections.push(...(await wire.push("tags", tags.slice(from, from + TAGS_AT_ONCE))));
  // One that is kept otherwise was changed since by its volunteer, elsewhere.
  const held = new Set(objections.filter(({ _deleted }) => _deleted).map(({ look_id }) => look_id));
  const sent = records.filter(({ id }) => !held.has(id));
  const others = sent.length > 0 ? await wire.push("looks", sent.map(lookRow)) : [];
  const conflicts = new Map(others.map((document) => [document.id, document]));
  return records.map(({ id }) => {
    const conflict = conflicts.get(id);
    if (held.has(id) || conflict?._deleted) return { id, verdict: "invalid" };
    return { id, verdict: conflict ? "conflict" : "created" };
  });
}
