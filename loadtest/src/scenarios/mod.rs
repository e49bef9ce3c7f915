//! What is measured, one scenario a module.

mod assignments;
mod batch;
mod campaign;
mod chaos;
mod looks;
mod memory;
mod sending;
mod stage;
mod stampede;
mod surge;
mod sync;
mod tiles;
mod yardsticks;

pub use sending::cell as spread;

use crate::{Options, options::Scenario, place::Place, report::Report};

pub async fn run(scenario: Scenario, options: &Options, place: &Place) -> anyhow::Result<Report> {
    match scenario {
        Scenario::Assignments => assignments::run(options, place).await,
        Scenario::Campaign => campaign::run(options, place).await,
        Scenario::Looks => looks::run(options, place).await,
        Scenario::Batch => batch::run(options, place).await,
        Scenario::Tiles => tiles::run(options, place).await,
        Scenario::Stampede => stampede::run(options, place).await,
        Scenario::Surge => surge::run(options, place).await,
        Scenario::Memory => memory::run(options, place).await,
        Scenario::Sync => sync::run(options, place).await,
        Scenario::Chaos => chaos::run(options, place).await,
    }
}
