/** Step 3: where people look. */
import { useRef } from "preact/hooks";
import { Icon } from "../../shared/symbols.tsx";
import { partsOf } from "./definition.ts";
import type { Repair } from "./draft.ts";
import { estimate } from "./estimate.ts";
import { Message } from "./fields.tsx";
import { type Importing, importing, takeFile } from "./importing.ts";
import { say, words } from "./language.ts";
import { showPlace } from "./mapview.ts";
import { Parts } from "./Parts.tsx";
import type { Refusal } from "./refusal.ts";
import { change, draft } from "./state.ts";
import { Typed } from "./Typed.tsx";

const REPAIRS_SHOWN = 4;

export function AreaStep() {
  return (
    <>
      <h1>{say("area_title")}</h1>
      <p>{say("area_lead")}</p>
      <AreaForm />
    </>
  );
}

export function AreaForm() {
  return (
    <>
      <div class="blk">
        <FileRow />
        <Outcome />
      </div>
      <Parts />
      <Typed />
    </>
  );
}

function FileRow() {
  const input = useRef<HTMLInputElement>(null);
  const part = draft.value.parts.find((entry) => entry.file);
  const choose = () => input.current?.click();
  const picker = (
    <input
      ref={input}
      class="vh"
      type="file"
      tabIndex={-1}
      aria-hidden="true"
      accept=".geojson,.json,application/geo+json,application/json"
      onChange={(event) => {
        const file = event.currentTarget.files?.[0];
        event.currentTarget.value = "";
        if (file) void takeFile(file);
      }}
    />
  );
  if (!part?.file)
    return (
      <div class="drop">
        {picker}
        <b>{say("drop_title")}</b>
        <span>
          {say("drop_or")}{" "}
          <button type="button" class="link" onClick={choose}>
            {say("drop_choose")}
          </button>
          {say("drop_size")}
        </span>
      </div>
    );
  const { name, polygons, points, holes } = part.file;
  const facts = [say("polygons", { n: polygons }), say("points", { n: points })];
  if (holes) facts.push(say("holes", { n: holes }));
  return (
    <div class="file">
      {picker}
      <Icon name="file" />
      <div class="grow">
        <b dir="auto">{name}</b>
        <span class="muted">{facts.join(", ")}</span>
      </div>
      <button type="button" class="btn sm ghost" onClick={choose}>
        {say("replace")}
      </button>
      <button
        type="button"
        class="icon-btn sm"
        aria-label={say("remove_file")}
        onClick={() => change({ what: "remove_part", id: part.id })}
      >
        <Icon name="close" small />
      </button>
    </div>
  );
}

/** What became of the last file, and what was put right in the parts. */
function Outcome() {
  const now = importing.value;
  const repairs = draft.value.parts.flatMap((part) => part.repairs);
  const drawn = (estimate.value.value?.notes ?? [])
    .filter((note) => note.code === "repaired")
    .map((note) => ({ text: note.detail, place: note.place ?? null }));
  const refusal = estimate.value.refusal;
  return (
    <>
      <FileOutcome now={now} />
      {refusal && now.at === "none" && <Refused refusal={refusal} name={null} />}
      {now.at === "none" && <Repairs list={[...repairs, ...drawn]} />}
    </>
  );
}

function Repairs({ list }: { list: readonly Repair[] }) {
  return (
    <>
      {list.slice(0, REPAIRS_SHOWN).map(({ text, place }) => (
        <Message key={text} tone="info">
          <span lang="en">{text[0]!.toUpperCase() + text.slice(1)}</span>{" "}
          {place && (
            <button type="button" class="link" onClick={() => showPlace(place)}>
              {say("show")}
            </button>
          )}
        </Message>
      ))}
      {list.length > REPAIRS_SHOWN && <p class="help">{say("more_repairs", { n: list.length - REPAIRS_SHOWN })}</p>}
    </>
  );
}

function FileOutcome({ now }: { now: Importing }) {
  if (now.at === "none") return null;
  if (now.at === "reading")
    return (
      <p class="help" role="status">
        {say("reading_file", { name: now.name })}
      </p>
    );
  if (now.at === "refused") return <Refused refusal={now.refusal} name={now.name} />;
  if (now.at === "fault")
    return (
      <Refusing
        title={say(`fault_${now.fault}_title`)}
        rows={[
          [say("r_file"), now.name, ""],
          [say("r_found"), say(`fault_${now.fault}_found`, { size: megabytes(now.bytes) }), ""],
          [say("r_needed"), say("fault_needed"), ""],
          [say("r_todo"), say(`fault_${now.fault}_todo`), ""],
        ]}
      />
    );
  return (
    <Message tone="warn">
      {say(now.problem.isOffline ? "file_offline" : "file_trouble", { name: now.name })}{" "}
      <button type="button" class="btn sm" onClick={now.again}>
        {say("try_again")}
      </button>
    </Message>
  );
}

const megabytes = (bytes: number): string => `${words.number(Math.max(0.1, bytes / 1e6))} MB`;

function Refused({ refusal, name }: { refusal: Refusal; name: string | null }) {
  const rows: Row[] = [
    [say("r_file"), name ?? "", ""],
    [say("r_found"), refusal.found, "en"],
    // Where the server names no need, the general one holds.
    [say("r_needed"), refusal.needed || say("fault_needed"), refusal.needed ? "en" : ""],
    [say("r_todo"), refusal.todo || say("todo_general"), refusal.todo ? "en" : ""],
  ];
  return (
    <Refusing
      title={say(`refusal_${refusal.title}`)}
      rows={rows}
      more={refusal.more ? say("refusal_more", { n: refusal.more }) : ""}
    />
  );
}

type Row = [label: string, text: string, lang: string];

function Refusing({ title, rows, more }: { title: string; rows: Row[]; more?: string }) {
  return (
    <Message tone="bad">
      <b>{title}</b>
      <dl class="why">
        {rows
          .filter(([, text]) => text)
          .map(([label, text, lang]) => (
            <div key={label}>
              <dt>{label}</dt>
              <dd lang={lang || undefined} dir="auto">
                {text}
              </dd>
            </div>
          ))}
      </dl>
      {more && <p class="help">{more}</p>}
      {partsOf(draft.value, "area").length > 0 && <p class="help">{say("refusal_kept")}</p>}
    </Message>
  );
}
