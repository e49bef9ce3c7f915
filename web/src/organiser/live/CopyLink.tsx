/** The address that volunteers get: into the clipboard, or shown where there is none. */
import { useEffect, useState } from "preact/hooks";
import { Icon } from "../../shared/symbols.tsx";
import { say } from "../language.ts";
import { status } from "./state.ts";

const SAID_MS = 2500;

export function CopyLink({ slug }: { slug: string }) {
  const [state, setState] = useState<"idle" | "copied" | "shown">("idle");
  const address = `${location.origin}/s/${encodeURIComponent(slug)}`;
  useEffect(() => {
    if (state !== "copied") return;
    const timer = setTimeout(() => setState("idle"), SAID_MS);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(address);
      setState("copied");
      status.value = say("link_copied");
    } catch {
      setState("shown");
    }
  };
  if (state === "shown")
    return (
      <input
        class="field link"
        readOnly
        value={address}
        aria-label={say("link_label")}
        ref={(field) => field?.select()}
        onBlur={() => setState("idle")}
      />
    );
  return (
    <button type="button" class="btn" onClick={copy}>
      <Icon name={state === "copied" ? "check" : "link"} small />
      {say(state === "copied" ? "link_copied" : "link_copy")}
    </button>
  );
}
