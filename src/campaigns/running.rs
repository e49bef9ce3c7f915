//! What the calls of volunteers need of a campaign: small, and cached.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Reference, not_found, queries, state::State};
use crate::{
    cache::{Cached, Key, Loaded},
    geo::GeometryKind,
    http::Problem,
    state::App,
};

/// Seconds after which the page of a paused campaign asks again.
const PAUSED_RETRY_SECS: u32 = 60;

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Running {
    pub id: Uuid,
    pub slug: String,
    pub state: State,
    pub version: i32,
    /// Grows whenever cells or their weights changed, which may be some time after the version
    /// that asked for it.
    pub deck: i32,
    pub message: Option<String>,
    pub cell_zoom: u8,
    pub looks_wanted: u16,
    pub lease_seconds: u32,
    pub starts_at: Option<Timestamp>,
    pub ends_at: Option<Timestamp>,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    pub grace_days: u16,
    /// Weights of the priority areas, and those that cells may still have from before a change.
    pub weights: Vec<f32>,
    /// Geometry of each tag type by key.
    pub tag_types: BTreeMap<String, GeometryKind>,
}

impl Running {
    /// Grows with every change that touches dealing.
    pub fn edition(&self) -> (i32, i32) {
        (self.version, self.deck)
    }

    /// Whether squares may be given now.
    pub fn check_open(&self, now: Timestamp) -> Result<(), Problem> {
        if self.starts_at.is_some_and(|starts| now < starts) {
            return Err(Problem::conflict(
                "campaign_not_started",
                "This search has not begun yet.",
            )
            .retry_after(PAUSED_RETRY_SECS));
        }
        let ended = self.ends_at.is_some_and(|ends| ends <= now);
        match self.state {
            State::Closed => Err(closed()),
            _ if ended => Err(closed()),
            State::Paused => Err(Problem::conflict(
                "campaign_paused",
                "The organisers have paused this search. Everything that was sent is saved.",
            )
            .with_message(self.message.clone())
            .retry_after(PAUSED_RETRY_SECS)),
            State::Open | State::Preparing | State::Draft => Ok(()),
        }
    }

    pub fn is_closed(&self, now: Timestamp) -> bool {
        self.state == State::Closed || self.ends_at.is_some_and(|ends| ends <= now)
    }

    /// Until when looks are taken after the close, at squares that were given before it.
    pub fn grace_ends(&self) -> Option<Timestamp> {
        let closed = self.closed_at.into_iter().chain(self.ends_at).min()?;
        let grace = SignedDuration::from_hours(24 * i64::from(self.grace_days));
        closed.checked_add(grace).ok()
    }
}

fn closed() -> Problem {
    Problem::conflict(
        "campaign_closed",
        "This search is closed. Thank you for every look.",
    )
}

/// The campaign for a volunteer's call; 404 unless it is published and prepared.
///
/// It may be as old as the cache allows.
pub async fn running(app: &App, reference: &str) -> Result<Arc<Running>, Problem> {
    let parsed = Reference::parse(reference).ok_or_else(|| not_found(reference))?;
    let key = Key::Campaign(parsed.to_string());
    let app_too = app.clone();
    let load = |_known| async move {
        let found = read(&app_too, &parsed).await?;
        Ok(found.map_or(Loaded::Absent, Loaded::Value))
    };
    let found = app.cache.get_or_load::<_, Problem, _, _>(key, load).await?;
    found.ok_or_else(|| not_found(reference))
}

impl Cached for Running {
    fn pack(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    fn unpack(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// People wait for the moment when it goes on.
    fn is_settled(&self) -> bool {
        self.state == State::Open
    }
}

/// The campaign as the database has it now, past every cache.
pub async fn load(app: &App, reference: &str) -> Result<Running, Problem> {
    let parsed = Reference::parse(reference).ok_or_else(|| not_found(reference))?;
    let found = read(app, &parsed).await?;
    found.ok_or_else(|| not_found(reference))
}

async fn read(app: &App, reference: &Reference) -> Result<Option<Running>, Problem> {
    let conn = app.db.get().await?;
    let found = queries::find(&*conn, reference).await?;
    let Some(campaign) = found.filter(|campaign| campaign.state.is_public()) else {
        return Ok(None);
    };
    let tag_types = queries::tag_types(&*conn, campaign.id).await?;
    let mut weights = weights(&campaign.priorities)?;
    if campaign.changing {
        weights.extend(queries::weights_before(&*conn, campaign.id).await?);
    }
    Ok(Some(Running {
        id: campaign.id,
        slug: campaign.slug,
        state: campaign.state,
        version: campaign.version,
        deck: campaign.deck,
        message: campaign.message,
        cell_zoom: campaign.cell_zoom,
        looks_wanted: campaign.looks_wanted,
        lease_seconds: campaign.lease_seconds,
        starts_at: campaign.starts_at,
        ends_at: campaign.ends_at,
        closed_at: campaign.closed_at,
        grace_days: campaign.grace_days,
        weights,
        tag_types: tag_types
            .into_iter()
            .map(|tag_type| (tag_type.key, tag_type.geometry))
            .collect(),
    }))
}

fn weights(priorities: &serde_json::Value) -> Result<Vec<f32>, Problem> {
    #[derive(Deserialize)]
    struct Weighted {
        weight: f32,
    }
    let priorities = Vec::<Weighted>::deserialize(priorities).map_err(|e| Problem::internal(&e))?;
    Ok(priorities.into_iter().map(|one| one.weight).collect())
}
