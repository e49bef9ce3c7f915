/** The organiser's plain page: how the search goes, where people have looked, what they tagged. */
import "../shared/tokens.css";
import "./organiser.css";
import { effect } from "@preact/signals";
import { render } from "preact";
import { pick } from "../shared/locale.ts";
import { BrandMark, Icon } from "../shared/symbols.tsx";
import { followSystemTheme } from "../shared/theme.ts";
import { Feed } from "./Feed.tsx";
import { say, words } from "./language.ts";
import { MapCard } from "./MapCard.tsx";
import { Answers, Kpis, Types } from "./Numbers.tsx";
import { asOf, campaign, clock, failure, key, progress, signOut, slug, start } from "./state.ts";

const LATE_MS = 15_000;

function Bar() {
  return (
    <header class="bar">
      <a class="brand" href="/">
        <BrandMark />
        <span>Spotter</span>
      </a>
      <div class="crumbs grow">
        <b>{pick(campaign.value?.title).text}</b>
      </div>
      {key.value && (
        <button type="button" class="btn sm" onClick={signOut}>
          <Icon name="key" small />
          {say("sign_out")}
        </button>
      )}
    </header>
  );
}

function Head() {
  const c = campaign.value!;
  const tone = { draft: "", preparing: "", open: "good", paused: "warn", closed: "" }[c.state];
  return (
    <div class="head">
      <div class="grow">
        <h1>
          {pick(c.title).text}
          <span class={`pill sm ${tone}`}>
            <span class="dot" />
            {say(`state_${c.state}`)}
          </span>
        </h1>
        <p>{say("subtitle", { area: c.area_km2, n: c.cells, looks: c.looks_wanted, imagery: c.imagery.name })}</p>
      </div>
      <div class="acts">
        <a class="btn" href={`/s/${encodeURIComponent(slug)}`}>
          {say("volunteer_page")}
        </a>
      </div>
    </div>
  );
}

function Late() {
  const age = asOf.value === null ? 0 : clock.value - asOf.value;
  if (!progress.value || age < LATE_MS) return null;
  const seconds = Math.round(age / 1000);
  const text = seconds < 120 ? say("seconds", { n: seconds }) : say("minutes", { n: Math.round(seconds / 60) });
  return (
    <div class="banner" role="status">
      {say(failure.value?.isOffline ? "late_network" : "late", { age: text })}
    </div>
  );
}

function Missing() {
  const isMissing = failure.value?.status === 404;
  return (
    <>
      <div class="card blank">
        <div>
          <b>{say(isMissing ? "missing_title" : "trouble_title")}</b>
          {say(isMissing ? "missing_text" : "trouble_text")}
        </div>
      </div>
      {isMissing && <Feed />}
    </>
  );
}

function Page() {
  return (
    <>
      <Bar />
      <main class="page">
        {campaign.value && (
          <>
            <Head />
            <Late />
            <Kpis />
            <div class="main">
              <MapCard />
              <Feed />
            </div>
            <div class="two">
              <Answers />
              <Types />
            </div>
          </>
        )}
        {!campaign.value && failure.value && <Missing />}
      </main>
    </>
  );
}

followSystemTheme();
start();
effect(() => {
  if (campaign.value)
    document.title = say("page_title", {
      share: words.percent(progress.value?.coverage ?? 0),
      title: pick(campaign.value.title).text,
    });
});
render(<Page />, document.getElementById("page")!);
