//! The command line: each role of the program is a subcommand.

mod imagery;
mod mode;
mod organiser;
mod volunteer;

use std::{io::Write, net::TcpListener, process::ExitCode};

use anyhow::Context;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand, parser::ValueSource};

use crate::{
    config::{Config, DatabaseConfig, ListenConfig, LogConfig, LogFormat, WatchConfig},
    db::{self, Db},
    demo,
    imagery::Tiles,
    server,
    state::App,
    telemetry, verification, worker,
};

/// A crowd searches imagery.
#[derive(Parser)]
#[command(name = "spotter", version, about, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    log: LogConfig,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API and the pages. Brings the database's schema up to date first.
    Serve {
        #[command(flatten)]
        config: Config,
        #[command(flatten)]
        listen: ListenConfig,
    },
    /// Run the background jobs: making cells, counting progress. Any number may run.
    Worker {
        #[command(flatten)]
        config: Config,
        #[command(flatten)]
        watch: WatchConfig,
    },
    /// Run everything on this machine: private PostgreSQL and memcached, demo data, server, worker.
    Dev(demo::DevConfig),
    /// Simulated volunteers for a search of the demo's imagery, at any server.
    Crowd(demo::CrowdConfig),
    /// Bring the database's schema up to date.
    Migrate {
        #[command(flatten)]
        database: DatabaseConfig,
    },
    /// Manage organisers and their API keys.
    Organiser {
        #[command(flatten)]
        database: DatabaseConfig,
        #[command(subcommand)]
        command: organiser::Command,
    },
    /// What is stored of a volunteer: as a file, or forgotten.
    Volunteer {
        #[command(flatten)]
        config: Config,
        #[command(subcommand)]
        command: volunteer::Command,
    },
    /// Show or change how the service is run; every server follows within two seconds.
    Mode {
        #[command(flatten)]
        database: DatabaseConfig,
        #[command(flatten)]
        change: mode::Arguments,
    },
    /// Fetch tiles ahead.
    Imagery {
        #[command(flatten)]
        config: Config,
        #[command(subcommand)]
        command: imagery::Command,
    },
    /// Recount every number that is shown; print each difference and fail on any.
    Verify {
        #[command(flatten)]
        database: DatabaseConfig,
        /// Only this campaign, by slug or id.
        #[arg(long)]
        campaign: Option<String>,
        /// Print the report as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print the OpenAPI document.
    Openapi,
}

/// Runs the program and says with which code it ends.
pub fn run() -> ExitCode {
    let matches = Cli::command().get_matches();
    let mut cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    if matches!(cli.command, Command::Dev(_) | Command::Crowd(_)) {
        quieten(&mut cli.log, &matches);
    }
    let outcome = telemetry::init_log(&cli.log)
        .and_then(|()| actix_web::rt::System::new().block_on(dispatch(cli.command)));
    match outcome {
        Ok(code) => code,
        Err(error) => {
            let _unread = writeln!(std::io::stderr(), "spotter: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// At a terminal only warnings, as text, unless something else was asked for.
fn quieten(log: &mut LogConfig, matches: &ArgMatches) {
    let unset = |id: &str| matches.value_source(id) == Some(ValueSource::DefaultValue);
    if unset("log") {
        "warn".clone_into(&mut log.log);
    }
    if unset("log_format") {
        log.log_format = LogFormat::Text;
    }
}

async fn dispatch(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve { config, listen } => serve(config, listen).await?,
        Command::Worker { config, watch } => work(config, &watch).await?,
        Command::Dev(config) => Box::pin(demo::run(config, stop_signal()?)).await?,
        Command::Crowd(config) => demo::crowd(config, stop_signal()?).await?,
        Command::Migrate { database } => {
            let applied = migrate(&Db::open(&database)?).await?;
            print(&format!(
                "{applied} migrations applied; the schema is at {}",
                db::schema_version()
            ))?;
        }
        Command::Organiser { database, command } => {
            let db = Db::open(&database)?;
            migrate(&db).await?;
            print(&organiser::run(&db, command).await?)?;
        }
        Command::Volunteer { config, command } => {
            let app = App::open(config).await?;
            migrate(&app.db).await?;
            volunteer::run(app, command).await?;
        }
        Command::Mode { database, change } => {
            // Not migrated: an operator is not to wait for another's migration.
            print(&mode::run(&Db::open(&database)?, change).await?)?;
        }
        Command::Imagery { config, command } => {
            let app = App::open(config).await?;
            migrate(&app.db).await?;
            return Box::pin(imagery::run(&app, command, stop_signal()?)).await;
        }
        Command::Verify {
            database,
            campaign,
            json,
        } => {
            return verify(&Db::open(&database)?, campaign.as_deref(), json).await;
        }
        Command::Openapi => print(&server::openapi_text(&server::document())?)?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn serve(config: Config, listen: ListenConfig) -> anyhow::Result<()> {
    let metrics = telemetry::init_metrics()?;
    let app = App::open(config).await?;
    let shared = server::Shared::new(app, &listen, Some(metrics))?;
    migrate(&shared.app.db).await?;
    let listener = TcpListener::bind((listen.host, listen.port))
        .with_context(|| format!("PORT: cannot listen at {}:{}", listen.host, listen.port))?;
    let address = listener.local_addr()?;
    // Before anybody is told: who knows the address may also ask for the stop.
    let stop = stop_signal()?;
    tracing::info!(%address, "serving");
    print(&format!("serving at http://{address}"))?;
    server::run(&shared, listener, &listen, stop).await
}

async fn work(config: Config, watch: &WatchConfig) -> anyhow::Result<()> {
    let metrics = telemetry::init_metrics()?;
    let app = App::open(config).await?;
    migrate(&app.db).await?;
    let stop = stop_signal()?;
    let watched = watch
        .metrics_listen
        .map(|address| {
            let listener = TcpListener::bind(address)
                .with_context(|| format!("METRICS_LISTEN: cannot listen at {address}"))?;
            print(&format!("metrics at http://{}", listener.local_addr()?))?;
            server::bare(app.clone(), metrics, listener)
        })
        .transpose()?
        .map(actix_web::rt::spawn);
    let tiles = Tiles::new(&app)?;
    worker::run(&app, tiles, stop).await;
    if let Some(watched) = watched {
        watched.abort();
    }
    Ok(())
}

async fn migrate(db: &Db) -> anyhow::Result<usize> {
    db::migrate(db)
        .await
        .context("DATABASE_URL: the schema could not be brought up to date")
}

async fn verify(db: &Db, campaign: Option<&str>, json: bool) -> anyhow::Result<ExitCode> {
    let report = verification::verify(db, campaign).await?;
    if json {
        print(&serde_json::to_string_pretty(&report)?)?;
    } else {
        for found in &report.differences {
            print(&format!(
                "{}: {}: shown {}, counted {}",
                found.campaign, found.what, found.shown, found.counted
            ))?;
        }
        print(&format!(
            "{} campaigns, {} checks, {} cells pending, {} differences",
            report.campaigns,
            report.checks,
            report.cells_pending,
            report.differences.len()
        ))?;
    }
    Ok(if report.differences.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Completes when the process is asked to stop: Ctrl-C or SIGTERM.
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM")?;
    let mut hangup = signal(SignalKind::hangup()).context("SIGHUP")?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    })
}

/// Writes a line to standard output.
fn print(line: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
