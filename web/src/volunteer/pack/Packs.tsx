/** Taking squares along: how many and how many bytes, how far it is, what is here, what became of the looks. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { isTile } from "../../offline/names.ts";
import { say, words } from "../language.ts";
import { openTaker } from "../packs.ts";
import type { Standing } from "../receipts.ts";
import { frame } from "../stage/view.ts";
import { along, campaign, lookLog, outboxCounts } from "../store.ts";
import { currentSession } from "../tagging.ts";
import { refused, type Taking, taking } from "./take.ts";
import { bytesOfSquare, type SeenTile, screenZoom } from "./tiles.ts";

const CHOICES = [20, 50, 100, 200] as const;
const USUAL: number = 50;
/** More than these no phone should give, whatever it says. */
const BYTES_MOST = 500 * 1024 * 1024;
/** Some of what the browser offers stays free for what else the page keeps. */
const SHARE_MOST = 0.8;

const megabytes = (bytes: number) => say("along_megabytes", { n: Math.max(0.1, Math.round(bytes / 1e5) / 10) });

/** The tiles that this page has loaded. */
function seenTiles(): SeenTile[] {
  const entries = performance.getEntriesByType("resource") as PerformanceResourceTiming[];
  return entries.flatMap(({ name, encodedBodySize: bytes }) => {
    const { pathname } = new URL(name);
    return bytes > 0 && isTile(pathname) ? [{ z: Number(pathname.split("/")[4]), bytes }] : [];
  });
}

function estimateBytes(squares: number): number {
  const { cell_zoom, imagery } = campaign.value!;
  const finest = screenZoom(cell_zoom, imagery, frame.value.cell, devicePixelRatio);
  return squares * bytesOfSquare(cell_zoom, imagery, finest, seenTiles());
}

async function roomLeft(): Promise<number> {
  const { quota = BYTES_MOST, usage = 0 } = (await navigator.storage?.estimate?.().catch(() => null)) ?? {};
  return Math.min(BYTES_MOST - along.value.bytes, (quota - usage) * SHARE_MOST);
}

function Choice() {
  const chosen = useSignal(USUAL);
  const room = useSignal(BYTES_MOST);
  useEffect(() => {
    void roomLeft().then((bytes) => (room.value = bytes));
  }, []);
  const isFull = estimateBytes(CHOICES[0]) > room.value;
  const take = async () => (await openTaker()).take(chosen.value);
  return (
    <>
      <p>{say("along_text")}</p>
      <fieldset class="packs" aria-label={say("along_how_many")}>
        {CHOICES.map((n) => {
          const bytes = estimateBytes(n);
          return (
            <label key={n} class="item">
              <input
                type="radio"
                name="packs"
                value={n}
                checked={chosen.value === n}
                disabled={bytes > room.value}
                onChange={() => (chosen.value = n)}
              />
              <b class="grow num">{say("along_squares", { n })}</b>
              <small class="num">{say("along_about", { bytes: megabytes(bytes) })}</small>
            </label>
          );
        })}
      </fieldset>
      {(refused.value || isFull) && (
        <p class="message" role="alert">
          {refused.value?.kind === "refused"
            ? refused.value.why
            : say(refused.value?.kind === "none" ? "along_none" : "along_full")}
        </p>
      )}
      <div class="btns">
        <button
          type="button"
          class="btn primary"
          disabled={estimateBytes(chosen.value) > room.value}
          onClick={() => void take()}
        >
          {say("along_take", { n: chosen.value })}
        </button>
      </div>
    </>
  );
}

function Loading({ state: { squares, done, bytes, bytes_estimate, waits } }: { state: Taking }) {
  const said = say("along_loading", { done, n: squares });
  return (
    <>
      <div class="packs" role="status">
        <p class="num">{said}</p>
        <div class="meter" role="img" aria-label={words.percent(done / squares)}>
          <i style={{ width: `${(done / squares) * 100}%` }} />
        </div>
        <p class="fine num">
          {bytes_estimate > bytes
            ? say("along_bytes_of", { bytes: megabytes(bytes), estimate: megabytes(bytes_estimate) })
            : megabytes(bytes)}
        </p>
        {waits && <p class="fine">{say("along_waits")}</p>}
      </div>
      <div class="btns">
        <button type="button" class="btn" onClick={() => void openTaker().then((taker) => taker.stop())}>
          {say("along_stop")}
        </button>
      </div>
    </>
  );
}

function Here() {
  const { left, bytes, expires_at } = along.value;
  const isOver = expires_at !== null && Date.parse(expires_at) < Date.now();
  return (
    <>
      <dl class="stats num">
        <div>
          <dt>{say("along_left")}</dt>
          <dd>{say("plain_number", { n: left })}</dd>
        </div>
        <div>
          <dt>{say("along_waiting")}</dt>
          <dd>{say("plain_number", { n: outboxCounts.value.waiting })}</dd>
        </div>
        <div>
          <dt>{say("along_storage")}</dt>
          <dd dir="auto">{megabytes(bytes)}</dd>
        </div>
      </dl>
      {expires_at && (
        <p class="fine">{isOver ? say("along_over") : say("along_until", { at: words.moment(expires_at) })}</p>
      )}
    </>
  );
}

const LATE = { extra: "along_extra", after_close: "along_after_close", while_paused: "along_while_paused" } as const;

/** What became of the looks at such squares, as far as the server has told. */
function Fates() {
  const told = useSignal<ReadonlyMap<Standing, number>>(new Map());
  const { waiting, refused } = outboxCounts.value;
  useEffect(() => {
    void lookLog.value?.of(currentSession().slug).then((looks) => {
      const counts = new Map<Standing, number>();
      for (const { standing } of looks) if (standing) counts.set(standing, (counts.get(standing) ?? 0) + 1);
      told.value = counts;
    });
  }, [waiting]);
  const lines = Object.entries(LATE).flatMap(([standing, key]) => {
    const n = told.value.get(standing as Standing);
    return n ? [say(key, { n })] : [];
  });
  const counted = told.value.get("counted") ?? 0;
  if (counted > 0) lines.unshift(say("along_counted", { n: counted }));
  if (refused.length > 0) lines.push(say("menu_refused", { n: refused.length }));
  if (lines.length === 0) return null;
  return (
    <div class="fates">
      <h3>{say("along_fates")}</h3>
      <ul>
        {lines.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
    </div>
  );
}

export function Packs() {
  const more = useSignal(false);
  const { left, loading, answered, unmade } = along.value;
  const isHere = left + loading + answered + unmade > 0;
  const remove = () => void openTaker().then((taker) => taker.remove());
  useEffect(() => {
    // What a reload cut off goes on.
    if (loading + unmade > 0) void openTaker().then((taker) => taker.goOn());
  }, []);
  useEffect(() => {
    if (taking.value) more.value = false;
  }, [taking.value !== null]);
  return (
    <>
      {isHere && <Here />}
      {taking.value ? <Loading state={taking.value} /> : (!isHere || more.value) && <Choice />}
      {isHere && !taking.value && !more.value && (
        <div class="btns">
          <button type="button" class="btn" onClick={() => (more.value = true)}>
            {say("along_more")}
          </button>
          <button type="button" class="btn" onClick={remove}>
            {say("along_remove")}
          </button>
        </div>
      )}
      <Fates />
    </>
  );
}
