//! `WatermelonDB` over HTTP.

use actix_web::{HttpRequest, HttpResponse, get, http::header, post, web::Data};
use serde::Deserialize;

use super::{
    Since,
    pull::{self, Anew, Pulled},
    push::{self, Pushed, PushedTable},
};
use crate::{
    accounts::Volunteer,
    http::{Body, Problem, ProblemBody, Query, Routes, limits::BATCH_BODY_BYTES_MAX},
    rates,
    state::App,
    sync::{Collection, TAGS_PER_CALL, Tail},
};

pub fn routes(config: &mut Routes<'_>) {
    config.service(pull_changes).service(push_changes);
}

#[derive(Deserialize)]
struct SyncQuery {
    last_pulled_at: Option<String>,
    schema_version: Option<String>,
    migration: Option<String>,
}

/// What a client's update brought, as it says it.
#[derive(Deserialize)]
struct Migration {
    #[serde(default)]
    tables: Vec<String>,
    #[serde(default)]
    columns: Vec<NewColumns>,
}

#[derive(Deserialize)]
struct NewColumns {
    table: String,
}

impl SyncQuery {
    fn anew(&self) -> Result<Anew, Problem> {
        let refused = |name: &str| {
            Problem::bad_request("invalid_query", format!("{name}: as WatermelonDB gives it"))
        };
        if let Some(version) = &self.schema_version {
            version
                .parse::<u32>()
                .map_err(|_e| refused("schema_version"))?;
        }
        match self.migration.as_deref() {
            None | Some("" | "null" | "undefined") => Ok(Vec::new()),
            Some(text) => {
                let migration: Migration =
                    serde_json::from_str(text).map_err(|_e| refused("migration"))?;
                let columns = migration.columns.into_iter().map(|new| new.table);
                Ok(migration.tables.into_iter().chain(columns).collect())
            }
        }
    }
}

/// Pull changes for `WatermelonDB`
///
/// All that changed since the last pull, by table: `campaigns`, `assignments`, `looks`, `receipts` and `tags`, with the members of the
/// documents of the other wire. Objects and arrays are JSON text; what is absent is null. Pass `sendCreatedAsUpdated: true` to `synchronize()`, and make ids
/// that are UUIDs (`setGenerator`). At most about 20,000 rows of a table, and 20 MiB, come at once; `more` says that there are others: synchronize again.
#[utoipa::path(
    tag = "Sync",
    params(
        ("last_pulled_at" = Option<i64>, Query, description = "`timestamp` of the last pull; null or absent at first."),
        ("schema_version" = Option<u32>, Query, description = "Of the app; any.", example = 1),
        ("migration" = Option<String>, Query, description = "JSON, as WatermelonDB gives it: all rows of new tables, and of tables with new columns, are sent."),
    ),
    responses(
        (status = 200, description = "What changed.", body = Pulled),
        (status = 400, description = "Codes: `invalid_checkpoint`, `invalid_query`.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 426, description = "The server's database was restored, or the last pull was longer ago than tombstones are kept. Forget the last pull, mark your own rows as created and synchronize again (README has how): nothing is stored twice. Code: `sync_start_again`.", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("volunteer" = []))
)]
#[get("/v1/sync/watermelondb")]
async fn pull_changes(
    (app, tail): (Data<App>, Data<Tail>),
    volunteer: Volunteer,
    query: Query<SyncQuery>,
) -> Result<HttpResponse, Problem> {
    let since = Since::parse(query.0.last_pulled_at.as_deref())?.marked(volunteer.mark);
    let anew = query.0.anew()?;
    let pulled = match pull::nothing(&tail, volunteer.id, since, &anew).await {
        Some(nothing) => nothing,
        None => pull::pull(&app, volunteer.id, since, &anew).await?,
    };
    let pulled = pulled.marked(volunteer.mark);
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(pulled))
}

/// Push changes of `WatermelonDB`
///
/// 20,000 rows and 8 MiB at most, 64 KiB each. Stored as a whole or not at all. What cannot be stored (a tag outside of its square, say) is left out,
/// and the next pull deletes it; a look is never changed; what is deleted and not known is ignored. Safe to repeat.
#[utoipa::path(
    tag = "Sync",
    params(("last_pulled_at" = Option<i64>, Query, description = "`timestamp` of the last pull.")),
    request_body(content = std::collections::BTreeMap<String, PushedTable>, description = "8 MiB at most."),
    responses(
        (status = 204, description = "Stored."),
        (status = 400, description = "Code: `invalid_checkpoint`.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "Another device changed one of these tags since the last pull: synchronize again. Code: `changed_since_pull`.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "Codes: `too_many_documents`, `body_too_large`.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 426, description = "As in a pull. Code: `sync_start_again`.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "Nothing was stored: try again after `Retry-After`. Codes: `busy`, `looks_missing`, `database_busy`, `database_away`.", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("volunteer" = []))
)]
#[post("/v1/sync/watermelondb")]
async fn push_changes(
    req: HttpRequest,
    app: Data<App>,
    volunteer: Volunteer,
    query: Query<SyncQuery>,
    pushed: Body<Pushed, BATCH_BODY_BYTES_MAX>,
) -> Result<HttpResponse, Problem> {
    let since = Since::parse(query.0.last_pulled_at.as_deref())?.marked(volunteer.mark);
    let (looks, tags) = (
        push::count(&pushed.0, Collection::Looks),
        push::count(&pushed.0, Collection::Tags),
    );
    push::check_count(looks + tags)?;
    rates::charge(&req, volunteer.id, looks + tags / TAGS_PER_CALL).await?;
    push::push(&app, volunteer.id, since, pushed.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
