/** The live page: how the search goes, where people have looked, what they tagged. */
import "./live.css";
import { useEffect } from "preact/hooks";
import { pick } from "../../shared/locale.ts";
import { Icon } from "../../shared/symbols.tsx";
import { Bar } from "../Bar.tsx";
import { say, words } from "../language.ts";
import { editPath } from "../route.ts";
import { isSigningIn, key } from "../session.ts";
import { Answers, Types } from "./Answers.tsx";
import { wholeShare } from "./ages.ts";
import { Banner } from "./Banner.tsx";
import { Cells } from "./Cells.tsx";
import { Dialogs } from "./Dialogs.tsx";
import { Feed } from "./Feed.tsx";
import { Head } from "./Head.tsx";
import { MapCard } from "./MapCard.tsx";
import { Kpis } from "./Numbers.tsx";
import { Prefetching } from "./Prefetching.tsx";
import { Rate } from "./Rate.tsx";
import { campaign, failure, progress, status } from "./state.ts";
import { Trouble } from "./Trouble.tsx";
import { start } from "./tasks.ts";

/** Nothing to show: there is no such campaign for this reader, or no answer yet. */
function Missing() {
  const problem = failure.value!;
  if (problem.status !== 404)
    return (
      <div class="card blank">
        <div>
          <h1>{say("trouble_title")}</h1>
          <Trouble problem={problem} what="trouble_text" />
        </div>
      </div>
    );
  return (
    <div class="card blank">
      <div>
        <h1>{say("missing_title")}</h1>
        {say(key.value ? "missing_text" : "missing_text_key")}
        {!key.value && (
          <button type="button" class="btn" onClick={() => (isSigningIn.value = true)}>
            <Icon name="key" small />
            {say("sign_in")}
          </button>
        )}
      </div>
    </div>
  );
}

function Draft({ slug }: { slug: string }) {
  return (
    <div class="card blank">
      <div>
        <b>{say("draft_title")}</b>
        {say("draft_text")}
        <a class="btn" href={editPath(slug)}>
          {say("draft_edit")}
        </a>
      </div>
    </div>
  );
}

/** The picture and the lists; without a single look the charts would be empty boxes. */
function Work({ slug }: { slug: string }) {
  return (
    <>
      <Kpis />
      <div class="main">
        <MapCard slug={slug} />
        <Feed slug={slug} />
      </div>
      <Cells />
      <Prefetching />
      {(progress.value?.looks ?? 0) > 0 && (
        <div class="three">
          <Rate />
          <Answers />
          <Types />
        </div>
      )}
    </>
  );
}

export function Live({ slug }: { slug: string }) {
  useEffect(() => start(slug), [slug]);
  const c = campaign.value;
  const title = pick(c?.title);
  const share = words.percent(wholeShare(progress.value?.coverage ?? 0));
  useEffect(() => {
    if (title.text) document.title = say("page_title", { share, title: title.text });
  }, [title.text, share]);
  return (
    <>
      <Bar here={title.text} lang={title.lang || undefined} />
      <main class="page live">
        <p class="vh" role="status">
          {status.value}
        </p>
        {c && (
          <>
            <Banner />
            <Head slug={slug} />
            {c.state === "draft" ? <Draft slug={slug} /> : <Work slug={slug} />}
            {c.state === "draft" && <Prefetching />}
          </>
        )}
        {!c && failure.value && <Missing />}
      </main>
      <Dialogs />
    </>
  );
}
