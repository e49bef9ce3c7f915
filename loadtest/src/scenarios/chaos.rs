//! Scenario `chaos`: under steady load, with clients that try again as the page does, one thing
//! after the other fails. After each, what clients were told is compared with what is stored.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use rustix::process::Signal;

use super::{stage::Stage, tiles};
use crate::{
    Options,
    crowd::{Crowd, Habits, Kind, Tally},
    ledger,
    measure::Curve,
    place::{Cut, Place, Process, ServerPlan, Service, free_port},
    pool::Pool,
    report::{Report, Table},
};

const EDGE_MAX: u32 = 400;
const LOOKS_WANTED: u32 = 3;
const CONNECTIONS: usize = 128;
const TILES: u32 = 64;
/// Views a second.
const RATE: f64 = 500.0;
const QUICK_RATE: f64 = 100.0;
/// How long people come around each event, and when in it the event is.
const PHASE: Duration = Duration::from_secs(20);
const QUICK_PHASE: Duration = Duration::from_millis(2500);
const EVENT_AT: f64 = 0.2;
/// How long a server stays away, and a stretch of network cut, as parts of the phase.
const AWAY: f64 = 0.2;

#[derive(Clone, Copy, Debug)]
enum Event {
    Nothing,
    FlushMemcached,
    KillMemcached,
    CutMemcached,
    KillServer,
    KillPgBouncer,
    RestartPostgres,
    CrashPostgres,
}

impl Event {
    const ALL: [Self; 8] = [
        Self::Nothing,
        Self::FlushMemcached,
        Self::KillMemcached,
        Self::CutMemcached,
        Self::KillServer,
        Self::KillPgBouncer,
        Self::RestartPostgres,
        Self::CrashPostgres,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing, to compare with",
            Self::FlushMemcached => "memcached flushed",
            Self::KillMemcached => "memcached killed and started again",
            Self::CutMemcached => "network cut between one server and memcached",
            Self::KillServer => "one of two servers killed (SIGKILL) and started again",
            Self::KillPgBouncer => "PgBouncer killed and started again",
            Self::RestartPostgres => "PostgreSQL restarted (fast)",
            Self::CrashPostgres => "PostgreSQL restarted (immediate: recovery from its log)",
        }
    }
}

/// What things happen to.
struct Victims<'a> {
    place: &'a Place,
    servers: &'a mut [Process],
    plan: ServerPlan,
    cut: Cut,
    away: Duration,
}

pub async fn run(options: &Options, place: &Place) -> anyhow::Result<Report> {
    let cut = Cut::before(place.setting("MEMCACHED")?).await?;
    let plain = ServerPlan {
        is_pooled: true,
        ..ServerPlan::default()
    };
    let behind_cut = ServerPlan {
        memcached: Some(cut.address.clone()),
        port: Some(free_port(options.seed)?),
        ..plain.clone()
    };
    let servers = vec![
        place.server_of(&plain).await?,
        place.server_of(&behind_cut).await?,
    ];
    let mut stage = Stage::set(options, place, "chaos", servers).await?;
    let edge = options.edge(EDGE_MAX);
    let campaign = stage
        .organiser
        .campaign("storm", edge, LOOKS_WANTED)
        .await?;
    let tiles = tiles::warm(&stage, TILES).await?;
    let pool = Arc::new(Pool::new(stage.addresses(), CONNECTIONS));
    let (rate, phase) = pace(options);
    let crowd = Crowd::gather(pool, &campaign, tiles, habits(options), rate).await?;
    let mut report = Report::new("chaos");
    report.about.push(format!(
        "{rate:.0} views a second all the time, over {CONNECTIONS} connections to two servers, which reach PostgreSQL by way of \
         PgBouncer. Who is refused or gets no answer tries again as the page does. {} cells.",
        campaign.cells
    ));
    let mut victims = Victims {
        place,
        servers: &mut stage.servers,
        plan: behind_cut,
        cut,
        away: phase.mul_f64(AWAY),
    };
    let mut rows = Vec::new();
    for (nth, event) in (0..).zip(Event::ALL) {
        eprintln!("{} …", event.name());
        let curve = Curve::steady(rate, phase);
        let coming = crowd.come(curve, phase, options.seed.wrapping_add(nth));
        let happening = async {
            tokio::time::sleep(phase.mul_f64(EVENT_AT)).await;
            let begin = Instant::now();
            victims.happens(event).await.map(|()| begin)
        };
        let (tally, begin) = tokio::try_join!(coming, happening)?;
        ledger::check(place, &campaign.id, &crowd.ledger)
            .await
            .with_context(|| format!("after: {}", event.name()))?;
        rows.push(row(event, &tally, begin));
        let views = tally.together(&[Kind::Assignment, Kind::Look]);
        report.lines.of(event.name()).add(views).paced();
    }
    report.tables.push(table(rows));
    let checked = ledger::check(place, &campaign.id, &crowd.ledger).await?;
    report.notes.push(format!(
        "Checked after each event, and at the end: {checked}"
    ));
    stage.end().await?;
    Ok(report)
}

/// Views a second, and how long people come around each event.
fn pace(options: &Options) -> (f64, Duration) {
    if options.quick {
        (QUICK_RATE, QUICK_PHASE)
    } else {
        (RATE, PHASE)
    }
}

fn habits(options: &Options) -> Habits {
    let usual = Habits {
        think_secs: 0.5,
        dashboards: 2,
        poll: Duration::from_secs(1),
        ..Habits::default()
    };
    if !options.quick {
        return usual;
    }
    Habits {
        think_secs: 0.2,
        backoff: Duration::from_millis(250),
        ..usual
    }
}

impl Victims<'_> {
    /// Returns when what was ended is there again.
    async fn happens(&mut self, event: Event) -> anyhow::Result<()> {
        let place = self.place;
        match event {
            Event::Nothing => Ok(()),
            Event::FlushMemcached => place.flush_memcached().await,
            Event::KillMemcached => place.restart(Service::Memcached, Signal::KILL).await,
            Event::CutMemcached => {
                self.cut.cut();
                tokio::time::sleep(self.away).await;
                self.cut.mend();
                Ok(())
            }
            Event::KillServer => {
                let server = self.servers.last_mut().context("no server")?;
                server.kill().await?;
                tokio::time::sleep(self.away).await;
                *server = place.server_of(&self.plan).await?;
                Ok(())
            }
            Event::KillPgBouncer => place.restart(Service::PgBouncer, Signal::KILL).await,
            // By which PostgreSQL rolls back what is open, and by which it leaves all as it is.
            Event::RestartPostgres => place.restart(Service::Postgres, Signal::INT).await,
            Event::CrashPostgres => place.restart(Service::Postgres, Signal::QUIT).await,
        }
    }
}

fn row(event: Event, tally: &Tally, begin: Instant) -> Vec<String> {
    let ms = |kind: Kind| {
        let measured = tally.measured(kind);
        measured.map_or("–".to_owned(), |m| {
            format!("{:.0}", m.times.quantile_ms(0.99))
        })
    };
    vec![
        event.name().to_owned(),
        tally.answers().to_string(),
        tally.sheds().to_string(),
        tally.failures().to_string(),
        format!("{:.2} %", tally.trouble_part() * 100.0),
        tally.gave_up.to_string(),
        format!("{:.1}", tally.recovered_after(begin).as_secs_f64()),
        ms(Kind::Assignment),
        ms(Kind::Look),
    ]
}

fn table(rows: Vec<Vec<String>>) -> Table {
    Table {
        title: "What each event did".to_owned(),
        head: vec![
            "event",
            "answers",
            "refused",
            "failed",
            "of all attempts",
            "given up",
            "seconds to the last trouble",
            "assignments p99 ms",
            "looks p99 ms",
        ],
        rows,
    }
}
