//! Campaigns: what to look for, where, and on which imagery.
//!
//! **Invariant:** every change makes a new version, and what volunteers were told at each
//! version is kept.
//!
//! **Invariant:** from publishing on, slug and cell zoom stay, no cell is lost and no tag type goes
//! away: looks and tags that were made keep their meaning.
//!
//! **Invariant:** a change of area or priorities is noted for the worker in the transaction that
//! makes it, so that it is carried out whatever happens.

mod activity;
pub mod area;
mod changes;
mod check;
mod define;
mod handlers;
mod model;
mod parts;
mod preview;
mod public;
mod queries;
mod running;
mod state;
mod survey;
mod touch;
mod view;

use std::fmt;

use tokio_postgres::GenericClient;
use uuid::Uuid;

pub use activity::{Activity, read as activity};
pub use changes::change;
pub use define::{clone, create, delete, record_version, steer};
pub use handlers::{public_routes, routes};
pub use model::{CampaignDefinition, LEASE_SECONDS_MAX, LEASE_SECONDS_MIN, TagType};
pub use queries::{
    Campaign, Change, before, close_ended, finish_change, newest_change, next_to_prepare,
    open_prepared, record_piece,
};
pub use running::{Running, load as load_running, running};
pub use state::{Action, State};
pub use survey::decode_area;
pub use touch::{hold, touch};
pub use view::{CampaignView, ImageryView, imagery_view, views};

use crate::{
    accounts::Viewer,
    cache::Key,
    db::DbError,
    geo::MultiPolygon,
    http::{Problem, limits},
    state::App,
};

/// Forgets what is remembered of a campaign, after a change was committed.
pub async fn forget(app: &App, slug: &str, id: Uuid) {
    app.cache.forget(&Key::of_campaign(slug, id)).await;
}

/// How a path names a campaign: by slug or id.
#[derive(Clone, Debug)]
pub enum Reference {
    Id(Uuid),
    Slug(String),
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Slug(slug) => slug.fmt(f),
        }
    }
}

impl Reference {
    /// `None` if the text can name nothing.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() == 36
            && let Ok(id) = Uuid::parse_str(text)
        {
            return Some(Self::Id(id));
        }
        limits::is_key(text).then(|| Self::Slug(text.to_owned()))
    }

    /// The one of the two that it is.
    fn parts(&self) -> (Option<Uuid>, Option<&str>) {
        match self {
            Self::Id(id) => (Some(*id), None),
            Self::Slug(slug) => (None, Some(slug)),
        }
    }
}

/// The campaign, if whoever asks may see it: drafts are for organisers.
pub async fn find(
    db: &impl GenericClient,
    reference: &str,
    viewer: &Viewer,
) -> Result<Campaign, Problem> {
    find_any(db, reference)
        .await?
        .filter(|campaign| campaign.state.is_public() || viewer.may_read())
        .ok_or_else(|| not_found(reference))
}

/// The campaign of that name, whoever asks.
pub async fn find_any(
    db: &impl GenericClient,
    reference: &str,
) -> Result<Option<Campaign>, DbError> {
    match Reference::parse(reference) {
        Some(reference) => queries::find(db, &reference).await,
        None => Ok(None),
    }
}

/// The campaign with this id.
pub async fn by_id(db: &impl GenericClient, id: Uuid) -> Result<Option<Campaign>, DbError> {
    queries::find(db, &Reference::Id(id)).await
}

/// What volunteers are told of a campaign, without its area and priorities.
pub async fn told(db: &impl GenericClient, id: Uuid) -> Result<CampaignView, Problem> {
    let campaign = by_id(db, id)
        .await?
        .ok_or_else(|| not_found(&id.to_string()))?;
    view::entry(db, &campaign).await
}

/// The area of a stored campaign.
pub async fn stored_area(db: &impl GenericClient, id: Uuid) -> Result<MultiPolygon, Problem> {
    let stored = queries::area(db, id).await?;
    decode_area(&stored.ewkb)
}

/// Campaigns that ever were published, for those who recount.
pub async fn published(db: &impl GenericClient) -> Result<Vec<Campaign>, DbError> {
    queries::published(db).await
}

pub fn not_found(reference: &str) -> Problem {
    Problem::not_found(
        "campaign_not_found",
        format!("There is no campaign {reference:?} that you may see."),
    )
}
