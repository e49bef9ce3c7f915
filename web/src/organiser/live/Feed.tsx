/** Tags as they come: held while somebody reads, thinned in a flood, older ones on demand. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { Problem } from "../../shared/api.ts";
import type { TagFeature } from "../../shared/contract.ts";
import { pick } from "../../shared/locale.ts";
import { Badge, Icon } from "../../shared/symbols.tsx";
import { Thumb } from "../../shared/Thumb.tsx";
import { say, words } from "../language.ts";
import { isKeyRefused, isSigningIn, key } from "../session.ts";
import { CopyLink } from "./CopyLink.tsx";
import { OLDEST, release } from "./flow.ts";
import { placeOf } from "./places.ts";
import { campaign, feedRefusal, filter, flow, isHeld, isReading, pointedAt, progress, typeOf } from "./state.ts";
import { Ago, who } from "./Time.tsx";
import { Trouble } from "./Trouble.tsx";
import { loadOlder } from "./tasks.ts";

function Entry({ tag }: { tag: TagFeature }) {
  const { tag_type, note, volunteer_id, received_at } = tag.properties;
  const type = typeOf(tag_type);
  const name = pick(type?.name);
  const [before, after] = say("feed_who", { when: "\n", who: who(volunteer_id) }).split("\n");
  return (
    <li class={flow.value.fresh.has(tag.id) ? "new" : ""}>
      <span class="shot" aria-hidden="true">
        <Thumb at={placeOf(tag)} imagery={campaign.value!.imagery} label="" />
        {type && <Badge icon={type.icon} colour={type.colour} size="s" />}
      </span>
      <div class="grow">
        <button type="button" class="t" onClick={() => (pointedAt.value = tag)}>
          <span lang={name.lang || undefined}>{name.text || tag_type}</span>
          <span class="vh">{say("feed_show")}</span>
        </button>
        {note && (
          <div class="note" dir="auto">
            {say("quoted", { note })}
          </div>
        )}
        <div class="who num">
          <bdi>
            {before}
            <Ago iso={received_at} />
            {after}
          </bdi>
        </div>
      </div>
    </li>
  );
}

function Filters() {
  return (
    <div class="filters" role="group" aria-label={say("feed_only")}>
      <button type="button" aria-pressed={filter.value === null} onClick={() => (filter.value = null)}>
        {say("feed_all")}
      </button>
      {campaign.value!.tag_types.map((type) => (
        <button
          key={type.key}
          type="button"
          title={pick(type.name).text}
          aria-label={pick(type.name).text}
          aria-pressed={filter.value === type.key}
          onClick={() => (filter.value = type.key)}
        >
          <Badge icon={type.icon} colour={type.colour} size="s" />
        </button>
      ))}
    </div>
  );
}

function Waiting() {
  const { waitingCount, isWaitingMore } = flow.value;
  if (waitingCount === 0) return null;
  return (
    <button type="button" class="newbar num" onClick={() => (flow.value = release(flow.value))}>
      {say(isWaitingMore ? "feed_new_least" : "feed_new", { n: waitingCount })}
    </button>
  );
}

function Older() {
  const [problem, setProblem] = useState<Problem | null>(null);
  const [isLoading, setLoading] = useState(false);
  const { next, entries } = flow.value;
  if (!next) return null;
  if (entries.length >= OLDEST) return <li class="rest muted">{say("feed_oldest")}</li>;
  const load = () => {
    setLoading(true);
    setProblem(null);
    // Whoever reads old tags is not moved on by new ones.
    isReading.value = true;
    loadOlder()
      .catch((error: Problem) => setProblem(error))
      .finally(() => setLoading(false));
  };
  return (
    <li class="rest">
      <button type="button" class="btn sm" disabled={isLoading} onClick={load}>
        {say("feed_older")}
      </button>
      {problem && <Trouble problem={problem} what="trouble_older" />}
    </li>
  );
}

/** Scrolled, pointed at or focused: somebody reads. */
function List() {
  const list = useRef<HTMLUListElement>(null);
  const isOver = useRef(false);
  const note = () => {
    const element = list.current;
    if (element) isReading.value = isOver.current || element.scrollTop > 0 || element.contains(document.activeElement);
  };
  const point = (isIn: boolean) => (event: PointerEvent) => {
    // A finger that has left still counts as hovering in some browsers.
    isOver.current = isIn && event.pointerType === "mouse";
    note();
  };
  useEffect(
    () => () => {
      isReading.value = false;
    },
    [],
  );
  return (
    <ul
      ref={list}
      aria-label={say("feed_title")}
      onScroll={note}
      onPointerEnter={point(true)}
      onPointerLeave={point(false)}
      onFocusIn={note}
      onFocusOut={() => setTimeout(note)}
    >
      {flow.value.entries.map((tag) => (
        <Entry key={tag.id} tag={tag} />
      ))}
      <Older />
    </ul>
  );
}

/** What will appear here, when, and the one thing to do now. */
function Empty({ slug }: { slug: string }) {
  const isClosed = campaign.value!.state === "closed";
  const kind = filter.value !== null ? "feed_none" : isClosed ? "feed_closed" : "feed_empty";
  return (
    <div class="blank">
      <div>
        <b>{say(`${kind}_title`)}</b>
        {say(kind)}
        {kind === "feed_empty" && <CopyLink slug={slug} />}
      </div>
    </div>
  );
}

function Inside({ slug }: { slug: string }) {
  const { entries, every, page } = flow.value;
  if (!key.value)
    return (
      <div class="blank">
        <div>
          <b>{say("feed_locked_title")}</b>
          {isKeyRefused.value ? (
            <p class="wrong" role="alert">
              {say("key_wrong")}
            </p>
          ) : (
            say("feed_locked")
          )}
          <button type="button" class="btn" onClick={() => (isSigningIn.value = true)}>
            <Icon name="key" small />
            {say("sign_in")}
          </button>
        </div>
      </div>
    );
  if (feedRefusal.value)
    return (
      <div class="blank">
        <Trouble problem={feedRefusal.value} what="trouble_feed" />
      </div>
    );
  if (!page) return <div class="blank" aria-busy="true" />;
  if (entries.length === 0) return <Empty slug={slug} />;
  return (
    <>
      {every > 1 && <p class="flood muted num">{say("feed_every", { n: every })}</p>}
      <Waiting />
      <List />
    </>
  );
}

export function Feed({ slug }: { slug: string }) {
  const counted = filter.value ? (progress.value?.tags_by_type[filter.value] ?? 0) : progress.value?.tags;
  const hasTags = key.value && flow.value.page && !feedRefusal.value;
  return (
    <section class="card feed" aria-labelledby="h-feed">
      <header>
        <h2 id="h-feed" class="grow">
          {say("feed_title")}
        </h2>
        {key.value && <span class="muted num">{counted === undefined ? say("unknown") : words.number(counted)}</span>}
        {hasTags && (
          <button
            type="button"
            class="icon-btn sm"
            aria-label={say("feed_hold")}
            title={say("feed_hold")}
            aria-pressed={isHeld.value}
            onClick={() => (isHeld.value = !isHeld.value)}
          >
            <Icon name="pause" small />
          </button>
        )}
      </header>
      {hasTags && (flow.value.entries.length > 0 || filter.value) && <Filters />}
      <Inside slug={slug} />
    </section>
  );
}
