//! Who is let through: permits for each class of requests, the mode of the service, and which part
//! of the volunteers is let in.
//!
//! **Invariant:** of each class a bounded number of requests is in work and a bounded number waits,
//! first come, first served. Whoever finds the queue full or waits too long is told when to come back.
//!
//! **Invariant:** a refusal costs neither a statement nor a look-up in the cache; health, metrics and
//! the mode are never refused.
//!
//! **Invariant:** looks are refused for too much work and by modes, never because only a part of the
//! volunteers is let in.

mod backlog;
mod class;
mod document;
mod gate;
mod handlers;
mod layer;
mod mode;
mod page;
mod queries;
mod refusal;
mod share;

use std::{sync::Arc, time::Duration};

use crate::{
    accounts::TokenKeys,
    config::AdmissionConfig,
    db::{Db, DbError},
    rates::Rates,
};
use class::{Class, Kind};
use gate::Gate;
use refusal::Reason;

pub use document::document;
pub use handlers::routes;
pub use layer::Layer;
pub use mode::{ADMIT_ALL, ADMIT_MIN, Change, Known, MESSAGE_CHARS_MAX, Mode, ServiceMode};
pub use page::Page;

/// What one server lets through. Cheap to clone.
#[derive(Clone)]
pub struct Admission(Arc<Parts>);

struct Parts {
    gates: [Arc<Gate>; Class::ALL.len()],
    queue_wait: Duration,
    shortest_deadline: Duration,
    mode: Known,
    keys: TokenKeys,
    rates: Rates,
    page: Option<Page>,
}

impl Admission {
    /// The recorder of metrics must be there.
    pub fn new(
        config: &AdmissionConfig,
        keys: TokenKeys,
        rates: Rates,
        page: Option<Page>,
    ) -> Self {
        let gate = |class| {
            let limit = match class {
                Class::Reads => config.in_work_reads,
                Class::Looks => config.in_work_looks,
                Class::Assignments => config.in_work_assignments,
                Class::Tiles => config.in_work_tiles,
                Class::Organisers => config.in_work_organisers,
                Class::Exports => config.in_work_exports,
            };
            Arc::new(Gate::new(class, limit, config.queue_factor))
        };
        let classes = Class::ALL.iter().map(|class| class.as_str());
        for class in classes.chain([PAGES, STREAMS]) {
            for reason in Reason::ALL {
                refused(class, reason).increment(0);
            }
        }
        Self(Arc::new(Parts {
            gates: Class::ALL.map(gate),
            queue_wait: Duration::from_millis(config.queue_wait_ms),
            shortest_deadline: Duration::from_secs(config.request_seconds),
            mode: Known::default(),
            keys,
            rates,
            page,
        }))
    }

    pub fn mode(&self) -> &Known {
        &self.0.mode
    }

    /// Writes down how much is in work and waits, for `/metrics`.
    pub fn publish(&self) {
        for gate in &self.0.gates {
            let class = gate.class().as_str();
            for (name, value) in [
                ("admission_limit", gate.limit()),
                ("admission_in_work", gate.in_work()),
                ("admission_waiting", gate.waiting()),
            ] {
                metrics::gauge!(name, "class" => class).set(f64::from(value));
            }
        }
        let quick = self.0.mode.quick();
        for mode in Mode::ALL {
            let is_on = f64::from(u8::from(mode == quick.mode()));
            metrics::gauge!("spotter_mode", "mode" => mode.as_str()).set(is_on);
        }
        metrics::gauge!("admit_percent").set(f64::from(quick.admit_percent()));
    }

    fn gate(&self, class: Class) -> &Arc<Gate> {
        let at = Class::ALL.iter().position(|known| *known == class);
        &self.0.gates[at.unwrap_or(0)]
    }
}

/// The class of pages, which only a mode refuses, in metrics.
const PAGES: &str = "pages";
/// The same for streams of events.
const STREAMS: &str = "streams";

fn refused(class: &'static str, reason: Reason) -> metrics::Counter {
    metrics::counter!("http_requests_shed_total", "class" => class, "reason" => reason.as_str())
}

fn count_refused(kind: Kind, reason: Reason) {
    let class = match kind {
        Kind::Work(work) => work.class.as_str(),
        Kind::Page | Kind::Open => PAGES,
        Kind::Stream => STREAMS,
    };
    refused(class, reason).increment(1);
}

/// Changes how the service is run.
pub async fn change(db: &Db, change: &Change) -> Result<ServiceMode, DbError> {
    queries::change(&*db.get().await?, change).await
}

/// How the service is run.
pub async fn read(db: &Db) -> Result<ServiceMode, DbError> {
    let stored = queries::read(&*db.get().await?).await?;
    Ok(stored.unwrap_or_default())
}
