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
    accounts::{Departed, Token, TokenKeys, Volunteer, forgotten},
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
    let signed = keys.sign_ticket(&purpose(volunteer.id, volunteer.mark), expires_at);
    let ticket = Ticket {
        ticket: format!("{}.{}.{signed}", volunteer.id.simple(), volunteer.mark),
        expires_at,
    };
    Ok(HttpResponse::Created()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(ticket))
}

fn purpose(volunteer_id: Uuid, mark: u16) -> String {
    format!("sync {volunteer_id} {mark}")
}

/// Whoever opens a stream: by a token as everywhere, or by a ticket.
#[derive(Clone, Copy, Debug)]
pub struct Listener(pub Volunteer);

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
                volunteer.map(Self)
            }
        };
        std::future::ready(listener)
    }
}

fn by_ticket(req: &HttpRequest, ticket: &str) -> Result<Listener, Problem> {
    let (keys, departed, app) = (
        req.app_data::<Data<TokenKeys>>(),
        req.app_data::<Data<Departed>>(),
        req.app_data::<Data<App>>(),
    );
    let (Some(keys), Some(departed), Some(app)) = (keys, departed, app) else {
        return Err(Problem::internal(
            &"TokenKeys, Departed or App are not registered",
        ));
    };
    let known = read(ticket).and_then(|(token, signed)| {
        let purpose = purpose(token.volunteer, token.mark);
        keys.verify_ticket(&purpose, signed, app.clock.now())
            .then_some(token)
    });
    let token = known.ok_or_else(|| {
        Problem::unauthorized(
            "ticket_refused",
            "This ticket has ended, or it was not signed here. Get a new one from POST /v1/sync/tickets.",
        )
    })?;
    departed.holder(token).map(Listener).ok_or_else(forgotten)
}

/// Whose a ticket is, and what was signed of it.
fn read(ticket: &str) -> Option<(Token, &str)> {
    let (volunteer, rest) = ticket.split_once('.')?;
    let (mark, signed) = rest.split_once('.')?;
    let token = Token {
        volunteer: Uuid::try_parse(volunteer).ok()?,
        mark: mark.parse().ok()?,
    };
    Some((token, signed))
}
