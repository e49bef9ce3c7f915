/** Says that the numbers are late, how old they are, and when the next try comes. */
import { say, words } from "../language.ts";
import { asOf, clock, failure, late, retryAt } from "./state.ts";
import { seconds } from "./Time.tsx";

const timeOf = (at: number) => new Intl.DateTimeFormat(words.locale, { timeStyle: "medium" }).format(at);

function sentence(): string {
  const { kind, seconds: old } = late.value!;
  const holes = { age: seconds(old), time: timeOf(asOf.value!) };
  if (kind === "counting") return say("late", holes);
  return say(failure.value?.isOffline ? "late_network" : "late_server", holes);
}

export function Banner() {
  const isLate = late.value !== null;
  const wait = retryAt.value === null ? 0 : Math.ceil((retryAt.value - clock.value) / 1000);
  return (
    <>
      {/* Said once; a sentence that counts seconds would be read out every second. */}
      <p class="vh" role="status">
        {isLate && say("late_spoken", { time: timeOf(asOf.value!) })}
      </p>
      {isLate && (
        <div class="banner num">
          <span class="dot" />
          <span>
            {sentence()} {late.value?.kind === "updates" && say("late_retry", { n: Math.max(1, wait) })}
          </span>
        </div>
      )}
    </>
  );
}
