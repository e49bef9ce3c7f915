//! A run whose layer or campaign changed: it goes on when its tiles are the same, else it begins anew.

use crate::{
    campaigns,
    http::Problem,
    imagery,
    prefetch::{
        PrefetchState, planned,
        queries::{self, Running},
        zooms_of,
    },
    state::App,
};

/// Says whether the run goes on as it is.
pub async fn replan(app: &App, of: &Running) -> Result<bool, Problem> {
    let conn = app.db.get().await?;
    let Some(campaign) = campaigns::by_id(&*conn, of.campaign).await? else {
        return Ok(false);
    };
    let Some(layer) = imagery::by_id(&*conn, campaign.imagery_layer_id).await? else {
        return Ok(false);
    };
    let area = campaigns::stored_area(&*conn, campaign.id).await?;
    drop(conn);
    let zooms = of.zooms.within(zooms_of(&layer));
    let begin = match planned(&campaign, &layer, area, zooms).await {
        Ok(begin) => begin,
        Err(refusal) => {
            tracing::warn!(campaign.id = %of.campaign, cause = %refusal, "a prefetch was stopped");
            let conn = app.db.get().await?;
            queries::stop(&*conn, of.campaign).await?;
            return Ok(false);
        }
    };
    let mut conn = app.db.get().await?;
    let tx = conn.begin().await?;
    let goes_on = match queries::hold(&tx, of.campaign).await? {
        Some(known) if known.is_of(&begin) => {
            queries::replanned(&tx, of, &begin).await?;
            true
        }
        Some(known) if known.state == PrefetchState::Running => {
            queries::begin(&tx, of.campaign, &begin).await?;
            false
        }
        _ => false,
    };
    tx.commit().await?;
    Ok(goes_on)
}
