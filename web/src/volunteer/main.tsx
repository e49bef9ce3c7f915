/** The volunteer's page: puts its parts into the places that the HTML keeps for them, and starts the visit. */
import "./app.css";
import { computed, effect } from "@preact/signals";
import { type ComponentChild, render } from "preact";
import { backoffMs, call, type Problem, toProblem } from "../shared/api.ts";
import type { Assignments, Campaign } from "../shared/contract.ts";
import { announceTrouble } from "./announce.ts";
import { haltOf } from "./blocks.ts";
import { followCrowd } from "./crowd.ts";
import { openDatabase } from "./database.ts";
import { Cards } from "./dialogs/Cards.tsx";
import { measure } from "./frame.ts";
import { listenToKeys } from "./keys.ts";
import { loadWords, say } from "./language.ts";
import { LookLog } from "./looklog.ts";
import { Outbox } from "./outbox.ts";
import { Dock, keepFocus } from "./panel/Dock.tsx";
import { Top } from "./panel/Top.tsx";
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

/** The campaign, asked for until it comes; a card says meanwhile why it has not. */
async function awaitCampaign(first: Promise<Campaign>, slug: string): Promise<Campaign> {
  const ask = () => call<Campaign>(`/v1/campaigns/${encodeURIComponent(slug)}?area=false`);
  let asked = first;
  for (let attempt = FIRST_ATTEMPT; ; attempt++) {
    try {
      const campaign = await asked;
      store.block.value = null;
      return campaign;
    } catch (failure) {
      const problem = await toProblem(failure);
      const { block, waitMs } = haltOf(problem, backoffMs(attempt, problem.retryAfterMs));
      store.block.value = block;
      await pause(waitMs);
      asked = ask();
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

async function realParts(slug: string, campaign: Campaign): Promise<Parts> {
  const [database, byBoot] = await Promise.all([openDatabase(), window.spotterBoot.kept.catch(() => null)]);
  const outbox = new Outbox(database);
  store.isDurable.value = outbox.isDurable;
  const path = `/v1/campaigns/${encodeURIComponent(slug)}/assignments`;
  return {
    slug,
    campaign,
    outbox,
    log: new LookLog(database),
    slot: await Slot.take(slug, byBoot),
    cellPx,
    deal: (count) => callAsVolunteer<Assignments>(path, { method: "POST", body: { count } }),
    sender: (events) => new Sender(outbox, events),
    askProgress: () => void followCrowd(slug),
  };
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
  await begin(await realParts(slug, await awaitCampaign(campaign, slug)), first);
}
