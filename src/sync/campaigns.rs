//! Campaigns as documents, for everybody alike: what to look for and what to tell of it.

use serde::Serialize;
use tokio_postgres::{GenericClient, types::Type};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Document, Page, Position, collection::rows, epoch::Standing};
use crate::{
    campaigns::{self, CampaignView, ImageryView, State, TagType},
    http::{Problem, text::Localised},
};

/// A campaign that was opened, also when it is closed by now.
#[derive(Serialize, ToSchema)]
pub struct CampaignDocument {
    id: Uuid,
    slug: String,
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    title: Localised,
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    summary: Localised,
    /// Markdown per language.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    instructions: Localised,
    state: State,
    /// What the organisers say while it is paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    version: i32,
    cell_zoom: u8,
    looks_wanted: u16,
    tag_types: Vec<TagType>,
    imagery: ImageryView,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    ends_at: Option<String>,
}

impl From<CampaignView> for CampaignDocument {
    fn from(view: CampaignView) -> Self {
        Self {
            id: view.id,
            slug: view.slug,
            title: view.title,
            summary: view.summary,
            instructions: view.instructions,
            state: view.state,
            message: view.message,
            version: view.version,
            cell_zoom: view.cell_zoom,
            looks_wanted: view.looks_wanted,
            tag_types: view.tag_types,
            imagery: view.imagery,
            ends_at: view.ends_at.map(super::document::iso),
        }
    }
}

/// States in which volunteers see a campaign.
pub fn public_states() -> Vec<&'static str> {
    let states = State::ALL.into_iter();
    states
        .filter(|state| state.is_public())
        .map(State::as_str)
        .collect()
}

/// Campaigns that changed after a place. They are few, and one that was opened never goes away.
pub async fn after(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    after: &Position,
    limit: usize,
) -> Result<Page, Problem> {
    let sql = "-- sync::campaigns_after
        SELECT s.epoch, s.horizon, s.floor, d.xid::text::int8 AS xid, d.id
        FROM sync_standing($1, 'campaigns') AS s
        LEFT JOIN (
            SELECT o.xid, o.id
            FROM (SELECT greatest(c.xid, l.xid) AS xid, c.id
                  FROM campaigns AS c JOIN imagery_layers AS l ON l.id = c.imagery_layer_id
                  WHERE c.state = ANY ($5)) AS o
            WHERE (o.xid, o.id) > ($2::text::xid8, $3)
              AND o.xid < (SELECT pg_snapshot_xmin(pg_current_snapshot()))
            ORDER BY o.xid, o.id
            LIMIT $4
        ) AS d ON true
        ORDER BY d.xid, d.id";
    let states = public_states();
    let found = db
        .query_typed(
            sql,
            &[
                (&volunteer_id, Type::UUID),
                (&after.xid.to_string(), Type::TEXT),
                (&after.id, Type::UUID),
                (&rows(limit), Type::INT8),
                (&states, Type::TEXT_ARRAY),
            ],
        )
        .await?;
    let standing = found.first().map(Standing::of);
    let places: Vec<Position> = found
        .iter()
        .filter_map(|row| {
            let id = row.get::<_, Option<Uuid>>("id")?;
            let xid = row.get("xid");
            Some(Position { xid, id })
        })
        .collect();
    let mut documents = Vec::with_capacity(places.len());
    let ids: Vec<Uuid> = places.iter().map(|at| at.id).collect();
    let mut views = campaigns::views(db, &ids).await?;
    for at in places {
        if let Some(view) = views.remove(&at.id) {
            let shape = CampaignDocument::from(view);
            documents.push(Document::new(at, false, &shape)?);
        }
    }
    Ok(Page {
        standing: standing.ok_or_else(|| Problem::internal(&"no standing"))?,
        documents,
        is_cut: false,
    })
}
