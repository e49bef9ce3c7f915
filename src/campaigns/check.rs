//! Rules for what an organiser says of a campaign, but for its area.

use super::model::{
    CELL_ZOOM_MAX, CELL_ZOOM_MIN, COLOURS, CampaignDefinition, EXAMPLES_MAX, GRACE_DAYS_MAX, ICONS,
    INSTRUCTIONS_CHARS_MAX, LEASE_SECONDS_MAX, LEASE_SECONDS_MIN, LOOKS_WANTED_MAX, PRIORITIES_MAX,
    PRIORITY_NAME_CHARS_MAX, Priority, SUMMARY_CHARS_MAX, TAG_TYPE_NAME_CHARS_MAX, TAG_TYPES_MAX,
    TITLE_CHARS_MAX, TagType, WEIGHT_MAX,
};
use crate::{
    geo::LonLat,
    http::{
        FieldErrors,
        limits::{self, LOCALES_MAX},
        text::{Localised, check_localised, check_text, check_time, is_locale},
    },
};

/// Slugs that are words of the API or of the pages' addresses.
const RESERVED_SLUGS: [&str; 2] = ["preview", "new"];

/// Notes everything that is wrong, and gives out colours and icons that were left open.
pub fn check(definition: &mut CampaignDefinition, errors: &mut FieldErrors) {
    errors.need(
        limits::is_key(&definition.slug) && !RESERVED_SLUGS.contains(&definition.slug.as_str()),
        "/slug",
        || {
            format!(
                "found {:?}; 1 to {} lower-case letters, digits, - and _ are needed, and not a word of the API",
                definition.slug,
                limits::KEY_CHARS_MAX
            )
        },
    );
    check_localised(errors, "/title", &definition.title, TITLE_CHARS_MAX, true);
    check_languages(&mut definition.languages, &definition.title, errors);
    check_localised(
        errors,
        "/summary",
        &definition.summary,
        SUMMARY_CHARS_MAX,
        false,
    );
    check_localised(
        errors,
        "/instructions",
        &definition.instructions,
        INSTRUCTIONS_CHARS_MAX,
        false,
    );
    check_numbers(definition, errors);
    check_tag_types(&mut definition.tag_types, errors);
    check_priorities(&definition.priorities, errors);
}

/// The order of languages, completed by those of the title.
fn check_languages(languages: &mut Vec<String>, title: &Localised, errors: &mut FieldErrors) {
    errors.need(languages.len() <= LOCALES_MAX, "/languages", || {
        format!("found {}; {LOCALES_MAX} are allowed", languages.len())
    });
    for (index, language) in languages.iter().enumerate() {
        let at = format!("/languages/{index}");
        errors.need(is_locale(language), &at, || {
            format!("found {language:?}; give a BCP 47 tag such as \"en\" or \"pt-BR\"")
        });
        let is_first = languages.iter().position(|other| other == language) == Some(index);
        errors.need(is_first, &at, || format!("{language:?} is there twice"));
    }
    for language in title.keys() {
        if !languages.contains(language) {
            languages.push(language.clone());
        }
    }
}

/// Number, weights and names of priority areas.
pub fn check_priorities(priorities: &[Priority], errors: &mut FieldErrors) {
    errors.need(priorities.len() <= PRIORITIES_MAX, "/priorities", || {
        format!("found {}; {PRIORITIES_MAX} are allowed", priorities.len())
    });
    for (index, priority) in priorities.iter().enumerate() {
        if let Some(name) = &priority.name {
            let at = format!("/priorities/{index}/name");
            check_text(errors, &at, name, PRIORITY_NAME_CHARS_MAX);
        }
        errors.need(
            priority.weight > 0.0 && priority.weight <= WEIGHT_MAX,
            &format!("/priorities/{index}/weight"),
            || {
                format!(
                    "found {}; more than 0, {WEIGHT_MAX} at most",
                    priority.weight
                )
            },
        );
    }
}

/// The two numbers that a preview needs too.
pub fn check_grid(cell_zoom: u8, looks_wanted: u16, errors: &mut FieldErrors) {
    errors.need(
        (CELL_ZOOM_MIN..=CELL_ZOOM_MAX).contains(&cell_zoom),
        "/cell_zoom",
        || format!("found {cell_zoom}; {CELL_ZOOM_MIN} to {CELL_ZOOM_MAX} are possible"),
    );
    errors.need(
        (1..=LOOKS_WANTED_MAX).contains(&looks_wanted),
        "/looks_wanted",
        || format!("found {looks_wanted}; 1 to {LOOKS_WANTED_MAX} are possible"),
    );
}

fn check_numbers(definition: &CampaignDefinition, errors: &mut FieldErrors) {
    check_grid(definition.cell_zoom, definition.looks_wanted, errors);
    let lease = definition.lease_seconds;
    errors.need(
        (LEASE_SECONDS_MIN..=LEASE_SECONDS_MAX).contains(&lease),
        "/lease_seconds",
        || format!("found {lease}; {LEASE_SECONDS_MIN} to {LEASE_SECONDS_MAX} are possible"),
    );
    let radius = definition.agreement_radius_m;
    errors.need(
        (0.1..=10_000.0).contains(&radius),
        "/agreement_radius_m",
        || format!("found {radius}; 0.1 to 10000 metres are possible"),
    );
    let grace = definition.grace_days;
    errors.need(grace <= GRACE_DAYS_MAX, "/grace_days", || {
        format!("found {grace}; 0 to {GRACE_DAYS_MAX} days are possible")
    });
    for (pointer, time) in [
        ("/starts_at", definition.starts_at),
        ("/ends_at", definition.ends_at),
    ] {
        if let Some(time) = time {
            check_time(errors, pointer, time);
        }
    }
    if let (Some(starts), Some(ends)) = (definition.starts_at, definition.ends_at) {
        errors.need(starts < ends, "/ends_at", || {
            format!("found {ends}, which is not after starts_at {starts}")
        });
    }
}

fn check_tag_types(types: &mut [TagType], errors: &mut FieldErrors) {
    errors.need(
        (1..=TAG_TYPES_MAX).contains(&types.len()),
        "/tag_types",
        || format!("found {}; 1 to {TAG_TYPES_MAX} are needed", types.len()),
    );
    let keys: Vec<String> = types.iter().map(|tag_type| tag_type.key.clone()).collect();
    for (index, tag_type) in types.iter_mut().enumerate() {
        let at = format!("/tag_types/{index}");
        let key = &tag_type.key;
        errors.need(limits::is_key(key), &format!("{at}/key"), || {
            format!("found {key:?}; lower-case letters, digits, - and _ are needed")
        });
        let first = keys.iter().position(|other| other == key) == Some(index);
        errors.need(first, &format!("{at}/key"), || {
            format!("{key:?} is there twice")
        });
        check_localised(
            errors,
            &format!("{at}/name"),
            &tag_type.name,
            TAG_TYPE_NAME_CHARS_MAX,
            true,
        );
        check_localised(
            errors,
            &format!("{at}/description"),
            &tag_type.description,
            SUMMARY_CHARS_MAX,
            false,
        );
        check_localised(
            errors,
            &format!("{at}/typical_size_label"),
            &tag_type.typical_size_label,
            TAG_TYPE_NAME_CHARS_MAX,
            false,
        );
        check_appearance(&at, index, tag_type, errors);
    }
}

fn check_appearance(at: &str, index: usize, tag_type: &mut TagType, errors: &mut FieldErrors) {
    let icon = tag_type
        .icon
        .get_or_insert_with(|| ICONS[index % ICONS.len()].to_owned());
    errors.need(
        ICONS.contains(&icon.as_str()),
        &format!("{at}/icon"),
        || format!("found {icon:?}; one of {} is needed", ICONS.join(", ")),
    );
    let colour = tag_type
        .colour
        .get_or_insert_with(|| COLOURS[index % COLOURS.len()].to_owned());
    let is_colour = colour.len() == 7
        && colour
            .strip_prefix('#')
            .is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
    errors.need(is_colour, &format!("{at}/colour"), || {
        format!("found {colour:?}; give it as #RRGGBB")
    });
    errors.need(
        tag_type
            .typical_size_m
            .is_none_or(|m| m > 0.0 && m <= 100_000.0),
        &format!("{at}/typical_size_m"),
        || "it is metres: more than 0, 100000 at most".to_owned(),
    );
    errors.need(
        tag_type.examples.len() <= EXAMPLES_MAX,
        &format!("{at}/examples"),
        || {
            format!(
                "found {}; {EXAMPLES_MAX} are allowed",
                tag_type.examples.len()
            )
        },
    );
    for (n, [lon, lat]) in tag_type.examples.iter().enumerate() {
        if let Err(e) = LonLat::new(*lon, *lat) {
            errors.push(format!("{at}/examples/{n}"), e.to_string());
        }
    }
}
