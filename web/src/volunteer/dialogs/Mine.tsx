/** The looks of this device in this campaign, newest first; tags that were sent can be withdrawn here. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { TagFeature } from "../../shared/contract.ts";
import { Badge, Icon } from "../../shared/symbols.tsx";
import { parseCell, tileUrl } from "../../shared/tiles.ts";
import { say, words } from "../language.ts";
import type { Logged } from "../looklog.ts";
import { looks, openMine, sentTags, type Withdrawal, withdraw } from "../mine.ts";
import { campaign, outboxCounts, typeOf } from "../store.ts";
import { currentSession } from "../tagging.ts";
import { Said } from "../text.tsx";
import { Card } from "./Card.tsx";
import { close } from "./dialogs.tsx";

const SHOWN = 20;

const OUTCOMES = { nothing: "mine_nothing", skipped: "mine_skipped", bad_imagery: "bad_image" } as const;

/** Whoever was away wants to know whether it was in time. */
const STANDINGS = {
  counted: "mine_saved",
  extra: "mine_extra",
  after_close: "mine_after_close",
  while_paused: "mine_while_paused",
} as const;

function outcomeOf({ outcome, tags }: Logged, left: number | undefined): string {
  return outcome === "tagged" ? say("mine_tagged", { n: left ?? tags }) : say(OUTCOMES[outcome]);
}

/** One tile shows the whole square, where the layer has it. */
function Picture({ look }: { look: Logged }) {
  const tile = parseCell(look.cell);
  const imagery = look.imagery ?? campaign.value!.imagery;
  const isThere = tile.z >= imagery.min_zoom && tile.z <= imagery.max_zoom;
  return (
    <span class="small-thumb">
      {isThere && (
        <img
          alt=""
          loading="lazy"
          width="48"
          height="48"
          src={tileUrl(imagery.tiles, tile)}
          onError={(event) => {
            event.currentTarget.hidden = true;
          }}
        />
      )}
    </span>
  );
}

function reasonOf(outcome: Withdrawal): string {
  if (outcome === "done") return say("mine_withdrawn");
  if (outcome === "changed") return say("mine_changed");
  if (outcome === "closed") return say("mine_closed");
  return say("mine_not_withdrawn", { why: outcome.why });
}

function SentTag({ tag }: { tag: TagFeature }) {
  const { icon, colour, name } = typeOf(tag.properties.tag_type);
  const said = useSignal("");
  const isBusy = useSignal(false);
  const onClick = async () => {
    isBusy.value = true;
    said.value = reasonOf(await withdraw(currentSession().slug, tag));
    isBusy.value = false;
  };
  return (
    <li>
      <Badge icon={icon} colour={colour} size="s" />
      <span class="grow">
        <Said of={name} />
        {tag.properties.note && <small dir="auto">{say("quoted", { note: tag.properties.note })}</small>}
        {said.value && <small role="alert">{said.value}</small>}
      </span>
      <button
        type="button"
        class="btn sm"
        disabled={isBusy.value}
        aria-label={say("mine_withdraw_label", { type: name.text })}
        onClick={() => void onClick()}
      >
        {say("mine_withdraw")}
      </button>
    </li>
  );
}

function stateOf(look: Logged): { text: string; isGood: boolean } {
  const { unsent, refused } = outboxCounts.value;
  if (unsent.some(({ id }) => id === look.id)) return { text: say("mine_kept"), isGood: false };
  if (refused.some(({ id }) => id === look.id)) return { text: say("mine_refused"), isGood: false };
  return { text: say(look.standing ? STANDINGS[look.standing] : "mine_saved"), isGood: true };
}

function Row({ look }: { look: Logged }) {
  const state = stateOf(look);
  const sent = state.isGood && sentTags.value instanceof Map ? (sentTags.value.get(look.id) ?? []) : undefined;
  return (
    <li class="look">
      <Picture look={look} />
      <span class="grow">
        <b class="num">{outcomeOf(look, sent?.length)}</b>
        <small class="num">
          <time dateTime={look.at}>{words.moment(look.at)}</time> · <span dir="ltr">{look.cell}</span>
        </small>
      </span>
      <span class={`saved${state.isGood ? "" : " late"}`}>
        {state.isGood && <Icon name="check" small />}
        {state.text}
      </span>
      {sent && sent.length > 0 && (
        <ul class="sent">
          {sent.map((tag) => (
            <SentTag key={tag.id} tag={tag} />
          ))}
        </ul>
      )}
    </li>
  );
}

export function Mine() {
  const shown = useSignal(SHOWN);
  useEffect(() => {
    looks.value = null;
    sentTags.value = null;
    void openMine(currentSession().slug);
  }, []);
  const list = looks.value;
  const hasTags = list?.some(({ tags }) => tags > 0);
  return (
    <Card role="dialog" middle title={say("mine_title")} onClose={close}>
      {list?.length === 0 && <p>{say("mine_empty")}</p>}
      {hasTags && <p class="fine">{say(sentTags.value === "failed" ? "mine_tags_failed" : "mine_fine")}</p>}
      <ul class="mine">
        {list?.slice(0, shown.value).map((look) => (
          <Row key={look.id} look={look} />
        ))}
      </ul>
      {list && list.length > shown.value && (
        <div class="btns">
          <button
            type="button"
            class="btn"
            onClick={() => {
              shown.value += SHOWN;
            }}
          >
            {say("mine_more")}
          </button>
        </div>
      )}
    </Card>
  );
}
