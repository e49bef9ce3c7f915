//! Tickets for streams: a browser's `EventSource` can send no header.

use std::time::Duration;

use actix_web::{
    FromRequest, HttpRequest, HttpResponse, dev::Payload, http::header, post, web::Data,
};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    accounts::{TokenKeys, Volunteer},
    http::{Problem, Routes},
    state::App,
};

/// For how long a ticket opens a stream.
const TICKET_FOR: Duration = Duration::from_mins(10);

pub fn routes(config: &mut Routes<'_>) {
    config.service(make);
}

/// A ticket, good for any number of streams until it ends. A stream that is open stays open.
#[derive(Serialize, ToSchema)]
struct Ticket {
    /// Send it as the query's `ticket`.
    ticket: String,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// Get a ticket for streams
///
/// For clients that cannot send the token with a stream, as a browser's `EventSource`. It lasts ten minutes.
#[utoipa::path(
    tag = "Sync",
    responses((status = 201, description = "A ticket.", body = Ticket)),
    security(("volunteer" = []))
)]
#[post("/v1/sync/tickets")]
async fn make(
    app: Data<App>,
    keys: Data<TokenKeys>,
    volunteer: Volunteer,
) -> Result<HttpResponse, Problem> {
    let expires_at = app
        .clock
        .now()
        .checked_add(TICKET_FOR)
        .map_err(|e| Problem::internal(&e))?;
    let signed = keys.sign_ticket(&purpose(volunteer.id), expires_at);
    let ticket = Ticket {
        ticket: format!("{}.{signed}", volunteer.id.simple()),
        expires_at,
    };
    Ok(HttpResponse::Created()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(ticket))
}

fn purpose(volunteer_id: Uuid) -> String {
    format!("sync {volunteer_id}")
}

/// Whoever opens a stream: by a token as everywhere, or by a ticket.
#[derive(Clone, Copy, Debug)]
pub struct Listener {
    pub volunteer_id: Uuid,
}

impl FromRequest for Listener {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let query = url::form_urlencoded::parse(req.query_string().as_bytes());
        let ticket = query
            .into_iter()
            .find_map(|(name, value)| (name == "ticket").then_some(value));
        let listener = match ticket {
            Some(ticket) if !req.headers().contains_key(header::AUTHORIZATION) => {
                by_ticket(req, &ticket)
            }
            _ => {
                let volunteer = Volunteer::from_request(req, payload).into_inner();
                volunteer.map(|volunteer| Self {
                    volunteer_id: volunteer.id,
                })
            }
        };
        std::future::ready(listener)
    }
}

fn by_ticket(req: &HttpRequest, ticket: &str) -> Result<Listener, Problem> {
    let (keys, app) = (
        req.app_data::<Data<TokenKeys>>(),
        req.app_data::<Data<App>>(),
    );
    let (Some(keys), Some(app)) = (keys, app) else {
        return Err(Problem::internal(&"TokenKeys or App are not registered"));
    };
    let known = ticket.split_once('.').and_then(|(volunteer, signed)| {
        let volunteer_id = Uuid::try_parse(volunteer).ok()?;
        let now = app.clock.now();
        keys.verify_ticket(&purpose(volunteer_id), signed, now)
            .then_some(Listener { volunteer_id })
    });
    known.ok_or_else(|| {
        Problem::unauthorized(
            "ticket_refused",
            "This ticket has ended, or it was not signed here. Get a new one from POST /v1/sync/tickets.",
        )
    })
}
