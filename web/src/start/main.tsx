/** All open searches; with exactly one the visitor is brought straight to it. */
import "../shared/tokens.css";
import "./start.css";
import { signal } from "@preact/signals";
import { render } from "preact";
import { call } from "../shared/api.ts";
import type { Campaign, Progress } from "../shared/contract.ts";
import { pick } from "../shared/locale.ts";
import { cellsToSearch } from "../shared/progress.ts";
import { BrandMark } from "../shared/symbols.tsx";
import { followSystemTheme } from "../shared/theme.ts";
import { say, words } from "./language.ts";

const AGAIN_MS = 10_000;

const campaigns = signal<readonly Campaign[] | null>(null);
const progress = signal<Record<string, Progress>>({});
const hasFailed = signal(false);

async function load(): Promise<void> {
  try {
    const { campaigns: open } = await call<{ campaigns: Campaign[] }>("/v1/campaigns?state=open");
    const only = open.length === 1 ? open[0] : undefined;
    if (only) {
      location.replace(`/s/${encodeURIComponent(only.slug)}`);
      return;
    }
    hasFailed.value = false;
    campaigns.value = open;
    await Promise.all(open.map(loadProgress));
  } catch {
    hasFailed.value = true;
    setTimeout(() => void load(), AGAIN_MS);
  }
}

async function loadProgress({ slug }: Campaign): Promise<void> {
  const found = await call<Progress>(`/v1/campaigns/${encodeURIComponent(slug)}/progress`).catch(() => null);
  if (found) progress.value = { ...progress.value, [slug]: found };
}

function Entry({ campaign }: { campaign: Campaign }) {
  const title = pick(campaign.title, campaign.languages);
  const summary = pick(campaign.summary, campaign.languages);
  const crowd = progress.value[campaign.slug];
  const share = crowd && words.percent(crowd.coverage);
  return (
    <li class="card">
      <h2 lang={title.lang}>{title.text}</h2>
      <p lang={summary.lang}>{summary.text}</p>
      <div class="meter" role="img" aria-label={share ? say("percent_of_squares", { share }) : title.text}>
        <i style={{ width: `${(crowd?.coverage ?? 0) * 100}%` }} />
      </div>
      <div class="row">
        <span class="muted num">
          {crowd && share ? say("list_progress", { share, cells: cellsToSearch(crowd) }) : " "}
        </span>
        <a
          class="btn"
          href={`/s/${encodeURIComponent(campaign.slug)}`}
          aria-label={say("list_start_at", { title: title.text })}
        >
          {say("list_start")}
        </a>
      </div>
    </li>
  );
}

function Note({ title, text }: { title: string; text: string }) {
  return (
    <div class="card note" role="status">
      <b>{title}</b>
      {text}
    </div>
  );
}

function Page() {
  const list = campaigns.value;
  return (
    <main class="start">
      <div class="brand">
        <BrandMark />
        <span>Spotter</span>
      </div>
      <h1>{say("list_title")}</h1>
      <p class="intro">{say("list_intro")}</p>
      {hasFailed.value && !list && <Note title={say("list_trouble_title")} text={say("list_trouble")} />}
      {list?.length === 0 && <Note title={say("list_empty_title")} text={say("list_empty")} />}
      {list && list.length > 0 && (
        <ul>
          {list.map((campaign) => (
            <Entry key={campaign.id} campaign={campaign} />
          ))}
        </ul>
      )}
    </main>
  );
}

followSystemTheme();
render(<Page />, document.getElementById("page")!);
void load();
