//! What the demo's organiser says: the search and its imagery.

use scenery::{ObjectKind, ZOOM_MAX};
use serde_json::{Value, json};

use super::{
    SEED,
    area::{BORDER, HOLE, LAST_SEEN, Place},
};

/// Slug of the search.
pub const CAMPAIGN: &str = "demo";
/// Key of its imagery layer.
pub const LAYER: &str = "demo";
const INSTRUCTIONS_EN: &str = "\
A white and red light aircraft with two people on board did not arrive on the afternoon of \
10 February. Radar saw it last over this coast. The pictures were taken two days later.

## How to look

- Look at the **whole** square, corner by corner. Take your time: ten seconds are normal.
- Mark everything that fits, even if you are not sure. Two other people look at the same square.
- **Most squares are empty, and saying so helps just as much.** It tells the search team where not to go.

## What you may see

- **Wreckage:** a whole aircraft is 9 m long, as long as two cars. After a hard landing it lies in \
pieces: look for straight edges and for white or red that does not belong there.
- **Person or signal:** bright canvas, letters laid out with stones, figures in the snow, a raft on the water.
- **Ground scar:** a dark, straight strip of torn ground, or a gap of broken trees.
- **Shelter or vehicle:** huts, tents, snow machines, pickups, boats. Somebody there may have seen something.

## What you can leave out

Roads, fields, rocks, surf and the shadows of trees. *This search is a demo: the land and all that lies \
on it was drawn by the program.*
";

const INSTRUCTIONS_DE: &str = "\
Ein weiß-rotes Leichtflugzeug mit zwei Menschen an Bord kam am Nachmittag des 10. Februar nicht an. \
Das Radar sah es zuletzt über dieser Küste. Die Bilder entstanden zwei Tage später.

## Wie man sucht

- Schau das **ganze** Feld an, Ecke für Ecke. Lass dir Zeit: Zehn Sekunden sind normal.
- Markiere alles, was passt, auch wenn du unsicher bist. Zwei andere schauen dasselbe Feld an.
- **Die meisten Felder sind leer, und auch das hilft.** Es sagt den Suchenden, wo sie nicht hin müssen.

## Was du sehen kannst

- **Wrackteile:** Ein ganzes Flugzeug ist 9 m lang, so lang wie zwei Autos. Nach einem harten Aufprall liegt \
es in Stücken: Achte auf gerade Kanten und auf Weiß oder Rot, das dort nicht hingehört.
- **Mensch oder Zeichen:** grelle Planen, Buchstaben aus Steinen, Gestalten im Schnee, ein Floß auf dem Wasser.
- **Spur im Boden:** ein dunkler, gerader Streifen aufgerissener Erde oder eine Schneise gebrochener Bäume.
- **Unterschlupf oder Fahrzeug:** Hütten, Zelte, Schneemobile, Pick-ups, Boote. Vielleicht hat dort jemand etwas gesehen.

## Was du auslassen kannst

Straßen, Felder, Felsen, Brandung und die Schatten der Bäume. *Diese Suche ist eine Vorführung: Das Land \
und alles darauf hat das Programm gezeichnet.*
";

/// The layer whose tiles are at `url_template`.
pub fn layer(url_template: &str) -> Value {
    json!({
        "key": LAYER,
        "name": "Demo coast",
        "url_template": url_template,
        "min_zoom": 0,
        "max_zoom": ZOOM_MAX,
        "tile_size": 256,
        // The source is this program's own.
        "max_concurrent_fetches": 64,
        "max_fetches_per_second": 1000,
        "attribution": "Spotter demo, drawn by the program",
        "licence": "CC0-1.0",
        "licence_url": "https://creativecommons.org/publicdomain/zero/1.0/",
        "sensor": "Procedural aerial camera",
        "catalogue_id": format!("demo-{SEED}"),
        "acquired_at": "2026-02-12T21:40:00Z",
        "ground_sample_distance_m": 0.32,
    })
}

/// The search.
pub fn campaign() -> Value {
    json!({
        "slug": CAMPAIGN,
        "title": {
            "en": "Find the missing light aircraft",
            "de": "Finde das vermisste Leichtflugzeug",
        },
        "summary": {
            "en": "A white and red aircraft, 9 m long, did not arrive. It was last seen over this coast.",
            "de": "Ein weiß-rotes Flugzeug, 9 m lang, kam nicht an. Zuletzt wurde es über dieser Küste gesehen.",
        },
        "instructions": {"en": INSTRUCTIONS_EN, "de": INSTRUCTIONS_DE},
        "area": {"type": "Polygon", "coordinates": [BORDER, HOLE]},
        "cell_zoom": 17,
        "looks_wanted": 3,
        "imagery_layer": LAYER,
        "agreement_radius_m": 12,
        "priorities": [{"area": {"type": "Polygon", "coordinates": [LAST_SEEN]}, "weight": 3}],
        "tag_types": tag_types(),
    })
}

fn tag_types() -> Value {
    ObjectKind::ALL
        .iter()
        .map(|kind| {
            let mut tag_type = words(*kind);
            tag_type["key"] = json!(kind.key());
            tag_type["geometry"] = json!("Point");
            tag_type["examples"] = json!(examples(*kind));
            tag_type
        })
        .collect()
}

fn words(kind: ObjectKind) -> Value {
    match kind {
        ObjectKind::Wreckage => json!({
            "name": {"en": "Wreckage", "de": "Wrackteile"},
            "description": {
                "en": "A whole aircraft or pieces of one: straight edges, white or red that does not belong there.",
                "de": "Ein ganzes Flugzeug oder Teile davon: gerade Kanten, Weiß oder Rot, das dort nicht hingehört.",
            },
            "colour": "#F5330F",
            "icon": "triangle",
            "typical_size_m": 9,
            "typical_size_label": {"en": "a light aircraft", "de": "ein Leichtflugzeug"},
        }),
        ObjectKind::Signal => json!({
            "name": {"en": "Person or signal", "de": "Mensch oder Zeichen"},
            "description": {
                "en": "Bright canvas, letters of stones, figures in the snow, a raft.",
                "de": "Grelle Planen, Buchstaben aus Steinen, Gestalten im Schnee, ein Floß.",
            },
            "colour": "#6CCEEF",
            "icon": "circle",
        }),
        ObjectKind::Scar => json!({
            "name": {"en": "Ground scar", "de": "Spur im Boden"},
            "description": {
                "en": "A straight strip of torn ground, or a gap of broken trees.",
                "de": "Ein gerader Streifen aufgerissener Erde oder eine Schneise gebrochener Bäume.",
            },
            "colour": "#DD64A4",
            "icon": "square",
        }),
        ObjectKind::Shelter => json!({
            "name": {"en": "Shelter or vehicle", "de": "Unterschlupf oder Fahrzeug"},
            "description": {
                "en": "Huts, tents, snow machines, pickups, boats: people may be there.",
                "de": "Hütten, Zelte, Schneemobile, Pick-ups, Boote: Dort können Menschen sein.",
            },
            "colour": "#079E69",
            "icon": "diamond",
        }),
    }
}

/// Places near the area but outside it, so that no example gives away what is to be found.
/// They were chosen by eye, for the scenery of [`SEED`]: a whole aircraft on grass, a broken one
/// in a wood, one on snow …
fn examples(kind: ObjectKind) -> &'static [Place] {
    match kind {
        ObjectKind::Wreckage => &[
            [-152.417_403, 57.663_587],
            [-152.370_184, 57.659_683],
            [-152.424_847, 57.626_681],
        ],
        ObjectKind::Signal => &[
            [-152.390_543, 57.599_530],
            [-152.378_106, 57.657_873],
            [-152.354_573, 57.667_647],
            [-152.422_343, 57.633_812],
        ],
        ObjectKind::Scar => &[
            [-152.379_615, 57.665_632],
            [-152.420_612, 57.642_847],
            [-152.379_585, 57.649_215],
        ],
        ObjectKind::Shelter => &[
            [-152.380_770, 57.659_665],
            [-152.414_842, 57.660_901],
            [-152.418_323, 57.667_033],
            [-152.431_296, 57.663_987],
        ],
    }
}

#[cfg(test)]
mod tests {
    use scenery::Scene;

    use super::{super::area::searched, *};

    #[test]
    fn every_example_shows_its_kind_and_none_of_them_is_to_be_found() {
        /// About one metre.
        const NEAR_DEG: f64 = 1e-5;
        let scene = Scene::new(SEED);
        for kind in ObjectKind::ALL {
            for [lon, lat] in examples(kind) {
                let there = scene.objects_in(
                    lon - NEAR_DEG,
                    lat - NEAR_DEG,
                    lon + NEAR_DEG,
                    lat + NEAR_DEG,
                );
                assert!(
                    there.iter().any(|object| object.kind == kind),
                    "{} {lon} {lat}",
                    kind.key()
                );
                assert!(!searched([*lon, *lat]), "{} {lon} {lat}", kind.key());
            }
        }
    }
}
