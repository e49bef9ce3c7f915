/** Everything on the list of open searches, in German. */
import type { Translation } from "../shared/words.ts";
import type { enStart } from "./en-start.ts";

export const deStart = {
  percent_of_squares: "{share} der Felder sind fertig",
  list_title: "Offene Suchen",
  list_intro: "Sieh dir neue Satellitenbilder an, Feld für Feld, und sag, was du siehst. Ganz ohne Konto.",
  list_empty_title: "Zurzeit ist keine Suche offen",
  list_empty: "Komm wieder, wenn du von einer hörst. Du brauchst nichts vorzubereiten.",
  list_trouble_title: "Die Liste ist nicht angekommen",
  list_trouble: "Dafür brauchen wir das Netz. Wir versuchen es von selbst noch einmal.",
  list_start: "Los geht’s",
  list_start_at: "Los geht’s: {title}",
  list_progress: "{share} von {cells} Feldern fertig",
} as const satisfies Translation<typeof enStart>;
