/**
 * Deciding about cells: the buttons, and the question that says what each means before it is done.
 *
 * Invariant: nothing is done before the question is answered, and what was refused is told in it.
 */
import { useRef, useState } from "preact/hooks";
import type { Problem } from "../../shared/api.ts";
import type { CellState } from "../../shared/contract.ts";
import { tilesOf } from "../../shared/layer.ts";
import { parseCell, tileUrl } from "../../shared/tiles.ts";
import type { Layer } from "../imagery.ts";
import { say, words } from "../language.ts";
import { Dialog } from "./Dialog.tsx";
import { ask, decide, deciding, layers, layersTrouble, loadLayers } from "./decide.ts";
import { choicesFor, type Outcome, type Target, waysForAll } from "./decisions.ts";
import { campaign } from "./state.ts";
import { Trouble } from "./Trouble.tsx";
import { refreshCells } from "./tasks.ts";

const REFUSALS_SHOWN = 5;

/** The volunteer's page with this cell, and nothing stored; on another layer where one is named. */
export const tryPath = (slug: string, cell: string, layer?: string | null): string =>
  `/s/${encodeURIComponent(slug)}?try&cell=${cell}${layer ? `&layer=${encodeURIComponent(layer)}` : ""}`;

/** What can be decided about these cells, a button for each. */
export function Ways({ states, targets }: { states: readonly CellState[]; targets: readonly Target[] }) {
  return (
    <div class="ways">
      {waysForAll(states).map((how) => (
        <button key={how} type="button" class="btn sm" onClick={() => ask(how, targets)}>
          {say(`decide_${how}`)}
        </button>
      ))}
    </div>
  );
}

const leave = () => (deciding.value = null);

function useDecision() {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const act = async (layer: string | null) => {
    const { how, targets } = deciding.value!;
    setBusy(true);
    setProblem(null);
    try {
      const came = await decide(
        how,
        targets.map(({ cell }) => cell),
        layer,
      );
      refreshCells();
      if (came.refused.length === 0) leave();
      else setOutcome(came);
    } catch (error) {
      setProblem(error as Problem);
    }
    setBusy(false);
  };
  return { isBusy, problem, outcome, act };
}

export function Decision() {
  const { how, targets } = deciding.value!;
  // Undefined until one is chosen; the campaign's own layer is sent as null.
  const [layer, setLayer] = useState<string | undefined>(undefined);
  const { isBusy, problem, outcome, act } = useDecision();
  const keep = useRef<HTMLButtonElement>(null);
  const c = campaign.value!;
  const n = targets.length;
  const isLacking = how === "imagery" && layer === undefined;
  return (
    <Dialog
      title={say(`ask_${how}_title`, { n })}
      text={say(`ask_${how}_text`, { n, looks: c.looks_wanted })}
      first={keep}
      onLeave={leave}
      back={() => document.querySelector<HTMLElement>(".cellwork h2, .map .canvas")}
      onSubmit={() => !isLacking && void act(layer === undefined || layer === c.imagery.key ? null : layer)}
    >
      {how === "imagery" && !outcome && <Choice targets={targets} value={layer} onChoose={setLayer} />}
      {problem && <Trouble problem={problem} what="trouble_decide" />}
      {outcome && <Refusals outcome={outcome} />}
      <div class="btns">
        <button type="button" class="btn" ref={keep} onClick={leave}>
          {say(outcome ? "decide_leave" : "decide_not")}
        </button>
        {!outcome && (
          <button type="submit" class="btn primary" disabled={isBusy || isLacking}>
            {say(`ask_${how}_now`, { n })}
          </button>
        )}
      </div>
    </Dialog>
  );
}

function Refusals({ outcome: { changed, refused } }: { outcome: Outcome }) {
  return (
    <div class="wrong" role="alert">
      <p class="wrong">{say("decide_refused", { n: refused.length, changed })}</p>
      <ul>
        {refused.slice(0, REFUSALS_SHOWN).map(({ cell, why }) => (
          <li key={cell}>
            <span class="num" dir="ltr">
              {cell}
            </span>{" "}
            <span lang="en">{why}</span>
          </li>
        ))}
      </ul>
      {refused.length > REFUSALS_SHOWN && say("decide_refused_more", { n: refused.length - REFUSALS_SHOWN })}
    </div>
  );
}

interface ChoiceProps {
  targets: readonly Target[];
  value: string | undefined;
  onChoose: (key: string) => void;
}

function Choice({ targets, value, onChoose }: ChoiceProps) {
  const c = campaign.value!;
  if (layersTrouble.value) return <LayersTrouble />;
  if (!layers.value) return <p role="status">{say("layers_coming")}</p>;
  const choices = choicesFor(layers.value, targets, c.imagery.key);
  if (choices.length === 0) return <p>{say("layers_none")}</p>;
  const first = targets[0]!.cell;
  return (
    <>
      <div class="layers" role="radiogroup" aria-label={say("layers_label")}>
        {choices.map(({ layer, shows }) => (
          <label key={layer.key}>
            <input type="radio" name="layer" checked={value === layer.key} onChange={() => onChoose(layer.key)} />
            <Picture layer={layer} cell={first} />
            <span class="grow">
              <b dir="auto">{layer.name}</b>
              <span class="muted num">{factsOf(layer)}</span>
              {layer.key === c.imagery.key && <span class="muted">{say("layer_campaigns")}</span>}
              {shows < targets.length && (
                <span class="muted num">{say("layer_shows", { n: targets.length, shows })}</span>
              )}
            </span>
          </label>
        ))}
      </div>
      {value !== undefined && (
        <a class="try" href={tryPath(c.slug, first, value)} target="_blank" rel="noopener opener">
          {say("layer_try")}
        </a>
      )}
    </>
  );
}

function LayersTrouble() {
  const problem = layersTrouble.value!;
  if (problem.status === 403) return <p class="wrong">{say("layers_scope")}</p>;
  return (
    <>
      <Trouble problem={problem} what="trouble_layers" />
      <button type="button" class="btn sm" onClick={() => void loadLayers()}>
        {say("load_again")}
      </button>
    </>
  );
}

/** "12 Feb 2019, 0.6 m per pixel"; what nobody has said is left out. */
function factsOf({ acquired_at, ground_sample_distance_m: metres }: Layer): string {
  const facts = [acquired_at ? words.date(acquired_at) : say("layer_undated")];
  if (metres) facts.push(say("layer_resolution", { n: metres }));
  return facts.join(", ");
}

/** The first of the cells on this layer, where one tile shows it. */
function Picture({ layer, cell }: { layer: Layer; cell: string }) {
  const tile = parseCell(cell);
  const isThere = tile.z >= (layer.min_zoom ?? 0) && tile.z <= (layer.max_zoom ?? tile.z);
  return (
    <span class="thumb">
      {isThere && (
        <img
          alt=""
          loading="lazy"
          src={tileUrl(tilesOf(layer), tile)}
          onError={(event) => {
            event.currentTarget.hidden = true;
          }}
        />
      )}
    </span>
  );
}
