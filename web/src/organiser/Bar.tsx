/** The bar on top of every organiser's page: where you are, what the page has to say, sign in and out. */
import type { ComponentChildren } from "preact";
import { BrandMark, Icon } from "../shared/symbols.tsx";
import { say } from "./language.ts";
import { listPath } from "./route.ts";
import { isSigningIn, key, organiser, signOut } from "./session.ts";

export interface BarProps {
  /** The page's own name; the list has none, because it is where the crumbs begin. */
  here?: string | undefined;
  lang?: string | undefined;
  /** What stands before the sign-out button: a status, an action. */
  children?: ComponentChildren;
}

export function Bar({ here, lang, children }: BarProps) {
  return (
    <header class="bar">
      <a class="brand" href={key.value ? listPath : "/"}>
        <BrandMark />
        <span>Spotter</span>
      </a>
      <nav class="crumbs grow" aria-label={say("crumbs")}>
        {here === undefined ? (
          <b aria-current="page">{say("campaigns")}</b>
        ) : (
          <>
            <a href={listPath}>{say("campaigns")}</a>
            <Icon name="chevron" small flip />
            <b aria-current="page" lang={lang}>
              {here}
            </b>
          </>
        )}
      </nav>
      {children}
      {key.value ? (
        <button type="button" class="btn sm ghost out" title={organiser.value?.name} onClick={signOut}>
          {say("sign_out")}
        </button>
      ) : (
        <button type="button" class="btn sm" onClick={() => (isSigningIn.value = true)}>
          <Icon name="key" small />
          {say("sign_in")}
        </button>
      )}
    </header>
  );
}
