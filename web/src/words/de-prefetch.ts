/** Imagery fetched ahead, on the organiser’s page of a campaign, in German; „Sie“. */
import type { Translation } from "../shared/words.ts";
import type { enPrefetch } from "./en-prefetch.ts";

export const dePrefetch = {
  prefetch_title: "Bilder, vorab geladen",
  prefetch_text:
    "Freiwillige warten auf keine Quelle, wenn die Kacheln schon hier sind. Jede Kachel wird einmal geladen, langsamer als die Quelle erlaubt und erst nach allen, die gerade suchen.",
  prefetch_tiles: {
    one: "{n} Kachel in den Zoomstufen {min} bis {max}",
    other: "{n} Kacheln in den Zoomstufen {min} bis {max}",
  },
  prefetch_start: "Vorab laden",
  prefetch_stop: "Anhalten",
  prefetch_go_on: "Weitermachen",
  prefetch_again: "Diese noch einmal versuchen",
  prefetch_anew: "Alle noch einmal prüfen",
  prefetch_running: "Läuft",
  prefetch_stopped: "Angehalten",
  prefetch_done: "Fertig",
  prefetch_waiting: "Wartet",
  prefetch_bar: "Vorab geladene Kacheln",
  prefetch_of: { one: "{done} von {n} Kachel", other: "{done} von {n} Kacheln" },
  prefetch_left: { one: "{n} übrig", other: "{n} übrig" },
  prefetch_rate: "{rate} pro Sekunde",
  prefetch_eta: "noch etwa {time}",
  prefetch_failed: { one: "{n} fehlgeschlagen", other: "{n} fehlgeschlagen" },
  prefetch_missing: { one: "{n}, die die Quelle nicht hat", other: "{n}, die die Quelle nicht hat" },
  prefetch_trouble: "Die Quelle antwortet mit Fehlern und wird kurz in Ruhe gelassen: {reason}.",
  prefetch_nobody: "Niemand arbeitet daran. Wer diesen Server betreibt, muss einen Helfer starten: spotter worker.",
  prefetch_not_had: "Kacheln, die nicht zu bekommen waren",
  prefetch_more: { one: "und {n} weitere", other: "und {n} weitere" },
  trouble_prefetch: "Das hat nicht geklappt.",
  trouble_prefetch_read: "Wie weit das Laden ist, kam nicht an.",
} as const satisfies Translation<typeof enPrefetch>;
