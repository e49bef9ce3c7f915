//! How fast Spotter is, beside a yardstick that is measured in the same minutes; and whether it keeps
//! its promises while it is fast, and while parts of it fail.
//!
//! Each scenario starts its own servers at private services and gives a report. Nothing here decides
//! whether a time is good enough: machines differ, so ratios are what counts. A wrong answer, and
//! anything that is lost or doubled, ends the run.

mod campaign;
mod crowd;
mod http;
mod ledger;
mod load;
mod measure;
mod options;
mod phones;
mod place;
mod pool;
mod report;
mod scenarios;
mod source;
mod statements;
mod yardstick;

use anyhow::{Context, bail};
use clap::Parser;
use mimalloc::MiMalloc;
use tokio::signal::unix::{SignalKind, signal};

use options::{Arguments, Role, Scenario};
use place::Place;
use report::{Report, Setting};

pub use options::Options;

/// The yardstick's as well: that of the server it is compared with.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Name of the report of all scenarios.
const ALL: &str = "all";

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    match arguments.role {
        Some(Role::Source) => source::serve(),
        Some(Role::Yardstick { body }) => yardstick::serve(&body),
        // The generator shares the machine with what it measures.
        None => tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?
            .block_on(until_stopped(run(arguments.scenario, &arguments.options))),
    }
}

/// Ctrl-C takes everything away that was started, as any other end does.
async fn until_stopped(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        outcome = work => outcome,
        _ = tokio::signal::ctrl_c() => bail!("stopped"),
        _ = terminate.recv() => bail!("stopped"),
    }
}

async fn run(scenario: Option<Scenario>, options: &Options) -> anyhow::Result<()> {
    let chosen = scenario.map_or_else(|| Scenario::ALL.to_vec(), |one| vec![one]);
    let opens_many = [Scenario::Memory, Scenario::Stampede, Scenario::Sync];
    if chosen.iter().any(|one| opens_many.contains(one)) {
        place::allow_connections(options.open_connections())?;
    }
    let setting = Setting::of(options);
    // What is only to be seen to work can share its services; what is measured has its own.
    let mut shared = None;
    let mut reports = Vec::new();
    for (nth, scenario) in chosen.iter().enumerate() {
        eprintln!("[{} of {}] {} …", nth + 1, chosen.len(), scenario.name());
        let place = match shared.take() {
            Some(place) => place,
            None => Place::start(&options.spotter).await?,
        };
        let outcome = scenarios::run(*scenario, options, &place)
            .await
            .with_context(|| format!("scenario {}", scenario.name()));
        let report = if options.quick && nth + 1 < chosen.len() && outcome.is_ok() {
            shared = Some(place);
            outcome?
        } else {
            let ended = place.end().await;
            let report = outcome?;
            ended?;
            report
        };
        if writes_nothing(options) {
            report.notes.iter().for_each(|note| eprintln!("{note}"));
        } else {
            eprintln!("\n{}", report::text(&report));
        }
        write(
            &setting,
            options,
            scenario.name(),
            std::slice::from_ref(&report),
        )?;
        reports.push(report);
    }
    if reports.len() > 1 {
        write(&setting, options, ALL, &reports)?;
    }
    Ok(())
}

fn write(
    setting: &Setting,
    options: &Options,
    name: &str,
    reports: &[Report],
) -> anyhow::Result<()> {
    if writes_nothing(options) {
        return Ok(());
    }
    let paths = report::write(setting, name, reports)?;
    for path in paths {
        eprintln!("written to {}", path.display());
    }
    Ok(())
}

/// Times of a quick run say nothing, and must not be taken for results.
fn writes_nothing(options: &Options) -> bool {
    options.quick && !options.keeps_quick_results()
}
