//! Downloads over HTTP: what there is, and the files.

use actix_web::{HttpResponse, get, http::header, web::Data};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{file::File, stream::Download};
use crate::{
    accounts::{Organiser, Scope, TokenKeys, Viewer},
    campaigns,
    http::{PathParam, Problem, ProblemBody, Query, Routes},
    state::App,
};

/// How long the address of a file opens without a key.
const TICKET_LIFETIME: SignedDuration = SignedDuration::from_mins(10);
/// Rows by which the size is estimated.
const SAMPLE_ROWS: i64 = 100;

pub fn routes(config: &mut Routes<'_>) {
    config.service(list).service(read);
}

#[derive(Serialize, ToSchema)]
struct DownloadsView {
    downloads: Vec<DownloadView>,
}

/// A file that can be downloaded.
#[derive(Serialize, ToSchema)]
struct DownloadView {
    #[schema(example = "tags.csv")]
    name: &'static str,
    /// Rows that it has about now.
    rows: i64,
    /// Bytes, estimated by the first rows.
    bytes_estimated: i64,
    /// Opens without a key for ten minutes, so that a browser can store it by itself.
    url: String,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// List downloads
///
/// The files of a campaign with their size, and addresses that open without a key for a while.
#[utoipa::path(
    tag = "Downloads",
    params(("campaign" = String, Path, description = "Slug or id.", example = "demo")),
    responses((status = 200, description = "The files.", body = DownloadsView)),
    security(("organiser" = []))
)]
#[get("/v1/campaigns/{campaign}/downloads")]
async fn list(
    app: Data<App>,
    keys: Data<TokenKeys>,
    organiser: Organiser,
    reference: PathParam<String>,
) -> Result<HttpResponse, Problem> {
    organiser.require(Scope::Read)?;
    let conn = app.db.get().await?;
    let campaign = campaigns::find(&*conn, &reference.0, &Viewer::Organiser(organiser)).await?;
    let activity = campaigns::activity(&*conn, &[campaign.id])
        .await?
        .remove(&campaign.id)
        .ok_or_else(|| Problem::internal(&"a campaign has no activity"))?;
    drop(conn);
    let now = app.clock.now();
    let expires_at = now
        .checked_add(TICKET_LIFETIME)
        .map_err(|e| Problem::internal(&e))?;
    let mut downloads = Vec::new();
    for file in File::ALL {
        let sample = Download::new(App::clone(&app), campaign.id, file, Timestamp::MAX);
        let row_bytes = sample.mean_row_bytes(SAMPLE_ROWS).await?;
        let rows = match file {
            File::TagsGeoJson | File::TagsCsv => activity.tags,
            File::LooksCsv => activity.looks,
        };
        let ticket = keys.sign_ticket(&purpose(campaign.id, file), expires_at);
        downloads.push(DownloadView {
            name: file.name(),
            rows,
            bytes_estimated: rows.saturating_mul(i64::try_from(row_bytes).unwrap_or(i64::MAX)),
            url: format!(
                "/v1/campaigns/{}/downloads/{}?ticket={ticket}",
                campaign.slug,
                file.name()
            ),
            expires_at,
        });
    }
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        .json(DownloadsView { downloads }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadQuery {
    ticket: Option<String>,
}

/// Download a file
///
/// `tags.geojson` (a FeatureCollection), `tags.csv` or `looks.csv` (RFC 4180, UTF-8; texts that
/// a spreadsheet would take for a formula have an apostrophe before them). Streamed, whatever
/// its size: everything that was received before the download began.
#[utoipa::path(
    tag = "Downloads",
    params(
        ("campaign" = String, Path, description = "Slug or id.", example = "demo"),
        ("file" = String, Path, description = "`tags.geojson`, `tags.csv` or `looks.csv`.", example = "tags.csv"),
        ("ticket" = Option<String>, Query, description = "In the place of a key; from the list of downloads."),
    ),
    responses(
        (status = 200, description = "The file.", body = String, content_type = "text/csv"),
        (status = 403, description = "The ticket has lapsed or is for another file. Code: `ticket_refused`.", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("organiser" = []), ())
)]
#[get("/v1/campaigns/{campaign}/downloads/{file}")]
async fn read(
    app: Data<App>,
    keys: Data<TokenKeys>,
    viewer: Viewer,
    path: PathParam<(String, String)>,
    query: Query<ReadQuery>,
) -> Result<HttpResponse, Problem> {
    let (reference, name) = path.0;
    let file = File::parse(&name).ok_or_else(|| {
        let names = File::ALL.map(File::name).join(", ");
        Problem::not_found(
            "download_not_found",
            format!("There is no download {name:?}; there are {names}."),
        )
    })?;
    let now = app.clock.now();
    let conn = app.db.get().await?;
    let campaign = if let Some(ticket) = query.0.ticket {
        let found = campaigns::find_any(&*conn, &reference).await?;
        found
            .filter(|c| keys.verify_ticket(&purpose(c.id, file), &ticket, now))
            .ok_or_else(ticket_refused)?
    } else {
        require_key(&viewer)?;
        campaigns::find(&*conn, &reference, &viewer).await?
    };
    drop(conn);
    let saved_as = file.saved_as(&campaign.slug, now);
    let download = Download::new(App::clone(&app), campaign.id, file, now);
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, file.media_type()))
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        .insert_header((
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{saved_as}\""),
        ))
        .streaming(download.into_stream()))
}

fn require_key(viewer: &Viewer) -> Result<(), Problem> {
    match viewer {
        Viewer::Organiser(organiser) => organiser.require(Scope::Read),
        Viewer::Volunteer(_) => Err(Problem::forbidden(
            "organiser_needed",
            "This call is an organiser's: send an API key, not a volunteer's token.",
        )),
        Viewer::Public => Err(Problem::unauthorized(
            "credentials_missing",
            "Send an organiser's API key, or open the address that the list of downloads gives.",
        )),
    }
}

/// What a ticket is for.
fn purpose(campaign_id: Uuid, file: File) -> String {
    format!("{campaign_id}/{}", file.name())
}

fn ticket_refused() -> Problem {
    Problem::forbidden(
        "ticket_refused",
        "This address has lapsed. Open the list of downloads again and take the new one.",
    )
}
