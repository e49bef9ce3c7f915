/** One cell: its looks, tags and answers, and the way to see it as a volunteer does. */
import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { CellAnswer, CellView } from "../../shared/contract.ts";
import { Icon } from "../../shared/symbols.tsx";
import { say, words } from "../language.ts";
import { key } from "../session.ts";
import { tryPath, Ways } from "./Decision.tsx";
import { mayDecide } from "./decide.ts";
import { byName } from "./places.ts";
import { campaign, cells, cellTrouble, cellView, chosen } from "./state.ts";
import { Ago, who } from "./Time.tsx";
import { Trouble } from "./Trouble.tsx";

const ANSWERS_SHOWN = 20;

function Answer({ answer }: { answer: CellAnswer }) {
  const tags = answer.outcome === "tagged" ? say("tip_tags", { n: answer.tags }) : say(`answer_${answer.outcome}`);
  return (
    <li>
      <span class="grow">{tags}</span>
      <span class="muted num">
        {say("cell_answer", { who: who(answer.volunteer_id), seconds: Math.round(answer.seconds) })}
        <br />
        <Ago iso={answer.received_at} />
      </span>
    </li>
  );
}

type Fact = [string, preact.ComponentChildren];

function Facts({ cell }: { cell: CellView }) {
  const facts: Fact[] = [
    [say("cell_state"), say(`cell_state_${cell.state}`)],
    ...(cell.imagery_layer ? [[say("cell_imagery"), <bdi>{cell.imagery_layer}</bdi>] as Fact] : []),
    [say("cell_looks"), say("cell_looks_of", { looks: cell.looks, wanted: campaign.value!.looks_wanted })],
    [say("cell_tags"), words.number(cell.tags)],
    [say("cell_bad"), words.number(cell.bad_imagery)],
    [say("cell_leases"), words.number(cell.leases)],
    [say("cell_last"), cell.last_look_at ? <Ago iso={cell.last_look_at} /> : say("cell_never")],
  ];
  return (
    <dl class="facts num">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Inside({ name }: { name: string }) {
  const cell = cellView.value;
  if (cell)
    return (
      <>
        <Facts cell={cell} />
        {mayDecide.value && <Ways states={[cell.state]} targets={[cell]} />}
        {cell.answers.length > 0 && (
          <ul class="answers" aria-label={say("cell_answers")}>
            {cell.answers.slice(0, ANSWERS_SHOWN).map((answer) => (
              <Answer key={answer.look_id} answer={answer} />
            ))}
          </ul>
        )}
        {cell.answers.length > ANSWERS_SHOWN && (
          <p class="muted">{say("cell_more", { n: cell.answers.length - ANSWERS_SHOWN })}</p>
        )}
      </>
    );
  if (cellTrouble.value) return <Trouble problem={cellTrouble.value} what="trouble_cell" />;
  const block = cells.value && byName(cells.value).get(name);
  return (
    <>
      {block && <p class="num">{say("tip_looks", { n: block.looks, wanted: campaign.value!.looks_wanted })}</p>}
      {!key.value && <p class="muted">{say("cell_locked")}</p>}
    </>
  );
}

export function CellCard({ slug, back }: { slug: string; back: RefObject<HTMLElement | null> }) {
  const section = useRef<HTMLElement>(null);
  const name = chosen.value!;
  // By keyboard the focus comes from the map and goes back there; by pointer it stays where it is.
  useEffect(() => {
    if (back.current?.contains(document.activeElement)) section.current!.focus();
  }, [name]);
  const close = () => {
    if (section.current?.contains(document.activeElement)) back.current?.focus();
    chosen.value = null;
  };
  return (
    <section
      class="cellcard"
      aria-labelledby="h-cell"
      tabIndex={-1}
      ref={section}
      onKeyDown={(event) => event.key === "Escape" && close()}
    >
      <div class="row">
        <h3 id="h-cell" class="grow num">
          {say("tip_cell", { cell: name })}
        </h3>
        <button type="button" class="icon-btn sm" aria-label={say("cell_close")} onClick={close}>
          <Icon name="close" small />
        </button>
      </div>
      <Inside name={name} />
      {/* The opener's tab session, with the key in it, is what lets the try-out show a campaign that is not public. */}
      <a class="btn sm" href={tryPath(slug, name, cellView.value?.imagery_layer)} target="_blank" rel="noopener opener">
        {say("cell_try")}
      </a>
    </section>
  );
}
