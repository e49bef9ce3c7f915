//! The files that can be downloaded, and how their rows are written.

use jiff::Timestamp;

use crate::{
    geo::{CellId, Tile},
    http::Problem,
    looks::{self, ExportedLook, ExportedTag},
};

/// A file of a campaign.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum File {
    TagsGeoJson,
    TagsCsv,
    LooksCsv,
}

const TAG_COLUMNS: [&str; 13] = [
    "id",
    "tag_type",
    "longitude",
    "latitude",
    "note",
    "wkt",
    "cell",
    "volunteer_id",
    "look_id",
    "campaign_version",
    "revision",
    "received_at",
    "updated_at",
];
const LOOK_COLUMNS: [&str; 11] = [
    "id",
    "volunteer_id",
    "cell",
    "longitude",
    "latitude",
    "outcome",
    "tags",
    "campaign_version",
    "started_at",
    "finished_at",
    "received_at",
];
/// Signs with which a cell begins that spreadsheets take for a formula (OWASP, CSV injection).
const FORMULA_STARTS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

impl File {
    pub const ALL: [Self; 3] = [Self::TagsGeoJson, Self::TagsCsv, Self::LooksCsv];

    pub fn name(self) -> &'static str {
        match self {
            Self::TagsGeoJson => "tags.geojson",
            Self::TagsCsv => "tags.csv",
            Self::LooksCsv => "looks.csv",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|file| file.name() == name)
    }

    pub fn media_type(self) -> &'static str {
        match self {
            Self::TagsGeoJson => "application/geo+json",
            Self::TagsCsv | Self::LooksCsv => "text/csv; charset=utf-8",
        }
    }

    /// Name under which a browser keeps it.
    pub fn saved_as(self, slug: &str, now: Timestamp) -> String {
        let date = now.strftime("%Y-%m-%d");
        format!("{slug}-{date}-{}", self.name())
    }

    pub fn beginning(self) -> Result<Vec<u8>, Problem> {
        match self {
            Self::TagsGeoJson => Ok(b"{\"type\":\"FeatureCollection\",\"features\":[".to_vec()),
            Self::TagsCsv => csv(|rows| rows.write_record(TAG_COLUMNS)),
            Self::LooksCsv => csv(|rows| rows.write_record(LOOK_COLUMNS)),
        }
    }

    pub fn end(self) -> &'static [u8] {
        match self {
            Self::TagsGeoJson => b"\n]}\n",
            Self::TagsCsv | Self::LooksCsv => b"",
        }
    }
}

/// Features, each on a line of its own; `is_first` when none stands before.
pub fn features(tags: Vec<ExportedTag>, is_first: bool) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    for (index, exported) in tags.into_iter().enumerate() {
        bytes.extend_from_slice(if is_first && index == 0 {
            b"\n"
        } else {
            b",\n"
        });
        let feature = looks::feature(exported.tag)?;
        serde_json::to_writer(&mut bytes, &feature).map_err(|e| Problem::internal(&e))?;
    }
    Ok(bytes)
}

pub fn tag_rows(tags: Vec<ExportedTag>) -> Result<Vec<u8>, Problem> {
    let records = tags
        .into_iter()
        .map(|ExportedTag { tag, point, wkt }| {
            Ok([
                tag.id.to_string(),
                text(&tag.tag_type),
                point[0].to_string(),
                point[1].to_string(),
                text(tag.note.as_deref().unwrap_or_default()),
                wkt,
                tile(tag.cell)?.to_string(),
                tag.volunteer_id.to_string(),
                tag.look_id.to_string(),
                tag.campaign_version.to_string(),
                tag.revision.to_string(),
                tag.received_at.to_string(),
                tag.updated_at.to_string(),
            ])
        })
        .collect::<Result<Vec<_>, Problem>>()?;
    csv(|rows| {
        records
            .iter()
            .try_for_each(|record| rows.write_record(record))
    })
}

pub fn look_rows(looks: Vec<ExportedLook>) -> Result<Vec<u8>, Problem> {
    let records = looks
        .into_iter()
        .map(|look| {
            let tile = tile(look.cell)?;
            let (lon, lat) = tile.centre();
            Ok([
                look.id.to_string(),
                look.volunteer_id.to_string(),
                tile.to_string(),
                lon.to_string(),
                lat.to_string(),
                text(&look.outcome),
                look.tags.to_string(),
                look.campaign_version.to_string(),
                look.started_at.to_string(),
                look.finished_at.to_string(),
                look.received_at.to_string(),
            ])
        })
        .collect::<Result<Vec<_>, Problem>>()?;
    csv(|rows| {
        records
            .iter()
            .try_for_each(|record| rows.write_record(record))
    })
}

/// A text that no spreadsheet takes for a formula: an apostrophe before it, as OWASP advises.
fn text(value: &str) -> String {
    if value.starts_with(FORMULA_STARTS) {
        format!("'{value}")
    } else {
        value.to_owned()
    }
}

fn tile(cell: i64) -> Result<Tile, Problem> {
    CellId::try_from(cell)
        .map(CellId::tile)
        .map_err(|e| Problem::internal(&e))
}

/// RFC 4180: CRLF, quotes where needed.
fn csv(
    write: impl FnOnce(&mut ::csv::Writer<Vec<u8>>) -> Result<(), ::csv::Error>,
) -> Result<Vec<u8>, Problem> {
    let mut rows = ::csv::WriterBuilder::new()
        .terminator(::csv::Terminator::CRLF)
        .from_writer(Vec::new());
    write(&mut rows).map_err(|e| Problem::internal(&e))?;
    rows.into_inner().map_err(|e| Problem::internal(e.error()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_never_a_formula() {
        for (note, cell) in [
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("\r=1", "'\r=1"),
            ("two = one", "two = one"),
            ("", ""),
        ] {
            assert_eq!(text(note), cell);
        }
    }
}
