/** The campaign wizard: five steps in any order, the form at the start, its consequence at the end. */
import "./wizard.css";
import { useEffect, useRef, useState } from "preact/hooks";
import { Bar } from "../Bar.tsx";
import { AreaStep } from "./Area.tsx";
import { STEPS } from "./checks.ts";
import { mainText } from "./draft.ts";
import { EstimateBox } from "./EstimateBox.tsx";
import { ImageryStep } from "./Imagery.tsx";
import { takeFile } from "./importing.ts";
import { LooksStep } from "./Looks.tsx";
import { say } from "./language.ts";
import { MapView } from "./MapView.tsx";
import { PhoneFrame } from "./PhoneFrame.tsx";
import { isPublishing, PublishButton, PublishStep } from "./Publish.tsx";
import { RunningBody } from "./Running.tsx";
import { Conflict, NotOpened, SaveStatus } from "./Status.tsx";
import { Steps } from "./Steps.tsx";
import { checks, draft, go, open, opened, step } from "./state.ts";
import { WhatStep } from "./What.tsx";

export interface WizardProps {
  /** The draft on the server, when there is one. */
  slug: string | null;
  /** The draft on this device to go on with. */
  draft: string | null;
}

const FORMS = { what: WhatStep, imagery: ImageryStep, area: AreaStep, looks: LooksStep, publish: PublishStep };

export function Wizard({ slug, draft: local }: WizardProps) {
  useEffect(() => void open(slug, local), []);
  const title = mainText(draft.value, draft.value.title).trim();
  const name = title || say("new_campaign");
  useEffect(() => {
    document.title = say("wizard_title", { step: say(`step_${step.value}`), title: name });
  }, [name, step.value]);
  return (
    <div class="wiz">
      <Bar here={name} lang={title ? draft.value.languages[0] : undefined}>
        <SaveStatus />
      </Bar>
      {opened.value === "ready" ? <Body /> : opened.value === "running" ? <Running /> : <NotOpened />}
    </div>
  );
}

/** A campaign that runs has one step left: where people look. */
function Running() {
  return (
    <main class="body mapped alone">
      <DropAnywhere />
      <RunningBody />
    </main>
  );
}

function Body() {
  const isFilled = step.value === "what" || step.value === "publish";
  // The map is made when it is first wanted, and kept: to make it again would ask for all its tiles again.
  const [hasMap, setMap] = useState(false);
  useEffect(() => {
    if (!isFilled) setMap(true);
  }, [isFilled]);
  const Form = FORMS[step.value];
  return (
    <>
      <Steps />
      <main class={`body ${isFilled ? "framed" : "mapped"}`}>
        <DropAnywhere />
        <section class="view" aria-label={say("view_label")}>
          {hasMap && <MapView isShown={!isFilled} />}
          {isFilled && <PhoneFrame />}
          {!isFilled && <EstimateBox />}
        </section>
        <section class="form" aria-label={say("form_label")} key={step.value}>
          <Form />
        </section>
        <Foot />
      </main>
      <Conflict />
    </>
  );
}

function Foot() {
  const at = STEPS.indexOf(step.value);
  const following = STEPS[at + 1];
  const isStuck = step.value === "area" && checks.value.some((check) => check.step === "area" && check.tone === "bad");
  return (
    <footer class="foot">
      {at > 0 && (
        <button type="button" class="btn ghost" disabled={isPublishing.value} onClick={() => go(STEPS[at - 1]!)}>
          {say("back")}
        </button>
      )}
      <span class="grow" />
      {following ? (
        <button
          type="button"
          class="btn primary"
          // The step stays in the list of steps; only this short way says that something lacks.
          disabled={isStuck}
          onClick={() => go(following)}
        >
          {say(`next_${following as Exclude<typeof following, "what">}`)}
        </button>
      ) : (
        <PublishButton />
      )}
    </footer>
  );
}

/** A file may be dropped anywhere on the page, in every step. */
function DropAnywhere() {
  const [isOver, setOver] = useState(false);
  const depth = useRef(0);
  useEffect(() => {
    const hasFile = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
    const enter = (event: DragEvent) => {
      if (!hasFile(event)) return;
      depth.current += 1;
      setOver(true);
    };
    const leave = (event: DragEvent) => {
      if (hasFile(event) && --depth.current <= 0) setOver(false);
    };
    const over = (event: DragEvent) => hasFile(event) && event.preventDefault();
    const drop = (event: DragEvent) => {
      const file = event.dataTransfer?.files[0];
      depth.current = 0;
      setOver(false);
      if (!file) return;
      event.preventDefault();
      go("area");
      void takeFile(file);
    };
    const pairs = [
      ["dragenter", enter],
      ["dragleave", leave],
      ["dragover", over],
      ["drop", drop],
    ] as const;
    for (const [name, handler] of pairs) addEventListener(name, handler);
    return () => {
      for (const [name, handler] of pairs) removeEventListener(name, handler);
    };
  }, []);
  return isOver ? <div class="dropall">{say("drop_here")}</div> : null;
}
