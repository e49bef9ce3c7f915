/** The few controls of which the wizard's forms are made. */
import type { ComponentChildren } from "preact";
import { Icon } from "../../shared/symbols.tsx";

interface TextProps {
  id: string;
  label: string;
  hint?: string;
  value: string;
  lang?: string;
  type?: "text" | "url" | "password" | "number";
  rows?: number;
  most?: number;
  /** What is wrong; it stands below the field and is read with it. */
  wrong?: string | null;
  help?: string;
  onInput: (value: string) => void;
  onBlur?: () => void;
  onFocus?: () => void;
}

export function TextField(props: TextProps) {
  const { id, label, hint, value, lang, type = "text", rows, most, wrong, help, onInput } = props;
  const shared = {
    class: "field",
    id,
    value,
    lang,
    dir: "auto" as const,
    maxLength: most,
    "aria-invalid": wrong ? true : undefined,
    "aria-describedby": wrong || help ? `${id}-note` : undefined,
    onBlur: props.onBlur,
    onFocus: props.onFocus,
  };
  return (
    <div class="blk near grow">
      <label class="l" for={id}>
        {label} {hint && <span>{hint}</span>}
      </label>
      {rows ? (
        <textarea {...shared} rows={rows} onInput={(event) => onInput(event.currentTarget.value)} />
      ) : (
        <input {...shared} type={type as "text"} onInput={(event) => onInput(event.currentTarget.value)} />
      )}
      {(wrong || help) && (
        <p id={`${id}-note`} class={wrong ? "wrong" : "help"}>
          {wrong || help}
        </p>
      )}
    </div>
  );
}

interface StepperProps {
  label: string;
  shown: string;
  less: string;
  more: string;
  value: number;
  least: number;
  most: number;
  onChange: (value: number) => void;
}

export function Stepper({ label, shown, less, more, value, least, most, onChange }: StepperProps) {
  return (
    <span class="stepper" role="group" aria-label={label}>
      <button
        type="button"
        aria-label={less}
        aria-disabled={value <= least}
        onClick={() => value > least && onChange(value - 1)}
      >
        <Icon name="minus" small />
      </button>
      <output aria-live="polite">{shown}</output>
      <button
        type="button"
        aria-label={more}
        aria-disabled={value >= most}
        onClick={() => value < most && onChange(value + 1)}
      >
        <Icon name="plus" small />
      </button>
    </span>
  );
}

interface OptionProps {
  name: string;
  isChosen: boolean;
  onChoose: () => void;
  children: ComponentChildren;
}

/** One card of a group of radio buttons. */
export function Option({ name, isChosen, onChoose, children }: OptionProps) {
  return (
    <label class="opt">
      <input class="vh" type="radio" name={name} checked={isChosen} onChange={onChoose} />
      <span class="radio" />
      {children}
    </label>
  );
}

export function Message({ tone, children }: { tone: "info" | "good" | "warn" | "bad"; children: ComponentChildren }) {
  return (
    <div class={`msg ${tone}`} role={tone === "bad" ? "alert" : "status"}>
      <Icon name={tone === "good" ? "check" : tone === "info" ? "info" : "warn"} />
      <div class="grow">{children}</div>
    </div>
  );
}
