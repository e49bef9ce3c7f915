/** The volunteer's page: puts its parts into the places that the HTML keeps for them, and starts the visit. */
import "./app.css";
import { computed, effect } from "@preact/signals";
import { render } from "preact";
import { call, type Problem } from "../shared/api.ts";
import type { Campaign } from "../shared/contract.ts";
import { Cards } from "./dialogs/Cards.tsx";
import { measure } from "./frame.ts";
import { listenToKeys } from "./keys.ts";
import { loadWords, say } from "./language.ts";
import { Outbox } from "./outbox.ts";
import { Dock, keepFocus } from "./panel/Dock.tsx";
import { Top } from "./panel/Top.tsx";
import { isFirstVisit, loadMine, loadSwitches } from "./remember.ts";
import { blockOf, Session } from "./session.ts";
import { mountStage } from "./stage/mount.ts";
import { Stage } from "./stage/Stage.tsx";
import { frame } from "./stage/view.ts";
import * as store from "./store.ts";
import { currentSession, useSession } from "./tagging.ts";
import { adopt } from "./volunteer.ts";

const CLOCK_MS = 500;
const AGAIN_MS = 5000;

const byId = (id: string) => document.getElementById(id)!;

function draw(): void {
  byId("top").replaceChildren();
  render(<Top />, byId("top"));
  byId("dock").setAttribute("aria-label", say("tagging_label"));
  render(<Dock />, byId("dock"));
  render(<Stage />, byId("over"));
  render(<Cards />, byId("cards"));
  byId("skip").textContent = say("skip_to_image");
  byId("stage").addEventListener("mousedown", keepFocus);
  byId("dock").addEventListener("mousedown", keepFocus);
  effect(() => {
    byId("status").textContent = store.announcement.value;
  });
  effect(() => {
    if (store.title.value.text) document.title = say("page_title", { title: store.title.value.text });
  });
}

/** Says trouble once to screen readers; the countdowns in it stay silent. */
function announceTrouble(): void {
  let last = "";
  effect(() => {
    const state = store.sendState.value;
    const reason = state.kind === "waiting" ? state.reason : "";
    const waiting = store.outboxCounts.peek().waiting;
    if (reason && reason !== last && waiting > 0)
      store.announcement.value = say(reason === "offline" ? "said_offline" : "said_busy", { n: waiting });
    if (state.kind !== "sending") last = reason;
  });
}

/** The campaign, asked for until it comes; a card says meanwhile why it has not. */
async function awaitCampaign(first: Promise<Campaign>, slug: string): Promise<Campaign> {
  let attempt = first.catch(() => call<Campaign>(`/v1/campaigns/${encodeURIComponent(slug)}`));
  for (;;) {
    try {
      const campaign = await attempt;
      store.block.value = null;
      return campaign;
    } catch (error) {
      store.block.value = blockOf(error as Problem, Date.now() + AGAIN_MS);
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      attempt = call<Campaign>(`/v1/campaigns/${encodeURIComponent(slug)}`);
    }
  }
}

function listenToPage(session: Session, tabs: BroadcastChannel | null): void {
  addEventListener("pagehide", () => session.leave());
  addEventListener("online", () => void session.tryNow());
  addEventListener("pageshow", (event) => event.persisted && void session.tryNow());
  if (!tabs) return;
  tabs.onmessage = () => void session.recount();
  // Only a changed number is worth telling, else two tabs would answer each other for ever.
  const waiting = computed(() => store.outboxCounts.value.waiting);
  effect(() => tabs.postMessage(waiting.value));
}

/** Starts the page. */
export async function main(): Promise<void> {
  document.documentElement.dataset.app = "on";
  const boot = window.spotterBoot;
  await loadWords();
  loadSwitches();
  adopt(boot.volunteer);
  draw();
  setInterval(() => (store.clock.value = Date.now()), CLOCK_MS);
  const campaign = await awaitCampaign(boot.campaign, boot.slug);
  store.campaign.value = campaign;
  store.chosenType.value = store.palette.value[0]?.key ?? "";
  loadMine(campaign.id);
  const outbox = await Outbox.open();
  store.isDurable.value = outbox.isDurable;
  frame.value = measure(byId("stage"));
  const session = new Session(boot.slug, campaign, outbox, () => frame.value.cell);
  useSession(session);
  listenToKeys();
  announceTrouble();
  listenToPage(currentSession(), "BroadcastChannel" in window ? new BroadcastChannel("spotter.outbox") : null);
  if (isFirstVisit(campaign.id)) store.dialog.value = "first";
  await Promise.all([session.start(boot.assignments), mountStage(campaign.imagery)]);
}
