/** The door: the organiser's key, checked before anything else is shown. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { Problem } from "../../shared/api.ts";
import { BrandMark } from "../../shared/symbols.tsx";
import { say } from "../language.ts";
import { isKeyRefused, isSigningIn, signIn } from "../session.ts";

type Trouble = "network" | "server" | null;

/** What is wrong, in words; a key that was refused while the page was open counts too. */
function complaint(trouble: Trouble, isEmpty: boolean): string | null {
  if (isEmpty) return say("key_empty");
  if (trouble === "network") return say("key_network");
  if (trouble === "server") return say("key_trouble");
  return isKeyRefused.value ? say("key_wrong") : null;
}

export function SignIn({ canLeave }: { canLeave?: boolean }) {
  const [value, setValue] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<Trouble>(null);
  const [isEmpty, setEmpty] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    document.title = say("title_sign_in");
    field.current?.focus();
  }, []);

  const submit = async (event: Event) => {
    event.preventDefault();
    setTrouble(null);
    setEmpty(value.trim() === "");
    if (value.trim() === "") return field.current?.focus();
    setBusy(true);
    await signIn(value).catch((problem: Problem) => setTrouble(problem.isOffline ? "network" : "server"));
    setBusy(false);
    field.current?.focus();
  };

  const wrong = complaint(trouble, isEmpty);
  return (
    <main class="sign">
      <form onSubmit={submit} noValidate>
        <a class="brand" href="/">
          <BrandMark />
          <span>Spotter</span>
        </a>
        <h1>{say("sign_in_title")}</h1>
        <p class="lead">{say("sign_in_lead")}</p>
        <label class="l" for="key">
          {say("key_label")}
        </label>
        <input
          class="field"
          id="key"
          ref={field}
          type="password"
          autocomplete="current-password"
          autocapitalize="off"
          spellcheck={false}
          value={value}
          aria-describedby={wrong ? "key-wrong key-note" : "key-note"}
          aria-invalid={wrong !== null}
          onInput={(event) => setValue(event.currentTarget.value)}
        />
        <p class="wrong" id="key-wrong" role="alert">
          {wrong}
        </p>
        <p class="help" id="key-note">
          {say("key_note")}
        </p>
        <button class="btn primary" type="submit" disabled={isBusy} aria-busy={isBusy}>
          {say(isBusy ? "signing_in" : "sign_in")}
        </button>
        {canLeave && (
          <button class="btn ghost" type="button" onClick={() => (isSigningIn.value = false)}>
            {say("sign_in_leave")}
          </button>
        )}
        <p class="help last">
          {say("no_key")} <code>spotter organiser create</code>
        </p>
      </form>
    </main>
  );
}
