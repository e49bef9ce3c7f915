/** Other searches that are open, for those who have time left. */
import { pick } from "../../shared/locale.ts";
import { Icon } from "../../shared/symbols.tsx";
import { say } from "../language.ts";
import { others } from "../store.ts";
import { Said } from "../text.tsx";

export function OtherSearches() {
  if (others.value.length === 0) return null;
  return (
    <nav class="others" aria-label={say("done_more")}>
      <p class="fine">{say("done_more")}</p>
      <ul>
        {others.value.map(({ slug, title }) => (
          <li key={slug}>
            <a href={`/s/${encodeURIComponent(slug)}`}>
              <span class="grow">
                <Said of={pick(title, [])} />
              </span>
              <Icon name="chevron" small flip />
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
