//! *What are we looking for*, as everybody is told: ready answers out of the cache.
//!
//! **Invariant:** nothing that only organisers may see is here. They are answered past it, so
//! that they see their own changes at once, at any server.

use std::sync::Arc;

use actix_web::{HttpResponse, http::header::HeaderMap};
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio_postgres::GenericClient;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Reference, activity,
    queries::{self, Campaign, Edition},
    state::State,
    view::{self, CampaignView},
};
use crate::{
    cache::{Cached, Key, Loaded},
    http::{Problem, etag, limits::PAGE_DEFAULT, page, ready::Ready},
    state::App,
};

/// A page of campaigns.
#[derive(Serialize, ToSchema)]
pub struct CampaignPage {
    /// Without `area` and `priorities`.
    campaigns: Vec<CampaignView>,
    /// Address of the next page, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A campaign, ready to be sent.
struct Page {
    answer: Ready,
    edition: Edition,
}

impl Cached for Page {
    fn pack(&self) -> Vec<u8> {
        let Edition {
            state,
            version,
            revision,
        } = self.edition;
        let edition = format!("{} {version} {revision}\n", state.as_str());
        [edition.into_bytes(), self.answer.pack()].concat()
    }

    fn unpack(bytes: &[u8]) -> Option<Self> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let mut edition = std::str::from_utf8(bytes.get(..end)?).ok()?.split(' ');
        Some(Self {
            edition: Edition {
                state: State::parse(edition.next()?)?,
                version: edition.next()?.parse().ok()?,
                revision: edition.next()?.parse().ok()?,
            },
            answer: Ready::unpack(bytes.get(end + 1..)?)?,
        })
    }

    /// People wait for the moment when it goes on.
    fn is_settled(&self) -> bool {
        self.edition.state == State::Open
    }
}

impl Cached for Ready {
    fn pack(&self) -> Vec<u8> {
        Self::pack(self)
    }

    fn unpack(bytes: &[u8]) -> Option<Self> {
        Self::unpack(bytes)
    }
}

/// The tag of a campaign: its version, and the revision of its layer, whose change shows in it too.
pub fn tag(version: i32, revision: i32) -> String {
    if revision > 1 {
        format!("{version}-{revision}")
    } else {
        version.to_string()
    }
}

/// The answer that shows a campaign, with or without its area; `None` unless everybody may see it.
pub async fn campaign(
    app: &App,
    reference: &Reference,
    area: bool,
    headers: &HeaderMap,
) -> Result<Option<HttpResponse>, Problem> {
    let key = Key::CampaignPage {
        reference: reference.to_string(),
        area,
    };
    let (app_too, reference) = (app.clone(), reference.clone());
    let load = move |known| load(app_too, reference, area, known);
    let page: Option<Arc<Page>> = app.cache.get_or_load(key, load).await?;
    Ok(page.map(|page| page.answer.respond(headers)))
}

async fn load(
    app: App,
    reference: Reference,
    area: bool,
    known: Option<Arc<Page>>,
) -> Result<Loaded<Page>, Problem> {
    let conn = app.db.get().await?;
    let edition = queries::edition(&*conn, &reference).await?;
    let Some(edition) = edition.filter(|edition| edition.state.is_public()) else {
        return Ok(Loaded::Absent);
    };
    if known.is_some_and(|known| known.edition == edition) {
        return Ok(Loaded::Unchanged);
    }
    let Some(campaign) = queries::find(&*conn, &reference).await? else {
        return Ok(Loaded::Absent);
    };
    let view = if area {
        view::of(&*conn, &campaign).await?
    } else {
        view::entry(&*conn, &campaign).await?
    };
    drop(conn);
    // What was changed meanwhile has another edition, so it is loaded again next time.
    let edition = Edition {
        state: campaign.state,
        version: campaign.version,
        revision: view.imagery.revision,
    };
    if !edition.state.is_public() {
        return Ok(Loaded::Absent);
    }
    let body = serde_json::to_vec(&view).map_err(|e| Problem::internal(&e))?;
    let tag = tag(edition.version, edition.revision);
    let answer = Ready::make(tag, body, None).await?;
    Ok(Loaded::Value(Page { answer, edition }))
}

/// The first page of the list as everybody sees it, of all campaigns or those in one state.
pub async fn front(app: &App, state: Option<State>) -> Result<Arc<Ready>, Problem> {
    let app_too = app.clone();
    let load = move |_known| load_front(app_too, state);
    let key = Key::Front(state.map(State::as_str));
    let front = app.cache.get_or_load(key, load).await?;
    front.ok_or_else(|| Problem::internal(&"the front page is always there"))
}

async fn load_front(app: App, state: Option<State>) -> Result<Loaded<Ready>, Problem> {
    let conn = app.db.get().await?;
    let wanted = Wanted {
        state,
        hidden_too: false,
        limit: PAGE_DEFAULT,
        after: None,
    };
    let query = state.map_or_else(String::new, |state| format!("state={}", state.as_str()));
    let page = list(&*conn, &wanted, ("/v1/campaigns", &query)).await?;
    drop(conn);
    let body = serde_json::to_vec(&page).map_err(|e| Problem::internal(&e))?;
    let tag = etag::of_hash(&Sha256::digest(&body));
    Ok(Loaded::Value(Ready::make(tag, body, page.next).await?))
}

/// What is wanted of the list.
pub struct Wanted {
    /// Only those in this state.
    pub state: Option<State>,
    /// Whether drafts and those in preparation are listed.
    pub hidden_too: bool,
    pub limit: u32,
    pub after: Option<(Timestamp, Uuid)>,
}

/// A page of campaigns, newest first; `address` is the path and query that asked for it.
pub async fn list(
    db: &impl GenericClient,
    wanted: &Wanted,
    (path, query): (&str, &str),
) -> Result<CampaignPage, Problem> {
    let states: Vec<&str> = State::ALL
        .into_iter()
        .filter(|state| state.is_public() || wanted.hidden_too)
        .filter(|state| wanted.state.is_none_or(|wanted| wanted == *state))
        .map(State::as_str)
        .collect();
    let limit = wanted.limit;
    let mut found = queries::list(db, &states, wanted.after, i64::from(limit) + 1).await?;
    let next = page::cut(&mut found, limit).map(|last: &Campaign| {
        let cursor = page::encode_cursor(&(last.created_at, last.id));
        page::next_url(path, query, &cursor)
    });
    let ids: Vec<Uuid> = found.iter().map(|campaign| campaign.id).collect();
    let activity = activity::read(db, &ids).await?;
    let mut campaigns = view::entries(db, &found).await?;
    for entry in &mut campaigns {
        entry.activity = activity.get(&entry.id).copied();
    }
    Ok(CampaignPage { campaigns, next })
}
