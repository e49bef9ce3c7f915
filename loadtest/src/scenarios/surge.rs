//! Scenario `surge`: the story. People come faster and faster up to the peak of a billion views a
//! week, and stay there; two servers, a worker and the services share the machine with them.

use std::sync::Arc;

use super::{stage::Stage, tiles};
use crate::{
    Options,
    crowd::{Crowd, Habits, Kind, Tally},
    ledger,
    measure::{Curve, float},
    place::{self, Place},
    pool::Pool,
    report::{Budget, Fact, Report, Table},
    statements::Counted,
};

const SERVERS: usize = 2;
/// Cells along an edge of the campaign at most.
const EDGE_MAX: u32 = 1000;
const LOOKS_WANTED: u32 = 3;
/// Connections between crowd and servers, as of a load balancer.
const CONNECTIONS: usize = 512;
/// Tiles that are seen, all of them warm.
const TILES: u32 = 4096;
/// DESIGN.md 6.
const P99_MS: Budget = Budget::AtMost(100.0);
/// Of the rate that was meant: people come by chance.
const RATE_PART: f64 = 0.98;
const STATEMENTS_PER_READ: Budget = Budget::AtMost(0.02);
/// How the names of statements begin that store looks.
const WRITES: &str = "looks::";
/// Statements of the worker that are shown.
const WORKER_STATEMENTS: usize = 8;

pub async fn run(options: &Options, place: &Place) -> anyhow::Result<Report> {
    let stage = Stage::set(options, place, "surge", place.servers(SERVERS).await?).await?;
    let edge = options.edge(EDGE_MAX);
    eprintln!("publishing {edge} × {edge} cells …");
    let campaign = stage
        .organiser
        .campaign("story", edge, LOOKS_WANTED)
        .await?;
    let tiles = tiles::warm(&stage, TILES.min(options.tile_set())).await?;
    let mut report = Report::new("surge");
    let pool = Arc::new(Pool::new(stage.addresses(), CONNECTIONS));
    let (rise, peak) = (options.rise(), options.rate());
    let crowd = Crowd::gather(pool, &campaign, tiles, habits(options), peak).await?;
    about(options, &crowd, campaign.cells, &mut report);
    eprintln!("{peak:.0} views a second are coming …");
    stage.statements.reset().await?;
    let curve = Curve::rise(peak, rise, rise);
    let tally = crowd.come(curve, rise * 2, options.seed).await?;
    let statements = stage.statements.read().await?;
    at_the_peak(options, &tally, &mut report)?;
    numbers(&tally, &statements, &mut report);
    report
        .tables
        .push(of_worker(stage.statements.read_of_worker().await?));
    report.notes.push(
        "Rates of lines other than that of the peak are over the whole time, until the last person had left.".to_owned(),
    );
    report.metrics = place::metrics(stage.first(), &["cache_", "looks_", "assignments"]).await?;

    eprintln!("comparing what was told with what is stored …");
    let checked = ledger::check(place, &campaign.id, &crowd.ledger).await?;
    report.notes.push(format!("Checked afterwards: {checked}"));
    // The check fails otherwise.
    for name in ["acknowledged looks lost", "looks doubled"] {
        let fact = Fact::new(name, 0.0, "").within(Budget::Exactly(0.0));
        report.facts.push(fact);
    }
    stage.end().await?;
    Ok(report)
}

fn habits(options: &Options) -> Habits {
    let usual = Habits {
        tiles: options.tiles,
        ..Habits::default()
    };
    if !options.quick {
        return usual;
    }
    Habits {
        views: 10.0,
        think_secs: 0.3,
        dashboards: 2,
        poll: std::time::Duration::from_millis(500),
        ..usual
    }
}

fn about(options: &Options, crowd: &Crowd, cells: u64, report: &mut Report) {
    let (habits, page) = (&crowd.habits, &crowd.page);
    report.about.push(format!(
        "A rise over {:.0} s to {:.0} views a second, which are held as long. Each view is an assignment and, after {:.1} s \
         of looking in the mean, a look; {:.0} % have tags. {cells} cells; {SERVERS} servers.",
        options.rise().as_secs_f64(),
        options.rate(),
        habits.think_secs,
        habits.tagged * 100.0
    ));
    report.about.push(format!(
        "A visit has {:.0} views in the mean and begins with the page and the campaign; newcomers also load {} files, {} KB \
         in all; {:.0} % of the visits are returns with the same token and kept files. {:.0} % of the squares are never \
         answered. Of the four tiles of a square {} reach the servers in the mean; browsers and CDN have the rest. Dashboards: {}.",
        habits.views,
        page.assets.len(),
        page.bytes / 1024,
        habits.returns * 100.0,
        habits.abandoned * 100.0,
        habits.tiles,
        habits.dashboards
    ));
}

/// What the numbers cost that follow from the looks.
fn of_worker(statements: Vec<Counted>) -> Table {
    let row = |one: Counted| {
        vec![
            format!("`{}`", one.name),
            one.calls.to_string(),
            format!("{:.0}", one.total_ms),
        ]
    };
    Table {
        title: "Statements of the worker meanwhile".to_owned(),
        head: vec!["", "calls", "ms in the database"],
        rows: statements
            .into_iter()
            .take(WORKER_STATEMENTS)
            .map(row)
            .collect(),
    }
}

/// What was answered while the peak was held.
fn at_the_peak(options: &Options, tally: &Tally, report: &mut Report) -> anyhow::Result<()> {
    let (begin, end) = (options.rise().as_secs(), (options.rise() * 2).as_secs());
    let peak = usize::try_from(begin)?..usize::try_from(end)?;
    let both = tally.together(&[Kind::Assignment, Kind::Look]);
    let (mut both, squares) = (
        both.between(peak.clone()),
        tally.together(&[Kind::Assignment]).between(peak),
    );
    let facts = [
        Fact::new(
            "squares given in a second, at the peak",
            squares.per_second,
            "",
        )
        .within(Budget::AtLeast((options.rate() * RATE_PART).floor())),
        Fact::new(
            "99 % of assignments and looks, at the peak",
            both.times.quantile_ms(0.99),
            "ms",
        )
        .within(P99_MS),
    ];
    report.facts.extend(facts);
    // The plots over time show them with the others.
    both.seconds.clear();
    report
        .lines
        .of("assignments and looks, at the peak")
        .add(both)
        .paced();
    Ok(())
}

fn numbers(tally: &Tally, statements: &[Counted], report: &mut Report) {
    let views = "assignments and looks";
    let measured = tally.together(&[Kind::Assignment, Kind::Look]);
    let p99 = measured.times.quantile_ms(0.99);
    let name = "99 % of assignments and looks";
    report.facts.push(Fact::new(name, p99, "ms").within(P99_MS));
    let reads: u64 = tally.answers() - tally.together(&[Kind::Look]).done;
    let calls = statements
        .iter()
        .filter(|one| !one.name.starts_with(WRITES))
        .map(|one| one.calls.unsigned_abs())
        .sum();
    let each = float(calls) / float(reads.max(1));
    let name = "SQL statements for each read";
    let fact = Fact::new(name, each, "").within(STATEMENTS_PER_READ);
    report.facts.push(fact);
    report
        .lines
        .of(views)
        .add(measured)
        .count(statements.to_vec())
        .paced();
    for kind in Kind::ALL {
        if let Some(measured) = tally.measured(kind) {
            report.lines.of(kind.name()).add(measured).paced();
        }
    }
    let row = |name: &str, count: u64| vec![name.to_owned(), count.to_string()];
    report.tables.push(Table {
        title: "What else came".to_owned(),
        head: vec!["", "times"],
        rows: vec![
            row("answers", tally.answers()),
            row("refused with 503 or 429, and sent again", tally.sheds()),
            row("failed, and sent again", tally.failures()),
            row("given up", tally.gave_up),
            row("squares that were never answered", tally.abandoned),
            row("no square left", tally.exhausted),
        ],
    });
}
