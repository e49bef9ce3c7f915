//! What runs while something is measured.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use tokio::process::Child;

use crate::{
    Options,
    campaign::Organiser,
    load::{Ask, Load},
    measure::Measured,
    place::{Place, Process},
    report::Line,
    statements::Statements,
};

/// Servers, a worker, who makes campaigns, and who counts statements.
pub struct Stage<'a> {
    pub options: &'a Options,
    pub place: &'a Place,
    pub servers: Vec<Process>,
    worker: Option<Child>,
    pub organiser: Organiser<'a>,
    pub statements: Statements,
}

impl<'a> Stage<'a> {
    pub async fn set(
        options: &'a Options,
        place: &'a Place,
        scenario: &'static str,
        servers: Vec<Process>,
    ) -> anyhow::Result<Self> {
        let worker = place.worker()?;
        let first = servers.first().context("no server")?;
        Ok(Self {
            organiser: Organiser::new(place, first, scenario).await?,
            statements: Statements::begin(place.setting("DATABASE_URL")?).await?,
            options,
            place,
            servers,
            worker: Some(worker),
        })
    }

    pub fn first(&self) -> &Process {
        &self.servers[0]
    }

    pub fn addresses(&self) -> Vec<String> {
        addresses(&self.servers)
    }

    /// Counting takes the same from both sides of a comparison: it can come afterwards.
    pub async fn rest_worker(&mut self) -> anyhow::Result<()> {
        if let Some(mut worker) = self.worker.take() {
            worker.kill().await?;
        }
        Ok(())
    }

    pub fn wake_worker(&mut self) -> anyhow::Result<()> {
        self.worker = Some(self.place.worker()?);
        Ok(())
    }

    pub fn load(&self, servers: &[Process], asks: &Arc<Vec<Ask>>) -> Load {
        Load {
            servers: addresses(servers),
            asks: Arc::clone(asks),
            connections: self.options.connections,
        }
    }

    /// As much as can be, with the statements that it took.
    pub async fn at_most(&self, line: &mut Line, load: &Load) -> anyhow::Result<()> {
        load.closed(self.options.warm_up()).await?;
        self.statements.reset().await?;
        let found = load.closed(self.duration()).await?;
        line.add(found).count(self.statements.read().await?);
        Ok(())
    }

    /// As much as the yardstick can, which has no database.
    pub async fn yardstick(&self, load: &Load) -> anyhow::Result<Measured> {
        load.closed(self.options.warm_up()).await?;
        load.closed(self.duration()).await
    }

    /// So many requests a second.
    pub async fn paced(&self, load: &Load, per_second: f64) -> anyhow::Result<Measured> {
        load.open(per_second.max(1.0), self.duration(), self.options.seed)
            .await
    }

    pub fn duration(&self) -> Duration {
        self.options.duration()
    }

    /// Everything stops as it does in a release.
    pub async fn end(mut self) -> anyhow::Result<()> {
        self.rest_worker().await?;
        for server in &mut self.servers {
            server.end().await?;
        }
        Ok(())
    }
}

pub fn addresses(servers: &[Process]) -> Vec<String> {
    let address = |server: &Process| server.address.clone();
    servers.iter().map(address).collect()
}
