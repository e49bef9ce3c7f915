/** Which card is over the image: one that blocks first, then the one that was opened. */
import { block, dialog, plateState, square } from "../store.ts";
import { Along } from "./Along.tsx";
import { Blocked, BrokenImage } from "./Blocked.tsx";
import { First, Help, Keys, More, Source } from "./dialogs.tsx";
import { Menu } from "./Menu.tsx";
import { Mine } from "./Mine.tsx";

const DIALOGS = {
  first: First,
  help: Help,
  menu: Menu,
  more: More,
  keys: Keys,
  source: Source,
  mine: Mine,
  along: Along,
};

export function Cards() {
  if (block.value) return <Blocked key={block.value.kind} />;
  if (dialog.value) {
    const Dialog = DIALOGS[dialog.value];
    return <Dialog key={dialog.value} />;
  }
  return square.value && plateState.value === "failed" ? <BrokenImage /> : null;
}
