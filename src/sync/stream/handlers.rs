//! Live streams over HTTP.

use actix_web::{
    HttpRequest, HttpResponse, get,
    http::header::{HeaderMap, HeaderName},
    web::Data,
};

use super::{Live, Shared, Streams};
use crate::{
    accounts::Departed,
    http::{PathParam, Problem, ProblemBody, Routes, events},
    state::App,
    sync::{
        Checkpoint,
        rxdb::{Address, collection},
        tail::Tail,
        tickets::Listener,
    },
};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

pub fn routes(config: &mut Routes<'_>) {
    config.service(pull_stream);
}

/// Changes as they come
///
/// Server-sent events for `EventSource`, beside pulls: each message has documents and the checkpoint
/// after them, as a pull has, 200 documents at most. Pull whenever it opens, as `rxdb-server`'s client does: what
/// came before is not told. It ends when you fall behind by a whole message, when you take nothing for 10 s, when
/// your volunteer is forgotten or goes on as another one, and when the server stops; `EventSource` then comes back by itself, after as long as `retry` says, and goes on
/// after the last message (`Last-Event-ID`). Whoever cannot be served now (20 streams of one volunteer at
/// a server are possible, and as many in all as `IN_WORK_STREAMS` says) is answered by nothing but
/// `retry: 30000`. A quiet stream says a comment every 20 s.
#[utoipa::path(
    tag = "Sync",
    params(
        ("collection" = String, Path, description = "A collection that can be pulled.", example = "tags"),
        ("schema_version" = String, Path, description = "Version of the documents' shapes: 0.", example = "0"),
        ("ticket" = Option<String>, Query, description = "From `POST /v1/sync/tickets`, for clients that cannot send the token."),
        ("Last-Event-ID" = Option<String>, Header, description = "`id` of the last message. One that is of no use is not minded."),
    ),
    responses(
        (status = 200, description = "Messages, until one of the two sides ends it.", content_type = "text/event-stream", body = String, example = json!("id: 1482.7.01932b3a-7c00-7000-8000-000000000001.1490.end\ndata: {\"documents\":[…],\"checkpoint\":{\"lwt\":1482,\"id\":\"7.01932b3a-7c00-7000-8000-000000000001.1490.end\"}}\n\n")),
        (status = 426, description = "Update the app. Code: `schema_outdated`.", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security((), ("volunteer" = []))
)]
#[get("/v1/sync/rxdb/{collection}/{schema_version}/pullStream")]
async fn pull_stream(
    req: HttpRequest,
    app: Data<App>,
    (tail, streams, departed): (Data<Tail>, Data<Streams>, Data<Departed>),
    Listener(volunteer): Listener,
    address: PathParam<Address>,
) -> Result<HttpResponse, Problem> {
    let collection = collection(&address.0)?;
    let listening = match tail.listen(volunteer.id, collection).await {
        Ok(listening) => listening,
        Err(refused) => {
            metrics::counter!("sync_streams_refused_total", "reason" => refused.as_str())
                .increment(1);
            return Ok(events::later());
        }
    };
    let shared = Shared {
        streams: streams.get_ref().clone(),
        departed: departed.get_ref().clone(),
    };
    let app = app.get_ref().clone();
    let whose = (volunteer, collection);
    let live = Live::begin((app, shared), listening, whose, had(req.headers()));
    Ok(events::response().streaming(live.into_stream()))
}

/// Up to where the client was told everything when its last stream ended.
fn had(headers: &HeaderMap) -> Option<Checkpoint> {
    let id = headers.get(LAST_EVENT_ID)?.to_str().ok()?;
    Checkpoint::of_id(id).ok()
}
