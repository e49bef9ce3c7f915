/** A page whose code comes when it is asked for, so that the campaign list stays light. */
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { say } from "./language.ts";

export function Lazy<P extends object>({ load, props }: { load: () => Promise<ComponentType<P>>; props: P }) {
  const [Page, setPage] = useState<ComponentType<P> | null>(null);
  const [hasFailed, setFailed] = useState(false);
  useEffect(() => {
    load().then(
      (found) => setPage(() => found),
      () => setFailed(true),
    );
  }, []);
  if (Page) return <Page {...props} />;
  if (!hasFailed) return <main class="page" aria-busy="true" />;
  return (
    <main class="page">
      <div class="card blank" role="alert">
        <div>
          <b>{say("chunk_title")}</b>
          {say("chunk_text")}
        </div>
        <button type="button" class="btn" onClick={() => location.reload()}>
          {say("load_again")}
        </button>
      </div>
    </main>
  );
}
