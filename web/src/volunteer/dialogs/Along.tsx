/** "Take squares along", whose code comes when it is opened. */
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { say } from "../language.ts";
import { Card } from "./Card.tsx";
import { close } from "./dialogs.tsx";

export function Along() {
  const [Content, setContent] = useState<ComponentType | null>(null);
  const [hasFailed, setFailed] = useState(false);
  useEffect(() => {
    import("../pack/Packs.tsx").then(
      ({ Packs }) => setContent(() => Packs),
      () => setFailed(true),
    );
  }, []);
  return (
    <Card role="dialog" middle title={say("along_title")} onClose={close}>
      {Content && <Content />}
      {hasFailed && <p role="alert">{say("along_failed")}</p>}
    </Card>
  );
}
