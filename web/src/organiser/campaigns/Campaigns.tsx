/** All campaigns of this server, for organisers: how each one goes, and the way to it. */
import "./campaigns.css";
import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Problem } from "../../shared/api.ts";
import { pick } from "../../shared/locale.ts";
import { cellsToSearch } from "../../shared/progress.ts";
import { Icon } from "../../shared/symbols.tsx";
import { Bar } from "../Bar.tsx";
import { ago, say, words } from "../language.ts";
import { editPath, livePath, localPath, newPath } from "../route.ts";
import type { DraftRecord } from "../wizard/device.ts";
import {
  campaigns,
  clock,
  clone,
  type Entry,
  failure,
  localDrafts,
  more,
  next,
  refresh,
  removeDraft,
  removeLocal,
  startList,
} from "./list.ts";
import { Menu } from "./Menu.tsx";

const TONES = { draft: "", preparing: "", open: "good", paused: "warn", closed: "" } as const;

type Doomed = { title: string; remove: () => Promise<void> };

/** The draft that somebody wants to delete. */
const doomed = signal<Doomed | null>(null);
const trouble = signal<Problem | null>(null);

export function Campaigns() {
  useEffect(() => {
    document.title = say("list_title");
    return startList();
  }, []);
  const all = campaigns.value;
  const isEmpty = all?.length === 0 && localDrafts.value.length === 0;
  return (
    <>
      <Bar />
      <main class="page list">
        <div class="head">
          <h1 class="grow">{say("campaigns")}</h1>
          {!isEmpty && <NewCampaign />}
        </div>
        <Late />
        {trouble.value && (
          <div class="banner" role="alert">
            {say(trouble.value.isOffline ? "action_offline" : "action_failed")}{" "}
            <span lang="en">{trouble.value.isOffline ? "" : trouble.value.body.detail}</span>
          </div>
        )}
        {isEmpty ? <Empty /> : all && <Table entries={all} />}
        {next.value && <More />}
      </main>
      <Sure />
    </>
  );
}

const NewCampaign = () => (
  <a class="btn primary" href={newPath}>
    <Icon name="plus" small />
    {say("new_campaign")}
  </a>
);

/** Old numbers stay, and are said to be old. */
function Late() {
  if (!failure.value) return null;
  const isEmpty = campaigns.value === null;
  const words = failure.value.isOffline ? "list_offline" : "list_failed";
  return (
    <div class={isEmpty ? "card blank" : "banner"} role="status">
      <div>{say(isEmpty ? words : (`${words}_old` as const))}</div>
      {isEmpty && (
        <button type="button" class="btn" onClick={() => void refresh()}>
          {say("load_again")}
        </button>
      )}
    </div>
  );
}

const Empty = () => (
  <div class="card blank">
    <div>
      <b>{say("no_campaigns")}</b>
      {say("no_campaigns_text")}
    </div>
    <NewCampaign />
  </div>
);

function More() {
  const [isBusy, setBusy] = useState(false);
  return (
    <button
      type="button"
      class="btn"
      disabled={isBusy}
      onClick={() => {
        setBusy(true);
        void more().finally(() => setBusy(false));
      }}
    >
      {say("more_campaigns")}
    </button>
  );
}

function Table({ entries }: { entries: readonly Entry[] }) {
  return (
    <div class="card">
      <table class="campaigns">
        <caption class="vh">{say("campaigns")}</caption>
        <thead>
          <tr>
            <th scope="col">{say("col_title")}</th>
            <th scope="col">{say("col_state")}</th>
            <th scope="col">{say("col_cells")}</th>
            <th scope="col" class="end">
              {say("col_rate")}
            </th>
            <th scope="col">{say("col_last")}</th>
            <th scope="col">
              <span class="vh">{say("col_actions")}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {localDrafts.value.map((record) => (
            <LocalRow key={record.id} record={record} />
          ))}
          {entries.map((entry) => (
            <Row key={entry.id} entry={entry} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ entry }: { entry: Entry }) {
  const title = pick(entry.title, entry.languages);
  const isDraft = entry.state === "draft";
  const path = isDraft ? editPath(entry.slug) : livePath(entry.slug);
  const { activity } = entry;
  return (
    <tr>
      <th scope="row">
        <a href={path} lang={title.lang} dir="auto">
          {title.text || entry.slug}
        </a>
      </th>
      <td data-label={say("col_state")}>
        <span class={`pill sm ${TONES[entry.state]}`}>
          <span class="dot" />
          {say(`state_${entry.state}`)}
        </span>
      </td>
      <td data-label={say("col_cells")}>{isDraft ? <None /> : <Cells entry={entry} />}</td>
      <td data-label={say("col_rate")} class="end num">
        {activity?.looks_per_minute == null ? <None /> : words.number(activity.looks_per_minute)}
      </td>
      <td data-label={say("col_last")} class="num">
        {activity?.last_look_at ? ago(activity.last_look_at, clock.value) : <None />}
      </td>
      <td class="act">
        <Actions entry={entry} title={title.text || entry.slug} />
      </td>
    </tr>
  );
}

const None = () => (
  <span class="none">
    <span aria-hidden="true">{say("unknown")}</span>
    <span class="vh">{say("nothing_yet")}</span>
  </span>
);

function Cells({ entry }: { entry: Entry }) {
  const done = entry.activity?.cells_done ?? 0;
  const cells = cellsToSearch({ cells: entry.cells, cells_closed: entry.activity?.cells_closed ?? 0 });
  const share = cells ? done / cells : 0;
  return (
    <div class="cells">
      <div class="meter" role="img" aria-label={say("percent_of_cells", { share: words.percent(share) })}>
        <i style={{ width: `${share * 100}%` }} />
      </div>
      <span class="muted num">{say("cells_of", { share: words.percent(share), n: cells })}</span>
    </div>
  );
}

/** Runs an action of a menu, and says what went wrong. */
const run = (action: () => Promise<unknown>) => {
  trouble.value = null;
  action().catch((problem: Problem) => (trouble.value = problem));
};

function Actions({ entry, title }: { entry: Entry; title: string }) {
  const items = [
    { label: say("make_copy"), onChoose: () => run(async () => location.assign(editPath(await clone(entry.slug)))) },
    ...(entry.state === "draft"
      ? [
          {
            label: say("delete_draft"),
            isDanger: true,
            onChoose: () => (doomed.value = { title, remove: () => removeDraft(entry) }),
          },
        ]
      : [{ label: say("volunteer_page"), onChoose: () => location.assign(`/s/${encodeURIComponent(entry.slug)}`) }]),
  ];
  return <Menu label={say("actions_for", { title })} items={items} />;
}

function LocalRow({ record }: { record: DraftRecord }) {
  const { draft } = record;
  const title = Object.values(draft.title)[0]?.trim() || say("untitled_draft");
  return (
    <tr>
      <th scope="row">
        <a href={localPath(record.id)} dir="auto">
          {title}
        </a>
      </th>
      <td data-label={say("col_state")}>
        <span class="pill sm">
          <span class="dot" />
          {say("state_draft")}
        </span>{" "}
        <span class="muted">{say("only_here")}</span>
      </td>
      <td data-label={say("col_cells")}>
        <None />
      </td>
      <td data-label={say("col_rate")} class="end">
        <None />
      </td>
      <td data-label={say("col_last")}>
        <None />
      </td>
      <td class="act">
        <Menu
          label={say("actions_for", { title })}
          items={[
            {
              label: say("delete_draft"),
              isDanger: true,
              onChoose: () => (doomed.value = { title, remove: () => removeLocal(record.id) }),
            },
          ]}
        />
      </td>
    </tr>
  );
}

/** Deleting asks once, with the name, and the focus on keeping. */
function Sure() {
  const dialog = useRef<HTMLDialogElement>(null);
  const wanted = doomed.value;
  useEffect(() => {
    if (wanted) dialog.current?.showModal();
    else dialog.current?.close();
  }, [wanted]);
  return (
    <dialog class="ask" ref={dialog} aria-labelledby="sure-h" onClose={() => (doomed.value = null)}>
      <h2 id="sure-h">{say("delete_title", { title: wanted?.title ?? "" })}</h2>
      <p>{say("delete_text")}</p>
      <div class="acts">
        <button type="button" class="btn" onClick={() => (doomed.value = null)}>
          {say("keep_draft")}
        </button>
        <button
          type="button"
          class="btn danger primary"
          onClick={() => {
            doomed.value = null;
            if (wanted) run(wanted.remove);
          }}
        >
          {say("delete_draft")}
        </button>
      </div>
    </dialog>
  );
}
