/** The volunteer's page: puts its parts into the places that the HTML keeps for them, and starts the visit. */
import "./app.css";
import { computed, effect } from "@preact/signals";
import { type ComponentChild, render } from "preact";
import { backoffMs, call, Problem, toProblem } from "../shared/api.ts";
import type { Assignments, Campaign } from "../shared/contract.ts";
import { openWire } from "../sync/wire.ts";
import { Along, canTakeAlong } from "./along.ts";
import { announceTrouble } from "./announce.ts";
import { haltOf } from "./blocks.ts";
import { followCrowd } from "./crowd.ts";
import { openDatabase } from "./database.ts";
import { Cards } from "./dialogs/Cards.tsx";
import { measure } from "./frame.ts";
import { heed } from "./heed.ts";
import { keepCampaign, keepPage, keptCampaign } from "./kept.ts";
import { listenToKeys } from "./keys.ts";
import { loadWords, say } from "./language.ts";
import { LookLog } from "./looklog.ts";
import { Outbox } from "./outbox.ts";
import { openTaker, usePacks } from "./packs.ts";
import { Dock, keepFocus } from "./panel/Dock.tsx";
import { Top } from "./panel/Top.tsx";
import { Receipts } from "./receipts.ts";
import { isFirstVisit, loadMine, loadSwitches } from "./remember.ts";
import { Sender } from "./sender.ts";
import { type Parts, Session } from "./session.ts";
import { hasWork, type KeptSquare } from "./slot.ts";
import { Slot } from "./slots.ts";
import { mountStage } from "./stage/mount.ts";
import { Stage } from "./stage/Stage.tsx";
import { frame } from "./stage/view.ts";
import * as store from "./store.ts";
import { useSession } from "./tagging.ts";
import { dealer, sink, tryOutOf } from "./try-out.ts";
import { adopt, callAsVolunteer } from "./volunteer.ts";

const CLOCK_MS = 500;
const AGAIN_MS = 5000;
const KEPT_AFTER_MS = 5000;
/** The first wait is four seconds, and each one after it twice as long. */
const FIRST_ATTEMPT = 2;

const byId = (id: string) => document.getElementById(id)!;

/** Lets a waiting image or tap go first: on a phone the whole page at once would take too long. */
const breathe = () => new Promise((resolve) => setTimeout(resolve));

async function draw(): Promise<void> {
  byId("top").replaceChildren();
  const parts: [ComponentChild, string][] = [
    [<Top />, "top"],
    [<Dock />, "dock"],
    [<Stage />, "over"],
    [<Cards />, "cards"],
  ];
  for (const [part, place] of parts) {
    render(part, byId(place));
    await breathe();
  }
  for (const place of ["stage", "dock"]) byId(place).addEventListener("mousedown", keepFocus);
  effect(() => {
    byId("dock").setAttribute("aria-label", say("tagging_label"));
    byId("skip").textContent = say("skip_to_image");
  });
  effect(() => {
    byId("status").textContent = store.announcement.value;
  });
  effect(() => {
    if (store.title.value.text) document.title = say("page_title", { title: store.title.value.text });
  });
}

/** Ends sooner when the network comes back. */
const pause = (ms: number) =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
    addEventListener("online", resolve, { once: true });
  });

const askCampaign = (slug: string) => call<Campaign>(`/v1/campaigns/${encodeURIComponent(slug)}?area=false`);

/** The campaign as it is now, for a page that began with the one of before. */
async function renew(slug: string, database: IDBDatabase | null): Promise<void> {
  const campaign = await askCampaign(slug);
  store.campaign.value = campaign;
  await keepCampaign(database, slug, campaign);
}

/** A network that is there and brings nothing, where the campaign of before will do. */
const deadline = () =>
  new Promise<never>((_, reject) => setTimeout(() => reject(new Problem(0, {}, null)), KEPT_AFTER_MS));

/**
 * The campaign, asked for until it comes; a card says meanwhile why it has not. Where the server cannot be asked, as it
 * was when it was opened last.
 */
async function awaitCampaign(first: Promise<Campaign>, slug: string, database: IDBDatabase | null): Promise<Campaign> {
  const kept = await keptCampaign(database, slug);
  let asked = first;
  for (let attempt = FIRST_ATTEMPT; ; attempt++) {
    try {
      const campaign = await (kept ? Promise.race([asked, deadline()]) : asked);
      store.block.value = null;
      void keepCampaign(database, slug, campaign);
      return campaign;
    } catch (failure) {
      const problem = await toProblem(failure);
      if (kept && problem.isPassing) {
        addEventListener("online", () => void renew(slug, database).catch(() => {}), { once: true });
        return kept;
      }
      const { block, waitMs } = haltOf(problem, backoffMs(attempt, problem.retryAfterMs));
      store.block.value = block;
      await pause(waitMs);
      asked = askCampaign(slug);
    }
  }
}

function listenToPage(session: Session, tabs: BroadcastChannel | null): void {
  addEventListener("pagehide", () => session.leave());
  addEventListener("online", () => void session.tryNow());
  addEventListener("pageshow", (event) => event.persisted && void session.tryNow());
  addEventListener("beforeunload", (event) => {
    // Kept looks are safe; those that are only in this tab would be lost without a word.
    const { waiting, only_here } = store.outboxCounts.value;
    if (only_here > 0 || (waiting > 0 && !store.isDurable.value)) event.preventDefault();
  });
  if (!tabs) return;
  tabs.onmessage = () => void session.recount();
  // Only a changed number is worth telling, else two tabs would answer each other for ever.
  const waiting = computed(() => store.outboxCounts.value.waiting);
  effect(() => tabs.postMessage(waiting.value));
}

const cellPx = () => frame.value.cell;

interface RealParts extends Parts {
  along: Along;
  receipts: Receipts;
}

async function realParts(slug: string, campaign: Campaign, database: IDBDatabase | null): Promise<RealParts> {
  const byBoot = await window.spotterBoot.kept.catch(() => null);
  const outbox = new Outbox(database);
  store.isDurable.value = outbox.isDurable;
  const path = `/v1/campaigns/${encodeURIComponent(slug)}/assignments`;
  const slot = await Slot.take(slug, byBoot);
  const log = new LookLog(database);
  const unsent = await outbox.all();
  const given = [...slot.kept.map(({ assignment }) => assignment.cell), ...unsent.map(({ look }) => look.cell)];
  const along = new Along(database, slug, given);
  const receipts = new Receipts(openWire({ send: callAsVolunteer }), (...read) => heed(outbox, log, ...read));
  return {
    slug,
    campaign,
    outbox,
    log,
    slot,
    cellPx,
    along,
    receipts,
    deal: (count) => along.deal(count, () => callAsVolunteer<Assignments>(path, { method: "POST", body: { count } })),
    sender: (events) => new Sender(outbox, { ...events, onLate: (ids) => receipts.await(ids) }),
    onAnswered: (cell) => void along.answered([cell]),
    askProgress: () => void followCrowd(slug),
  };
}

/** Squares that were taken along: how many there are, and what a reload cut off goes on. */
async function openAlong(parts: RealParts, database: IDBDatabase | null): Promise<void> {
  const { slug, campaign, along, outbox, log, receipts } = parts;
  // A crash may have come between a look and its square.
  await along.answered((await outbox.all()).map(({ look }) => look.cell));
  const untold = (await log.of(slug)).filter(({ pack, standing }) => pack && !standing);
  if (untold.length > 0) receipts.await(untold.map(({ id }) => id));
  if (!outbox.isDurable || !canTakeAlong()) return;
  usePacks({ database, slug, campaign, along, cellPx });
  store.mayTakeAlong.value = true;
  addEventListener("online", () => along.expectNetwork());
  if ((await along.packs()).length > 0) await (await openTaker()).goOn();
}

async function tryParts(slug: string): Promise<Parts> {
  const tried = await tryOutOf(slug);
  const outbox = new Outbox(null);
  return {
    slug,
    campaign: tried.campaign,
    outbox,
    log: new LookLog(null),
    slot: null,
    cellPx,
    deal: dealer(tried),
    sender: (events) => sink(outbox, events),
    mayRepeat: true,
    askProgress: () => {},
  };
}

/** Of a search that is not open only what was begun: whoever comes back to it hears how it stands. */
function worthResuming({ state }: Campaign, kept: readonly KeptSquare[]): readonly KeptSquare[] {
  return state === "open" ? kept : kept.filter(hasWork);
}

async function begin(parts: Parts, assignments: Promise<Assignments | null>): Promise<void> {
  const { campaign } = parts;
  store.campaign.value = campaign;
  store.chosenType.value = store.palette.value[0]?.key ?? "";
  loadMine(campaign.id);
  frame.value = measure(byId("stage"));
  const session = new Session(parts);
  useSession(session);
  store.lookLog.value = parts.log;
  listenToKeys();
  announceTrouble();
  listenToPage(session, parts.slot && "BroadcastChannel" in window ? new BroadcastChannel("spotter.outbox") : null);
  if (isFirstVisit(campaign.id)) store.dialog.value = "first";
  await Promise.all([session.start(worthResuming(campaign, parts.slot?.kept ?? []), assignments), mountStage()]);
}

/** Starts the page. */
export async function main(): Promise<void> {
  document.documentElement.dataset.app = "on";
  const { isTry, slug, campaign, volunteer, assignments } = window.spotterBoot;
  store.isTry.value = isTry;
  await loadWords();
  loadSwitches();
  await draw();
  setInterval(() => (store.clock.value = Date.now()), CLOCK_MS);
  if (isTry) {
    const parts = await tryParts(slug).catch((error: Problem) => {
      store.block.value = haltOf(error, AGAIN_MS).block;
    });
    if (parts) await begin(parts, Promise.resolve(null));
    return;
  }
  adopt(volunteer);
  // Its time counts from now, however long the campaign takes.
  const first = assignments.catch(async (failure) => Promise.reject(await toProblem(failure)));
  first.catch(() => {});
  const database = await openDatabase();
  const parts = await realParts(slug, await awaitCampaign(campaign, slug, database), database);
  const dealt = parts.along.first(first);
  dealt.catch(() => {});
  await begin(parts, dealt);
  void keepPage();
  await openAlong(parts, database).catch(() => {});
}
