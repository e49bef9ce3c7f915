/**
 * The menu of downloads: rows and size before, the browser itself streams the file to disk.
 *
 * Invariant: an address that can be clicked still works, because it is asked for when the menu opens and again
 * before it lapses.
 */
import { useEffect, useRef, useState } from "preact/hooks";
import type { Problem } from "../../shared/api.ts";
import type { Download } from "../../shared/contract.ts";
import { Icon } from "../../shared/symbols.tsx";
import { say, words } from "../language.ts";
import { Trouble } from "./Trouble.tsx";
import { downloads } from "./tasks.ts";

/** New addresses are fetched so long before the old ones lapse. */
const BEFORE_MS = 30_000;
const LEAST_MS = 5000;
const MEGABYTE = 1_000_000;

type Sentence = Parameters<typeof say>[0];
const NAMES: Record<Download["name"], [Sentence, Sentence]> = {
  "tags.geojson": ["download_geojson", "download_geojson_note"],
  "tags.csv": ["download_tags", "download_tags_note"],
  "looks.csv": ["download_looks", "download_looks_note"],
};

/** "0.6 MB", "12 kB": no finer than an estimate deserves. */
function size(bytes: number): string {
  const isLarge = bytes >= MEGABYTE / 10;
  return new Intl.NumberFormat(words.locale, {
    style: "unit",
    unit: isLarge ? "megabyte" : "kilobyte",
    maximumFractionDigits: isLarge ? 1 : 0,
  }).format(bytes / (isLarge ? MEGABYTE : 1000) || 0);
}

function Item({ file }: { file: Download }) {
  const [name, note] = NAMES[file.name];
  return (
    <a role="menuitem" tabIndex={-1} href={file.url} download>
      {say(name)}
      <small class="num">{say(note, { n: file.rows, size: size(file.bytes_estimated) })}</small>
    </a>
  );
}

function Menu({ onLeave }: { onLeave: (isBack: boolean) => void }) {
  const [files, setFiles] = useState<Download[] | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [round, setRound] = useState(0);
  const menu = useRef<HTMLDivElement>(null);
  const items = () => [...(menu.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
  useEffect(() => {
    let isGone = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    downloads().then(
      (found) => {
        if (isGone) return;
        // A file that this page does not know yet has no words either.
        setFiles(found.filter(({ name }) => Object.hasOwn(NAMES, name)));
        const lapse = Math.min(...found.map(({ expires_at }) => Date.parse(expires_at)));
        timer = setTimeout(() => setRound(round + 1), Math.max(LEAST_MS, lapse - Date.now() - BEFORE_MS));
      },
      (error: Problem) => !isGone && setProblem(error),
    );
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, [round]);
  useEffect(() => (items()[0] ?? menu.current)?.focus(), [files === null]);
  const onKeyDown = (event: KeyboardEvent) => {
    const all = items();
    const at = all.indexOf(document.activeElement as HTMLElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (event.key === "Escape") onLeave(true);
    else if (next !== undefined) all.at(next % Math.max(1, all.length))?.focus();
    else return;
    event.preventDefault();
  };
  return (
    <div
      class="menu"
      role={problem ? "group" : "menu"}
      aria-label={say("download")}
      aria-busy={!files && !problem}
      tabIndex={-1}
      ref={menu}
      onKeyDown={onKeyDown}
      onClick={(event) => (event.target as Element).closest("a") && onLeave(true)}
    >
      {problem && <Trouble problem={problem} what="trouble_download" />}
      {!files && !problem && (
        <span role="menuitem" aria-disabled="true" tabIndex={-1} class="muted">
          {say("download_counting")}
        </span>
      )}
      {files?.map((file) => (
        <Item key={file.name} file={file} />
      ))}
    </div>
  );
}

export function DownloadMenu() {
  const [isOpen, setOpen] = useState(false);
  const box = useRef<HTMLSpanElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!isOpen) return;
    const onPointer = (event: PointerEvent) => {
      if (!box.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", onPointer);
    return () => document.removeEventListener("pointerdown", onPointer);
  }, [isOpen]);
  const leave = (isBack: boolean) => {
    setOpen(false);
    if (isBack) button.current?.focus();
  };
  const onFocusOut = (event: FocusEvent) => {
    if (event.relatedTarget && !box.current?.contains(event.relatedTarget as Node)) setOpen(false);
  };
  return (
    <span class="drop" ref={box} onFocusOut={onFocusOut}>
      <button
        type="button"
        class="btn"
        aria-haspopup="menu"
        aria-expanded={isOpen}
        ref={button}
        onClick={() => setOpen(!isOpen)}
      >
        <Icon name="get" small />
        {say("download")}
      </button>
      {isOpen && <Menu onLeave={leave} />}
    </span>
  );
}
