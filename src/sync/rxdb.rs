//! The wire of `RxDB`'s replication, as `rxdb-server`'s client speaks it.

use actix_web::{
    HttpRequest, HttpResponse, get,
    http::{
        StatusCode,
        header::{self, ContentType},
    },
    post,
    web::Data,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use utoipa::ToSchema;

use super::{
    Checkpoint, Collection, DOCUMENTS_MAX, Page, SCHEMA_VERSION, TAGS_PER_CALL,
    assignments::AssignmentDocument,
    campaigns::CampaignDocument,
    looks::{self, LookDocument},
    push::{Change, Objection, PushedRow},
    receipts::ReceiptDocument,
    tags::{self, TagDocument},
    tail::Tail,
    turn::in_turn,
};
use crate::{
    accounts::Volunteer,
    http::{Body, PathParam, Problem, ProblemBody, Query, Routes, limits::BATCH_BODY_BYTES_MAX},
    rates,
    state::App,
};

/// Documents of a pull when the client does not say.
const LIMIT_DEFAULT: usize = 100;

pub fn routes(config: &mut Routes<'_>) {
    config.service(pull).service(push);
}

/// A collection and the version of its documents' shape, as they stand in the address.
pub type Address = (String, String);

/// The collection at an address.
///
/// Errors: 404 for another name, 426 `schema_outdated` for another version.
pub fn collection((name, version): &Address) -> Result<Collection, Problem> {
    let Some(collection) = Collection::parse(name) else {
        let known = Collection::ALL.map(Collection::as_str).join(", ");
        return Err(Problem::not_found(
            "not_found",
            format!("There is no collection {name:?}; there are {known}."),
        ));
    };
    if *version != SCHEMA_VERSION.to_string() {
        return Err(Problem::new(
            StatusCode::UPGRADE_REQUIRED,
            "schema_outdated",
            format!(
                "Documents have the shape of version {SCHEMA_VERSION} here, not {version:?}: update the app."
            ),
        ));
    }
    Ok(collection)
}

/// A document of one of the collections, with `_deleted`.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(
    dead_code,
    reason = "documents are written from their members; this describes them"
)]
enum RxdbDocument {
    Campaign(Box<CampaignDocument>),
    Assignment(Box<AssignmentDocument>),
    Look(LookDocument),
    Receipt(ReceiptDocument),
    Tag(TagDocument),
}

/// Where to go on; send its members with the next pull.
#[derive(Serialize, ToSchema)]
struct RxdbCheckpoint {
    /// Safe in an address.
    #[schema(example = "1482.01932b3a-7c00-7000-8000-000000000001.771")]
    id: String,
    /// A whole number below 2^53.
    lwt: i64,
}

/// Documents that changed, in the order of their changes.
#[derive(Serialize, ToSchema)]
struct RxdbPage {
    /// As many as were asked for, unless these are all. Repetitions fill up what would be too many
    /// bytes.
    #[schema(max_items = 1000)]
    documents: Vec<RxdbDocument>,
    checkpoint: RxdbCheckpoint,
}

#[derive(Deserialize)]
struct PullQuery {
    lwt: Option<String>,
    id: Option<String>,
    limit: Option<String>,
}

/// Pull documents
///
/// For `rxdb-server`'s client: give it the address up to the schema version. `campaigns` are the same for all;
/// the others are your own. `assignments` are the squares of your packs, `receipts` say what became of
/// your looks, and of the newest 5,000 that were refused. A tag that was withdrawn comes with `_deleted: true` for 180 days. A page has 1 MiB, or one document.
#[utoipa::path(
    tag = "Sync",
    params(
        ("collection" = String, Path, description = "`campaigns`, `assignments`, `looks`, `receipts` or `tags`.", example = "tags"),
        ("schema_version" = String, Path, description = "Version of the shape of the documents: 0.", example = "0"),
        ("lwt" = Option<i64>, Query, description = "`lwt` of the last checkpoint; 0 at first.", example = 0),
        ("id" = Option<String>, Query, description = "`id` of the last checkpoint; empty at first."),
        ("limit" = Option<u32>, Query, description = "Documents of the page; 100 unless told.", minimum = 1, maximum = 1000),
    ),
    responses(
        (status = 200, description = "Documents after the checkpoint, and where to go on; fewer than asked for are the last.", body = RxdbPage),
        (status = 400, description = "The checkpoint is none of ours. Codes: `invalid_checkpoint`, `invalid_query`.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 426, description = "Update the app (`schema_outdated`), or sync again from the beginning, since the database was restored or the checkpoint is older than tombstones are kept (`sync_start_again`).", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("volunteer" = []))
)]
#[get("/v1/sync/rxdb/{collection}/{schema_version}/pull")]
async fn pull(
    app: Data<App>,
    tail: Data<Tail>,
    volunteer: Volunteer,
    address: PathParam<Address>,
    query: Query<PullQuery>,
) -> Result<HttpResponse, Problem> {
    let collection = collection(&address.0)?;
    let asked = Checkpoint::parse(query.0.lwt.as_deref(), query.0.id.as_deref())?;
    let from = asked.marked(volunteer.mark);
    let limit = limit(query.0.limit.as_deref())?;
    let nothing = tail.has_nothing_after(&app, &from, volunteer.id, collection);
    if nothing.await? {
        return Ok(respond(Page::nothing_after(&asked)));
    }
    let conn = app.db.get().await?;
    let page = collection.pull(&*conn, volunteer.id, &from, limit).await?;
    drop(conn);
    let page = page.write(&from, limit);
    if page.is_last {
        let end = page.checkpoint.at;
        tail.learn(&page.standing, end, volunteer.id, collection);
    }
    let page = page.marked(volunteer.mark).filled_up(limit);
    Ok(respond(page.json()))
}

fn limit(text: Option<&str>) -> Result<usize, Problem> {
    let limit = text.map_or(Ok(LIMIT_DEFAULT), str::parse);
    limit
        .ok()
        .filter(|limit| (1..=DOCUMENTS_MAX).contains(limit))
        .ok_or_else(|| {
            Problem::bad_request(
                "invalid_query",
                format!("limit: 1 to {DOCUMENTS_MAX} are possible"),
            )
        })
}

/// Push documents
///
/// 1,000 documents and 8 MiB at most, 64 KiB each. Answered are those that are otherwise here, as they are: `[]` when all were
/// taken. A document that cannot be stored comes back with `_deleted: true`. Looks never change: another content under the same id,
/// or a deletion, is answered by the look. Tags are edited, withdrawn by `_deleted: true` and restored by its end; whoever has not
/// seen the present state gets it. A tag that was withdrawn more than 180 days ago is restored only by who knows that it was. A tag may come before its look. Safe to repeat.
#[utoipa::path(
    tag = "Sync",
    params(
        ("collection" = String, Path, description = "`looks` or `tags`.", example = "tags"),
        ("schema_version" = String, Path, description = "Version of the shape of the documents: 0.", example = "0"),
    ),
    request_body(content = Vec<PushedRow>, description = "8 MiB at most."),
    responses(
        (status = 200, description = "Documents that are otherwise here.", body = Vec<RxdbDocument>),
        (status = 403, description = "Only `looks` and `tags` can be pushed. Code: `pull_only`.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "Push less at once. Codes: `too_many_documents`, `body_too_large`.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 426, description = "Update the app. Code: `schema_outdated`.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "Not acknowledged: push the same again after `Retry-After`; it is not stored twice. Codes: `busy` (another device had its turn for 8 s), `looks_missing` (more than 20,000 tags wait for their looks), `database_busy`, `database_away`.", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("volunteer" = []))
)]
#[post("/v1/sync/rxdb/{collection}/{schema_version}/push")]
async fn push(
    req: HttpRequest,
    app: Data<App>,
    volunteer: Volunteer,
    address: PathParam<Address>,
    rows: Body<Vec<Box<RawValue>>, BATCH_BODY_BYTES_MAX>,
) -> Result<HttpResponse, Problem> {
    let collection = collection(&address.0)?;
    let count = rows.0.len();
    check_count(count)?;
    let changes = rows
        .0
        .iter()
        .map(|row| Change::of_rxdb(row))
        .collect::<Result<Vec<_>, _>>()?;
    let objections = match collection {
        Collection::Looks => {
            rates::charge(&req, volunteer.id, count.saturating_sub(1)).await?;
            let looks = looks::examine(&app, volunteer.id, changes).await?;
            in_turn(&app, volunteer.id, async |tx| {
                looks.write(tx, volunteer.id).await
            })
            .await?
        }
        Collection::Tags => {
            rates::charge(&req, volunteer.id, count / TAGS_PER_CALL).await?;
            let tags = tags::examine(&app, changes).await?;
            in_turn(&app, volunteer.id, async |tx| {
                tags.write(tx, volunteer.id).await
            })
            .await?
        }
        Collection::Campaigns | Collection::Assignments | Collection::Receipts => {
            return Err(Problem::forbidden(
                "pull_only",
                "Only looks and tags can be pushed.",
            ));
        }
    };
    let conflicts: Vec<Value> = objections.into_iter().map(Objection::for_rxdb).collect();
    Ok(respond(Value::Array(conflicts).to_string()))
}

/// Whether so many documents may come at once.
pub fn check_count(count: usize) -> Result<(), Problem> {
    if count <= DOCUMENTS_MAX {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "too_many_documents",
        format!("Found {count} documents; push {DOCUMENTS_MAX} at most at once."),
    ))
}

fn respond(json: String) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(ContentType::json())
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(json)
}
