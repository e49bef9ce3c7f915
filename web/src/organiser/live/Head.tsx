/** The campaign's name, its state, and what an organiser can do with it now. */
import { useState } from "preact/hooks";
import type { Problem } from "../../shared/api.ts";
import { pick } from "../../shared/locale.ts";
import { Icon } from "../../shared/symbols.tsx";
import { metresPerPixel, WORLD_PX } from "../../shared/tiles.ts";
import { say, words } from "../language.ts";
import { editPath } from "../route.ts";
import { key } from "../session.ts";
import { wholeShare } from "./ages.ts";
import { CopyLink } from "./CopyLink.tsx";
import { dialog } from "./Dialogs.tsx";
import { DownloadMenu } from "./Download.tsx";
import { campaign, progress, slowClock } from "./state.ts";
import { minutes } from "./Time.tsx";
import { Trouble } from "./Trouble.tsx";
import { cloneCampaign, steer } from "./tasks.ts";

const TONES = { draft: "", preparing: "info", open: "good", paused: "warn", closed: "" } as const;

function stateText(): string {
  const c = campaign.value!;
  const preparation = progress.value?.preparation;
  if (c.state === "preparing" && preparation?.cells)
    return say("state_preparing_share", {
      share: words.percent(wholeShare(preparation.cells_prepared / preparation.cells)),
    });
  const opened = Math.max(Date.parse(c.published_at ?? ""), Date.parse(c.starts_at ?? c.published_at ?? ""));
  if (c.state === "open" && opened > slowClock.value) return say("state_open_later", { when: dateTime(opened) });
  if (c.state === "open" && Number.isFinite(opened))
    return say("state_open_for", { time: minutes((slowClock.value - opened) / 1000) });
  return say(`state_${c.state}`);
}

const dateTime = (at: number) =>
  new Intl.DateTimeFormat(words.locale, { dateStyle: "medium", timeStyle: "short" }).format(at);

function StatePill() {
  const { state } = campaign.value!;
  const signs = { preparing: <span class="spin" />, paused: <Icon name="pause" small /> } as Record<
    string,
    preact.JSX.Element
  >;
  return (
    <span class={`pill sm num ${TONES[state]}`}>
      {signs[state] ?? <span class="dot" />}
      <bdi>{stateText()}</bdi>
    </span>
  );
}

function Subtitle() {
  const c = campaign.value!;
  const middle = (c.bbox[1] + c.bbox[3]) / 2;
  const side = Math.round(metresPerPixel(middle, c.cell_zoom) * WORLD_PX);
  const { name, acquired_at } = c.imagery;
  const imagery = acquired_at ? say("imagery_of", { name, date: words.date(acquired_at) }) : name;
  return (
    <p class="num">
      <bdi>{say("subtitle", { area: c.area_km2, n: c.cells, side, looks: c.looks_wanted, imagery })}</bdi>
    </p>
  );
}

/** A change of area or priorities is carried out while the search goes on. */
function Changing() {
  const preparation = progress.value?.preparation;
  if (!preparation || campaign.value!.state === "preparing") return null;
  const { cells_prepared: done, cells } = preparation;
  return <p class="num">{say("changing", { done, n: cells })}</p>;
}

/** Things that are done at once, and say when they could not be done. */
function useTried() {
  const [trouble, setTrouble] = useState<Problem | null>(null);
  const [isBusy, setBusy] = useState(false);
  const trying = (work: () => Promise<void>) => () => {
    setBusy(true);
    setTrouble(null);
    work()
      .catch((error: Problem) => setTrouble(error))
      .finally(() => setBusy(false));
  };
  return { trouble, isBusy, trying };
}

export function Head({ slug }: { slug: string }) {
  const { trouble, isBusy, trying } = useTried();
  const c = campaign.value!;
  const title = pick(c.title);
  const resume = trying(() => steer("resume"));
  const clone = trying(async () => location.assign(editPath(await cloneCampaign())));
  return (
    <div class="head">
      <div class="grow">
        <h1>
          <span lang={title.lang || undefined}>{title.text}</span>
          <StatePill />
        </h1>
        <Subtitle />
        <Changing />
        {c.state === "paused" && c.message && <p dir="auto">{say("paused_message", { message: c.message })}</p>}
      </div>
      <div class="acts">
        {c.state !== "closed" && c.state !== "draft" && <CopyLink slug={slug} />}
        {key.value && c.state !== "draft" && (
          <>
            {c.state !== "preparing" && <DownloadMenu />}
            {(c.state === "open" || c.state === "paused") && (
              <a class="btn" href={editPath(slug)}>
                {say("change_area")}
              </a>
            )}
            {c.state === "open" && (
              <button type="button" class="btn" onClick={() => (dialog.value = "pause")}>
                <Icon name="pause" small />
                {say("pause")}
              </button>
            )}
            {c.state === "paused" && (
              <button type="button" class="btn primary" disabled={isBusy} onClick={resume}>
                {say("resume")}
              </button>
            )}
            {c.state !== "closed" && (
              <button type="button" class="btn" onClick={() => (dialog.value = "close")}>
                {say("close")}
              </button>
            )}
            {c.state === "closed" && (
              <button type="button" class="btn" disabled={isBusy} onClick={clone}>
                {say("clone")}
              </button>
            )}
          </>
        )}
      </div>
      {trouble && (
        <div class="whole">
          <Trouble problem={trouble} what={c.state === "closed" ? "trouble_clone" : "trouble_resume"} />
        </div>
      )}
    </div>
  );
}
