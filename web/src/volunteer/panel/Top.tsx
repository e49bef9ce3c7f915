/** Brand, title, help and menu; on a phone one line with the counts below the title. */

import { pick } from "../../shared/locale.ts";
import { cellsToSearch } from "../../shared/progress.ts";
import { BrandMark, Icon } from "../../shared/symbols.tsx";
import { open } from "../actions.ts";
import { say, words } from "../language.ts";
import { campaign, isTry, mine, progress, title } from "../store.ts";
import { Said } from "../text.tsx";

function subtitle(): string {
  const { looks } = mine.value;
  const crowd = progress.value;
  if (looks === 0) return say("to_search", { n: crowd ? cellsToSearch(crowd) : (campaign.value?.cells ?? 0) });
  return crowd ? say("you_crowd", { n: looks, share: words.percent(crowd.coverage) }) : say("you_only", { n: looks });
}

export function Top() {
  return (
    <>
      <div class="brandrow row">
        <a class="brand" {...(isTry.value ? {} : { href: "/" })} aria-label={say("all_searches")}>
          <BrandMark />
          <span>Spotter</span>
        </a>
        <div class="grow" />
        <button type="button" class="icon-btn" aria-label={say("help_button")} onClick={() => open("help")}>
          <Icon name="help" />
        </button>
        <button type="button" class="icon-btn" aria-label={say("menu")} onClick={() => open("menu")}>
          <Icon name="menu" />
        </button>
      </div>
      <div class="title">
        <h1>
          <Said of={title.value} />
        </h1>
        {campaign.value && <p class="sub num">{subtitle()}</p>}
      </div>
      <p class="sum">
        <Said of={pick(campaign.value?.summary)} />
      </p>
      {campaign.value && (
        <button type="button" class="plain more" onClick={() => open("help")}>
          {say("instructions_link")}
        </button>
      )}
    </>
  );
}
