//! Who calls, as extractors: authorisation stands in a handler's signature.

use std::{future::Future, pin::Pin};

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload, http::header, web::Data};
use futures_util::future::Either;
use uuid::Uuid;

use super::{
    api_key::{self, Scope},
    credentials::{self, KEY_START},
    departed::Departed,
    line::LetIn,
    queries,
    token::TokenKeys,
};
use crate::{http::Problem, state::App};

/// A volunteer with a valid token. A layer that verified the token leaves this among the request's
/// extensions, so that it is done once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Volunteer {
    /// Whose token it is, or as whom they go on when devices were linked.
    pub id: Uuid,
    /// Not 0 when the device was somebody else before it was linked; another one each time. What it
    /// was told before under another mark is not this volunteer's.
    pub mark: u16,
}

/// A volunteer with a valid token, or somebody who sent none and may sign up.
#[derive(Clone, Copy, Debug)]
pub struct MaybeVolunteer {
    pub known: Option<Volunteer>,
    /// Whoever signs up is one of these.
    pub let_in: LetIn,
}

/// An organiser with a valid key.
#[derive(Clone, Debug)]
pub struct Organiser {
    pub id: Uuid,
    pub name: String,
    scopes: Vec<String>,
}

impl Organiser {
    /// Demands a scope; an admin's key has them all.
    pub fn require(&self, scope: Scope) -> Result<(), Problem> {
        if self.allows(scope) {
            return Ok(());
        }
        Err(Problem::forbidden(
            "scope_missing",
            format!(
                "This key has not the scope {:?}. Make one with `spotter organiser create --scope {}`.",
                scope.as_str(),
                scope.as_str()
            ),
        ))
    }

    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    pub fn allows(&self, scope: Scope) -> bool {
        self.scopes
            .iter()
            .any(|has| has == scope.as_str() || has == Scope::Admin.as_str())
    }
}

/// Among a request's extensions: its API key was found to be one.
#[derive(Clone, Copy, Debug)]
pub struct KeyFound;

/// Whoever looks on: public calls show more to an organiser.
#[derive(Clone, Debug)]
pub enum Viewer {
    Public,
    Volunteer(Volunteer),
    Organiser(Organiser),
}

impl Viewer {
    /// Whether drafts and what volunteers tagged may be shown.
    pub fn may_read(&self) -> bool {
        matches!(self, Self::Organiser(organiser) if organiser.allows(Scope::Read) || organiser.allows(Scope::Campaigns))
    }
}

type Extracting<T> = Pin<Box<dyn Future<Output = Result<T, Problem>>>>;

impl FromRequest for Volunteer {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(volunteer(req))
    }
}

impl FromRequest for MaybeVolunteer {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let known = if req.headers().contains_key(header::AUTHORIZATION) {
            volunteer(req).map(Some)
        } else {
            Ok(None)
        };
        std::future::ready(known.map(|known| Self {
            known,
            let_in: LetIn::noted(req),
        }))
    }
}

impl FromRequest for Organiser {
    type Error = Problem;
    type Future = Extracting<Self>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let req = req.clone();
        Box::pin(async move {
            let secret = credentials::read(req.headers())?.ok_or_else(missing)?;
            organiser(&req, &secret).await
        })
    }
}

impl FromRequest for Viewer {
    type Error = Problem;
    /// Only an organiser's key is looked up.
    type Future = Either<std::future::Ready<Result<Self, Problem>>, Extracting<Self>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let known = match credentials::read(req.headers()) {
            Ok(Some(secret)) if secret.starts_with(KEY_START) => {
                let (req, secret) = (req.clone(), secret.into_owned());
                return Either::Right(Box::pin(async move {
                    organiser(&req, &secret).await.map(Self::Organiser)
                }));
            }
            Ok(None) => Ok(Self::Public),
            Ok(Some(_)) => volunteer(req).map(Self::Volunteer),
            Err(refused) => Err(refused),
        };
        Either::Left(std::future::ready(known))
    }
}

fn volunteer(req: &HttpRequest) -> Result<Volunteer, Problem> {
    if let Some(volunteer) = req.extensions().get::<Volunteer>() {
        return Ok(*volunteer);
    }
    let token = credentials::read(req.headers())?.ok_or_else(missing)?;
    if token.starts_with(KEY_START) {
        return Err(Problem::forbidden(
            "volunteer_needed",
            "This call is a volunteer's: send a token from POST /v1/volunteers, not an API key.",
        ));
    }
    let keys = req
        .app_data::<Data<TokenKeys>>()
        .ok_or_else(|| Problem::internal(&"TokenKeys are not registered"))?;
    let departed = req
        .app_data::<Data<Departed>>()
        .ok_or_else(|| Problem::internal(&"Departed are not registered"))?;
    let token = keys.verify(&token).ok_or_else(|| {
        Problem::unauthorized(
            "token_refused",
            "This token was not signed here or is damaged. Get a new one from POST /v1/volunteers; what you keep can be sent under it.",
        )
    })?;
    departed.holder(token).ok_or_else(forgotten)
}

/// Whoever asked to be forgotten is not known any more.
pub fn forgotten() -> Problem {
    Problem::forbidden(
        "volunteer_forgotten",
        "This volunteer was forgotten, as was asked, and all that they sent is deleted. To begin anew, throw the token and the device's secret away and sign up by POST /v1/volunteers.",
    )
}

async fn organiser(req: &HttpRequest, secret: &str) -> Result<Organiser, Problem> {
    let refused =
        || Problem::unauthorized("key_refused", "This key is not known, or it was revoked.");
    if !secret.starts_with(KEY_START) {
        // Only a real volunteer is told so; whatever else was typed is an unknown key.
        return Err(match volunteer(req) {
            Ok(_) => Problem::forbidden(
                "organiser_needed",
                "This call is an organiser's: send an API key, not a volunteer's token.",
            ),
            Err(_) => refused(),
        });
    }
    let app = req
        .app_data::<Data<App>>()
        .ok_or_else(|| Problem::internal(&"App is not registered"))?;
    let prefix = api_key::prefix_of(secret)
        .filter(|prefix| !prefix.contains('\0'))
        .ok_or_else(refused)?;
    let conn = app.db.get().await?;
    let known = queries::find_key(&*conn, prefix)
        .await?
        .ok_or_else(refused)?;
    let given = api_key::hash(secret);
    if !bool::from(subtle::ConstantTimeEq::ct_eq(
        known.secret_hash.as_slice(),
        given.as_slice(),
    )) {
        return Err(refused());
    }
    queries::touch_key(&*conn, known.id).await?;
    req.extensions_mut().insert(KeyFound);
    Ok(Organiser {
        id: known.organiser_id,
        name: known.name,
        scopes: known.scopes,
    })
}

fn missing() -> Problem {
    Problem::unauthorized(
        "credentials_missing",
        "Send Authorization: Bearer with a volunteer's token (from POST /v1/volunteers) or an organiser's API key, as this call needs.",
    )
}
