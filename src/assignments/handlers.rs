//! Where to look next, over HTTP.

use std::sync::Arc;

use actix_web::{HttpResponse, http::header, post, web::Data};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    COUNT_MAX, Deal, Dealer, Wish,
    history::{self, Renewal},
    queries,
};
use crate::{
    accounts::{MaybeVolunteer, SignedUp, TokenKeys, Volunteer},
    cache::{Key, Loaded},
    campaigns::{self, ImageryView, LEASE_SECONDS_MAX, LEASE_SECONDS_MIN, Running},
    geo::{CellId, LonLat, Tile},
    http::{
        Body, FieldErrors, PathParam, Problem, ProblemBody, Routes, extract::OptionalBody,
        text::Localised,
    },
    imagery,
    state::App,
};

/// Other campaigns that are named to somebody who has seen all of one.
const OTHERS_MAX: i64 = 5;

pub fn routes(config: &mut Routes<'_>) {
    config.service(deal).service(renew);
}

/// How many squares, near what, for how long.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(default = "one")]
    #[schema(minimum = 1, maximum = 50, default = 1, example = 3)]
    count: u16,
    /// Longitude, latitude: squares next to this place or close to it come first, within 12 squares.
    /// They are squares that would come soon anyway: of the heaviest priority that is open, and none
    /// that has more than one look or lease beyond the least looked at.
    #[serde(default)]
    #[schema(value_type = Option<Vec<f64>>, min_items = 2, max_items = 2, example = json!([-152.4, 57.6]))]
    near: Option<[f64; 2]>,
    /// How long the squares are to be reserved, instead of the campaign's `lease_seconds`: hours or
    /// days for who takes them to where there is no network. Until then they are kept for you, also
    /// when they are the last.
    #[serde(default)]
    #[schema(minimum = 5, maximum = 2_592_000, example = 86_400)]
    lease_seconds: Option<u32>,
}

fn one() -> u16 {
    1
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            count: one(),
            near: None,
            lease_seconds: None,
        }
    }
}

#[derive(Serialize, ToSchema)]
struct AssignmentView {
    /// The square as `z/x/y`.
    #[schema(example = "17/10000/39000")]
    cell: String,
    /// West, south, east, north.
    #[schema(value_type = Vec<f64>, min_items = 4, max_items = 4)]
    bbox: [f64; 4],
    /// Until then nobody else is given the square in your stead. A later look still counts.
    #[schema(value_type = String, format = DateTime)]
    lease_expires_at: Timestamp,
    /// Why this one: `new`, `priority`, `near`, `again` when it was given to you before, `tail` when
    /// others were given it some time ago and it is one of the last.
    #[schema(example = "new")]
    reason: &'static str,
    /// Version of the campaign that was in force.
    campaign_version: i32,
    /// The imagery of this square, where the organisers gave it another than the campaign's.
    #[serde(skip_serializing_if = "Option::is_none")]
    imagery: Option<ImageryView>,
}

#[derive(Serialize, ToSchema)]
struct DealView {
    assignments: Vec<AssignmentView>,
    /// True when there is nothing for this volunteer now.
    exhausted: bool,
    /// When others hold the last squares: seconds until the first may come back.
    retry_after_seconds: Option<i64>,
    /// When there is nothing: other searches that are open, five at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    other_campaigns: Option<Vec<OtherCampaign>>,
    /// Who you are from now on, when you asked without a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    volunteer: Option<SignedUp>,
}

#[derive(Clone, Deserialize, Serialize, ToSchema)]
struct OtherCampaign {
    #[schema(example = "flood-valley")]
    slug: String,
    /// Per language.
    #[schema(value_type = BTreeMap<String, String>, example = json!({"en": "Houses after the flood"}))]
    title: Localised,
}

/// Where should I look next
///
/// Gives squares that were not given to you before, as long as there are any. Without a token you
/// are signed up in the same call, as by `POST /v1/volunteers`; the answer then has `volunteer`.
#[utoipa::path(
    tag = "Volunteers",
    params(("campaign" = String, Path, description = "Slug or id.", example = "demo")),
    request_body(content = Option<Wanted>, description = "One square, when it is absent."),
    responses(
        (status = 200, description = "Squares, at most as many as wanted.", body = DealView),
        (status = 409, description = "No squares are given now. Codes: `campaign_paused` (with the organisers' `message`), `campaign_closed`, `campaign_not_started`.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "Too busy, or the database is away: try again after `Retry-After`. Codes: `squares_busy` (only few squares are left, and many ask for them), `database_busy`, `database_away`.", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("volunteer" = []), ())
)]
#[post("/v1/campaigns/{campaign}/assignments")]
async fn deal(
    app: Data<App>,
    keys: Data<TokenKeys>,
    dealer: Data<Dealer>,
    caller: MaybeVolunteer,
    reference: PathParam<String>,
    wanted: OptionalBody<Wanted>,
) -> Result<HttpResponse, Problem> {
    let near = check(&wanted.0)?;
    let campaign = campaigns::running(&app, &reference.0).await?;
    campaign.check_open(app.clock.now())?;
    let wish = Wish {
        count: wanted.0.count,
        near: near.map(|near| centre(near, &campaign)).transpose()?,
        lease_secs: wanted.0.lease_seconds,
    };
    let (volunteer_id, signed_up) = if let Some(volunteer) = caller.known {
        (volunteer.id, None)
    } else {
        let new = SignedUp::now(&keys, app.clock.now(), caller.let_in);
        (new.volunteer_id, Some(new))
    };
    let dealt = dealer.deal(&app, volunteer_id, &campaign, &wish).await?;
    let view = view(&app, dealt, &campaign, signed_up).await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(view))
}

fn check(wanted: &Wanted) -> Result<Option<LonLat>, Problem> {
    let mut errors = FieldErrors::default();
    errors.need((1..=COUNT_MAX).contains(&wanted.count), "/count", || {
        format!("found {}; 1 to {COUNT_MAX} are possible", wanted.count)
    });
    let near = wanted.near.map(|[lon, lat]| LonLat::new(lon, lat));
    if let Some(Err(e)) = near {
        errors.push("/near", e.to_string());
    }
    check_lease(wanted.lease_seconds, &mut errors);
    errors.into_result().map_err(refused)?;
    Ok(near.and_then(Result::ok))
}

fn check_lease(lease_secs: Option<u32>, errors: &mut FieldErrors) {
    let possible = LEASE_SECONDS_MIN..=LEASE_SECONDS_MAX;
    if let Some(found) = lease_secs.filter(|secs| !possible.contains(secs)) {
        errors.push(
            "/lease_seconds",
            format!("found {found}; {LEASE_SECONDS_MIN} to {LEASE_SECONDS_MAX} are possible"),
        );
    }
}

fn refused(errors: FieldErrors) -> Problem {
    Problem::unprocessable("invalid_body", "Ask for squares in another way.", errors)
}

fn centre(near: LonLat, campaign: &Running) -> Result<Tile, Problem> {
    Tile::containing(near.lon(), near.lat(), campaign.cell_zoom).map_err(|e| {
        let mut errors = FieldErrors::default();
        errors.push("/near", e.to_string());
        refused(errors)
    })
}

async fn view(
    app: &App,
    dealt: Deal,
    campaign: &Running,
    volunteer: Option<SignedUp>,
) -> Result<DealView, Problem> {
    let exhausted = dealt.assignments.is_empty();
    let mut assignments = Vec::with_capacity(dealt.assignments.len());
    for assignment in dealt.assignments {
        let imagery = match assignment.layer {
            Some(layer) => imagery_of(app, layer).await?,
            None => None,
        };
        assignments.push(AssignmentView {
            cell: assignment.cell.to_string(),
            bbox: assignment.cell.bbox().edges(),
            lease_expires_at: assignment.lease_expires_at,
            reason: assignment.reason.as_str(),
            campaign_version: campaign.version,
            imagery,
        });
    }
    Ok(DealView {
        assignments,
        exhausted,
        retry_after_seconds: dealt.retry_after_secs,
        other_campaigns: if exhausted {
            Some(others(app, campaign).await?)
        } else {
            None
        },
        volunteer,
    })
}

/// A layer that squares have instead of the campaign's.
async fn imagery_of(app: &App, layer: Uuid) -> Result<Option<ImageryView>, Problem> {
    let app_too = app.clone();
    let load = move |_known| async move {
        let found = imagery::by_id(&*app_too.db.get().await?, layer).await?;
        let view = found.map(campaigns::imagery_view);
        Ok::<_, Problem>(view.map_or(Loaded::Absent, Loaded::Value))
    };
    let view = app.cache.get_or_load(Key::Layer(layer), load).await?;
    Ok(view.map(|view: Arc<ImageryView>| (*view).clone()))
}

async fn others(app: &App, campaign: &Running) -> Result<Vec<OtherCampaign>, Problem> {
    let app_too = app.clone();
    let load = move |_known| async move {
        // One more, since the campaign itself is among them.
        let open = queries::open_campaigns(&*app_too.db.get().await?, OTHERS_MAX + 1).await?;
        let open = open.into_iter().map(|(slug, title)| {
            let title = serde_json::from_value(title).map_err(|e| Problem::internal(&e))?;
            Ok(OtherCampaign { slug, title })
        });
        let open = open.collect::<Result<Vec<_>, Problem>>()?;
        Ok::<_, Problem>(Loaded::Value(open))
    };
    let open = app.cache.get_or_load(Key::OpenCampaigns, load).await?;
    let others = open
        .iter()
        .flat_map(|open| open.iter())
        .filter(|other| other.slug != campaign.slug);
    let most = usize::try_from(OTHERS_MAX).unwrap_or_default();
    Ok(others.take(most).cloned().collect())
}

/// Which leases are to be renewed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RenewalWanted {
    /// Squares as `z/x/y`.
    #[schema(min_items = 1, max_items = 50, example = json!(["17/10000/39000"]))]
    cells: Vec<String>,
    /// How long they are to be reserved from now on, instead of the campaign's `lease_seconds`.
    #[serde(default)]
    #[schema(minimum = 5, maximum = 2_592_000, example = 86_400)]
    lease_seconds: Option<u32>,
}

#[derive(Serialize, ToSchema)]
struct RenewalsView {
    results: Vec<RenewalView>,
}

#[derive(Serialize, ToSchema)]
struct RenewalView {
    #[schema(example = "17/10000/39000")]
    cell: String,
    /// `renewed`; `answered` when you have looked at it already; `not_given` when it was not given to
    /// you.
    #[schema(example = "renewed")]
    verdict: &'static str,
    /// The end of the lease, when it was renewed. It never becomes shorter.
    #[schema(value_type = Option<String>, format = DateTime)]
    lease_expires_at: Option<Timestamp>,
}

/// Keep squares for longer
///
/// Renews the leases of squares that were given to you, from now on; also of those whose lease has
/// ended, which others may have been given meanwhile. A look counts with and without a lease.
#[utoipa::path(
    tag = "Volunteers",
    params(("campaign" = String, Path, description = "Slug or id.", example = "demo")),
    request_body = RenewalWanted,
    responses(
        (status = 200, description = "What became of each, in order.", body = RenewalsView),
        (status = 409, description = "No squares are given now. Codes: `campaign_paused`, `campaign_closed`, `campaign_not_started`.", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("volunteer" = []))
)]
#[post("/v1/campaigns/{campaign}/assignments/renew")]
async fn renew(
    app: Data<App>,
    volunteer: Volunteer,
    reference: PathParam<String>,
    wanted: Body<RenewalWanted>,
) -> Result<HttpResponse, Problem> {
    let campaign = campaigns::running(&app, &reference.0).await?;
    campaign.check_open(app.clock.now())?;
    let cells = check_renewal(&wanted.0, &campaign)?;
    let lease = wanted.0.lease_seconds.unwrap_or(campaign.lease_seconds);
    let until = app
        .clock
        .now()
        .checked_add(SignedDuration::from_secs(i64::from(lease)))
        .map_err(|e| Problem::internal(&e))?;
    let renewed = history::renew(&app.db, volunteer.id, campaign.id, &cells, until).await?;
    let results = cells.iter().map(|cell| {
        let renewal = renewed.get(cell).copied().unwrap_or(Renewal::NotGiven);
        RenewalView {
            cell: cell.tile().to_string(),
            verdict: renewal.as_str(),
            lease_expires_at: match renewal {
                Renewal::Renewed(end) => Some(end),
                Renewal::Answered | Renewal::NotGiven => None,
            },
        }
    });
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(RenewalsView {
            results: results.collect(),
        }))
}

fn check_renewal(wanted: &RenewalWanted, campaign: &Running) -> Result<Vec<CellId>, Problem> {
    let mut errors = FieldErrors::default();
    let count = wanted.cells.len();
    errors.need(
        (1..=usize::from(COUNT_MAX)).contains(&count),
        "/cells",
        || format!("found {count}; 1 to {COUNT_MAX} are possible"),
    );
    check_lease(wanted.lease_seconds, &mut errors);
    let mut cells = Vec::with_capacity(count.min(usize::from(COUNT_MAX)));
    for (at, text) in wanted.cells.iter().take(usize::from(COUNT_MAX)).enumerate() {
        match text.parse::<Tile>() {
            Ok(tile) if tile.z() == campaign.cell_zoom => cells.push(CellId::from(tile)),
            _ => errors.push(
                format!("/cells/{at}"),
                format!(
                    "it is no square of this search; write {}/x/y",
                    campaign.cell_zoom
                ),
            ),
        }
    }
    errors.into_result().map_err(refused)?;
    Ok(cells)
}

impl Renewal {
    fn as_str(self) -> &'static str {
        match self {
            Self::Renewed(_) => "renewed",
            Self::Answered => "answered",
            Self::NotGiven => "not_given",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_lasts_from_five_seconds_to_thirty_days() {
        for (secs, is_possible) in [(4, false), (5, true), (2_592_000, true), (2_592_001, false)] {
            let mut errors = FieldErrors::default();
            check_lease(Some(secs), &mut errors);
            assert_eq!(errors.is_empty(), is_possible, "{secs}");
        }
    }
}
