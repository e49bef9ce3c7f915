//! One square: from opening the page to the look.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use serde::Deserialize;
use uuid::Uuid;

use super::{Asker, Crowd, Kind};
use crate::{
    campaign::{Cell, Volunteer},
    http::request,
    measure::Random,
};

/// Tags of a look that has any, at most.
const TAGS_MAX: usize = 3;

#[derive(Deserialize)]
struct Deal {
    assignments: Vec<Assignment>,
    volunteer: Option<SignedUp>,
}

#[derive(Deserialize)]
struct Assignment {
    cell: String,
}

#[derive(Deserialize)]
struct SignedUp {
    volunteer_id: Uuid,
    token: String,
}

impl Crowd {
    /// Somebody wants a square at `due`: one who was here before, or a newcomer.
    pub(super) async fn view(
        self: Arc<Self>,
        asker: Arc<Asker>,
        due: Instant,
        mut chance: Random,
    ) -> anyhow::Result<()> {
        let habits = &self.habits;
        let begins = chance.chance(1.0 / habits.views);
        let returns = chance.chance(habits.returns);
        let known = if begins && !returns {
            None
        } else {
            self.take_idle()
        };
        let mut due = due;
        if begins || known.is_none() {
            let keeps_assets = known.is_some();
            self.load_page(&asker, due, keeps_assets, &mut chance)
                .await?;
            due = Instant::now();
        }
        let Some((volunteer, cell)) = self.deal(&asker, due, known, &mut chance).await? else {
            return Ok(());
        };
        self.see_tiles(&asker, &mut chance).await?;
        if chance.chance(habits.abandoned) {
            asker.abandoned();
        } else {
            let think = Duration::from_secs_f64(chance.exponential(habits.think_secs));
            let done = Instant::now() + think;
            tokio::time::sleep_until(done.into()).await;
            self.look(&asker, done, &volunteer, cell, &mut chance)
                .await?;
        }
        self.rest(volunteer);
        Ok(())
    }

    async fn load_page(
        &self,
        asker: &Asker,
        due: Instant,
        keeps_assets: bool,
        chance: &mut Random,
    ) -> anyhow::Result<()> {
        let ask = asker.ask(Kind::Page, &self.page.document, due, chance, |_| ());
        ask.await?;
        let ask = asker.ask(
            Kind::Campaign,
            &self.page.campaign,
            Instant::now(),
            chance,
            |_| (),
        );
        ask.await?;
        if keeps_assets {
            return Ok(());
        }
        for asset in &self.page.assets {
            let ask = asker.ask(Kind::Asset, asset, Instant::now(), chance, |_| ());
            ask.await?;
        }
        Ok(())
    }

    /// The square of a volunteer, who has a token from then on.
    async fn deal(
        &self,
        asker: &Asker,
        due: Instant,
        known: Option<Volunteer>,
        chance: &mut Random,
    ) -> anyhow::Result<Option<(Volunteer, Cell)>> {
        let path = format!("/v1/campaigns/{}/assignments", self.slug);
        let token = known.as_ref().map(|volunteer| &*volunteer.token);
        let wish = request("POST", &path, token, r#"{"count":1}"#);
        let ask = asker.ask(Kind::Assignment, &wish, due, chance, |answer| {
            serde_json::from_slice::<Deal>(answer.body)
        });
        let Some(deal) = ask.await? else {
            // They gave up; who had a token may come again.
            if let Some(volunteer) = known {
                self.rest(volunteer);
            }
            return Ok(None);
        };
        let deal = deal.context("an answer to assignments")?;
        let signed_up = deal.volunteer.map(|new| Volunteer {
            id: new.volunteer_id,
            token: new.token.into(),
        });
        let volunteer = known
            .or(signed_up)
            .context("nobody was signed up by an assignment without a token")?;
        if let Some(assignment) = deal.assignments.first() {
            return Ok(Some((volunteer, assignment.cell.parse()?)));
        }
        asker.exhausted();
        self.rest(volunteer);
        Ok(None)
    }

    async fn see_tiles(&self, asker: &Asker, chance: &mut Random) -> anyhow::Result<()> {
        let mut wanted = self.habits.tiles;
        while wanted > 0.0 && !self.tiles.is_empty() {
            if wanted >= 1.0 || chance.chance(wanted) {
                let tile = &self.tiles[chance.below(self.tiles.len())];
                asker
                    .ask(Kind::Tile, tile, Instant::now(), chance, |_| ())
                    .await?;
            }
            wanted -= 1.0;
        }
        Ok(())
    }

    async fn look(
        &self,
        asker: &Asker,
        due: Instant,
        volunteer: &Volunteer,
        cell: Cell,
        chance: &mut Random,
    ) -> anyhow::Result<()> {
        let tags = if chance.chance(self.habits.tagged) {
            1 + chance.below(TAGS_MAX)
        } else {
            0
        };
        let number = self.ledger.enter(volunteer.id, cell, u8::try_from(tags)?);
        let mut body = Vec::with_capacity(512);
        self.ledger.write(number, &mut body);
        let path = format!("/v1/campaigns/{}/looks", self.slug);
        let body = std::str::from_utf8(&body)?;
        let look = request("POST", &path, Some(&volunteer.token), body);
        let stored = asker.ask(Kind::Look, &look, due, chance, |_| ()).await?;
        if stored.is_some() {
            self.ledger.acknowledge(number);
        }
        Ok(())
    }
}
