/** Cells that wait for the organiser: those whose imagery people reported, those that are closed or were decided about. */
import { useEffect, useRef } from "preact/hooks";
import type { ListedCell } from "../../shared/contract.ts";
import { say, words } from "../language.ts";
import { key } from "../session.ts";
import { Ways } from "./Decision.tsx";
import {
  chosenCells,
  done,
  hasMore,
  type Listed,
  list,
  listed,
  listTrouble,
  mayDecide,
  most,
  show,
  showMore,
} from "./decide.ts";
import { CELLS_MOST, toggled, waysForAll } from "./decisions.ts";
import { campaign, chosen, progress, shown, sought } from "./state.ts";
import { Ago } from "./Time.tsx";
import { Trouble } from "./Trouble.tsx";

function Tab({ value, count }: { value: Listed; count: number | null }) {
  const text = say(`cells_${value}`);
  return (
    <button type="button" aria-pressed={listed.value === value} onClick={() => show(value)}>
      {count === null ? text : say("cells_tab", { text, n: count })}
    </button>
  );
}

export function Cells() {
  const c = campaign.value!;
  if (!key.value || c.state === "preparing") return null;
  const p = progress.value;
  return (
    <section class="card cellwork" aria-labelledby="h-cells">
      <header>
        <h2 id="h-cells" class="grow" tabIndex={-1}>
          {say("cells_title")}
        </h2>
        <div class="seg" role="group" aria-label={say("cells_which")}>
          <Tab value="bad_imagery" count={p?.cells_bad_imagery ?? null} />
          <Tab value="closed" count={p?.cells_closed ?? null} />
          <Tab value="decided" count={null} />
        </div>
      </header>
      <p class="said" role="status">
        {done.value && doneText()}
      </p>
      {listTrouble.value && <Trouble problem={listTrouble.value} what="trouble_cells" />}
      {list.value?.length === 0 && <p class="empty">{say(`cells_${listed.value}_none`)}</p>}
      {list.value && list.value.length > 0 && <Listing cells={list.value} />}
    </section>
  );
}

function doneText(): string {
  const { how, outcome } = done.value!;
  if (outcome.changed === 0) return outcome.refused.length ? "" : say("done_unchanged");
  return say(`done_${how}`, { n: outcome.changed });
}

function Listing({ cells }: { cells: readonly ListedCell[] }) {
  return (
    <>
      {mayDecide.value && <Bulk cells={cells} />}
      <ul>
        {cells.map((cell) => (
          <Row key={cell.cell} cell={cell} />
        ))}
      </ul>
      {hasMore.value && (
        <div class="below">
          {most.value < CELLS_MOST ? (
            <button type="button" class="btn ghost sm" onClick={showMore}>
              {say("cells_more")}
            </button>
          ) : (
            <p class="muted">{say("cells_most", { n: CELLS_MOST })}</p>
          )}
        </div>
      )}
    </>
  );
}

/** All of them or none, and what can be done with those that are chosen. */
function Bulk({ cells }: { cells: readonly ListedCell[] }) {
  const all = useRef<HTMLInputElement>(null);
  const targets = cells.filter(({ cell }) => chosenCells.value.has(cell));
  const isSome = targets.length > 0 && targets.length < cells.length;
  useEffect(() => {
    all.current!.indeterminate = isSome;
  }, [isSome]);
  const states = targets.map(({ state }) => state);
  const isMixed = targets.length > 0 && waysForAll(states).length === 0;
  return (
    <div class="bulk">
      <label>
        <input
          ref={all}
          type="checkbox"
          checked={targets.length === cells.length}
          onChange={(event) => {
            chosenCells.value = new Set(event.currentTarget.checked ? cells.map(({ cell }) => cell) : []);
          }}
        />
        {say("cells_all", { n: cells.length })}
      </label>
      <span class="grow muted num">
        {targets.length === 0 ? say("cells_choose") : say("cells_chosen", { n: targets.length })}
      </span>
      {isMixed ? <span class="muted">{say("cells_mixed")}</span> : <Ways states={states} targets={targets} />}
    </div>
  );
}

function factsOf(cell: ListedCell): string {
  const facts = [
    say("cell_reports", { n: cell.bad_imagery }),
    say("tip_looks", { n: cell.looks, wanted: campaign.value!.looks_wanted }),
  ];
  if (cell.tags) facts.push(say("tip_tags", { n: cell.tags }));
  if (cell.weight !== 1) facts.push(say("cell_weight", { weight: words.number(cell.weight) }));
  if (cell.imagery_layer) facts.push(say("cell_on", { layer: cell.imagery_layer }));
  return facts.join(", ");
}

function Row({ cell }: { cell: ListedCell }) {
  const name = cell.cell;
  const find = () => {
    shown.value = "looks";
    chosen.value = name;
    // The same cell once more is a wish to see it once more.
    sought.value = null;
    sought.value = name;
  };
  return (
    <li>
      {mayDecide.value && (
        <input
          type="checkbox"
          aria-label={say("tip_cell", { cell: name })}
          checked={chosenCells.value.has(name)}
          onChange={() => {
            chosenCells.value = toggled(chosenCells.value, name);
          }}
        />
      )}
      <span class="grow">
        <b class="num" dir="ltr">
          {name}
        </b>
        {listed.value === "decided" && <span class="state">{say(`cell_state_${cell.state}`)}</span>}
        <span class="muted num">
          {factsOf(cell)}
          {cell.decided_at && (
            <>
              {" · "}
              {say("cell_decided")} <Ago iso={cell.decided_at} />
            </>
          )}
        </span>
      </span>
      <button type="button" class="btn sm" aria-label={say("cell_find_label", { cell: name })} onClick={find}>
        {say("cell_find")}
      </button>
    </li>
  );
}
