/** Up to three other searches that are open, for those who have time left. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { call } from "../../shared/api.ts";
import type { Campaign } from "../../shared/contract.ts";
import { pick } from "../../shared/locale.ts";
import { Icon } from "../../shared/symbols.tsx";
import { say } from "../language.ts";
import { campaign, isTry } from "../store.ts";
import { Said } from "../text.tsx";

const MOST = 3;

export function OtherSearches() {
  const others = useSignal<Campaign[]>([]);
  useEffect(() => {
    if (isTry.value) return;
    call<{ campaigns: Campaign[] }>(`/v1/campaigns?state=open&limit=${MOST + 1}`)
      .then(({ campaigns }) => {
        others.value = campaigns.filter(({ id }) => id !== campaign.value?.id).slice(0, MOST);
      })
      // The button to all searches remains.
      .catch(() => {});
  }, []);
  if (others.value.length === 0) return null;
  return (
    <nav class="others" aria-label={say("done_more")}>
      <p class="fine">{say("done_more")}</p>
      <ul>
        {others.value.map(({ id, slug, title, languages }) => (
          <li key={id}>
            <a href={`/s/${encodeURIComponent(slug)}`}>
              <span class="grow">
                <Said of={pick(title, languages)} />
              </span>
              <Icon name="chevron" small flip />
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
