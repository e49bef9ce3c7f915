//! How the service is run at the moment: its mode, and which part of the volunteers is let in.
//!
//! An operator says it (`spotter mode`, `PATCH /v1/mode`); it is kept in the database, and each
//! process asks there once a second, without memcached.
//!
//! **Invariant:** while the database does not answer, what was known last is in force.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU16, AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::{sync::watch, time::MissedTickBehavior};
use utoipa::ToSchema;

use super::queries;
use crate::{
    db::{Db, DbError},
    http::FieldErrors,
};

/// How often a process asks; with the wait for an answer, less than the two seconds in which a
/// change is to be in force everywhere.
const ASKED_EVERY: Duration = Duration::from_secs(1);
const ANSWER_WITHIN: Duration = Duration::from_millis(700);
/// The smallest part that may be let in, and all, in percent.
pub const ADMIT_MIN: u8 = 5;
pub const ADMIT_ALL: u8 = 100;
/// Characters of the operator's message.
pub const MESSAGE_CHARS_MAX: usize = 500;

#[derive(
    clap::ValueEnum, Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum Mode {
    /// All of it works.
    #[default]
    Normal,
    /// Reads and tiles work; whatever would change something is refused.
    ReadOnly,
    /// Nothing works but health, metrics and the mode.
    Maintenance,
}

impl Mode {
    pub const ALL: [Self; 3] = [Self::Normal, Self::ReadOnly, Self::Maintenance];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::ReadOnly => "read_only",
            Self::Maintenance => "maintenance",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == text)
    }
}

/// How the service is run.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, ToSchema)]
pub struct ServiceMode {
    pub mode: Mode,
    /// Of a hundred volunteers so many are let in; the others are told to come back.
    #[schema(minimum = 5, maximum = 100, example = 100)]
    pub admit_percent: u8,
    /// What the operators say to people.
    pub message: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    pub changed_at: Timestamp,
}

impl Default for ServiceMode {
    fn default() -> Self {
        Self {
            mode: Mode::Normal,
            admit_percent: ADMIT_ALL,
            message: None,
            changed_at: Timestamp::UNIX_EPOCH,
        }
    }
}

/// What an operator wants to be different. What is not named stays; a new mode takes the message
/// of the one before away.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Change {
    pub mode: Option<Mode>,
    pub admit_percent: Option<u8>,
    /// `Some(None)` removes it.
    pub message: Option<Option<String>>,
}

impl Change {
    /// All that is wrong with it.
    pub fn check(&self) -> Result<(), FieldErrors> {
        let mut errors = FieldErrors::default();
        if let Some(percent) = self.admit_percent {
            let possible = (ADMIT_MIN..=ADMIT_ALL).contains(&percent);
            errors.need(possible, "/admit_percent", || {
                format!("found {percent}; {ADMIT_MIN} to {ADMIT_ALL} are possible")
            });
        }
        if let Some(Some(message)) = &self.message {
            let chars = message.chars().count();
            let possible = (1..=MESSAGE_CHARS_MAX).contains(&chars) && !message.contains('\0');
            errors.need(possible, "/message", || {
                format!("found {chars} characters; 1 to {MESSAGE_CHARS_MAX} are possible")
            });
        }
        errors.into_result()
    }
}

/// What a process knows of it. Cheap to clone.
#[derive(Clone)]
pub struct Known(Arc<Parts>);

struct Parts {
    /// Mode and percentage, for a look at each request.
    quick: AtomicU16,
    whole: watch::Sender<ServiceMode>,
    /// Grows with each change, so that an answer that was on its way meanwhile is not believed.
    changes: AtomicU64,
}

/// Mode and percentage as one number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Quick(u16);

impl Quick {
    pub const NORMAL: Self = Self(100);

    fn of(service: &ServiceMode) -> Self {
        let mode = match service.mode {
            Mode::Normal => 0,
            Mode::ReadOnly => 1,
            Mode::Maintenance => 2,
        };
        Self(mode << 8 | u16::from(service.admit_percent))
    }

    pub fn mode(self) -> Mode {
        match self.0 >> 8 {
            0 => Mode::Normal,
            1 => Mode::ReadOnly,
            _ => Mode::Maintenance,
        }
    }

    pub fn admit_percent(self) -> u8 {
        let [_, percent] = self.0.to_be_bytes();
        percent
    }
}

impl Default for Known {
    fn default() -> Self {
        let service = ServiceMode::default();
        Self(Arc::new(Parts {
            quick: AtomicU16::new(Quick::of(&service).0),
            whole: watch::Sender::new(service),
            changes: AtomicU64::new(0),
        }))
    }
}

impl Known {
    pub fn quick(&self) -> Quick {
        Quick(self.0.quick.load(Ordering::Relaxed))
    }

    pub fn whole(&self) -> ServiceMode {
        self.0.whole.borrow().clone()
    }

    pub fn message(&self) -> Option<String> {
        self.0.whole.borrow().message.clone()
    }

    /// What was just stored by this process.
    pub fn set(&self, service: ServiceMode) {
        self.0.changes.fetch_add(1, Ordering::SeqCst);
        self.put(service);
    }

    fn put(&self, service: ServiceMode) {
        let quick = Quick::of(&service).0;
        let changed = self.0.whole.send_if_modified(|known| {
            let changed = *known != service;
            *known = service;
            changed
        });
        self.0.quick.store(quick, Ordering::Relaxed);
        if changed {
            let now = self.whole();
            tracing::info!(
                mode = now.mode.as_str(),
                admit_percent = now.admit_percent,
                "the mode of the service is"
            );
        }
    }

    /// Asks the database.
    pub async fn refresh(&self, db: &Db) -> Result<(), DbError> {
        let before = self.0.changes.load(Ordering::SeqCst);
        let read = db.within(ANSWER_WITHIN, async |conn| queries::read(conn).await);
        let stored = read.await?.unwrap_or_default();
        if self.0.changes.load(Ordering::SeqCst) == before {
            self.put(stored);
        }
        Ok(())
    }

    /// Asks again and again.
    pub async fn follow(&self, db: &Db) {
        let mut beat = tokio::time::interval(ASKED_EVERY);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut was_answered = true;
        loop {
            beat.tick().await;
            let asked = self.refresh(db).await;
            if let Err(cause) = &asked
                && was_answered
            {
                tracing::warn!(cause = %cause, "the mode cannot be read; the last one stays");
            }
            was_answered = asked.is_ok();
        }
    }

    /// Completes when the worker may go on: it rests during maintenance, so that nothing but
    /// operators changes the database.
    pub async fn may_work(&self) {
        let mut changes = self.0.whole.subscribe();
        let _never_ends = changes
            .wait_for(|service| service.mode != Mode::Maintenance)
            .await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mode_and_percentage_fit_one_number() {
        for mode in Mode::ALL {
            for admit_percent in [ADMIT_MIN, 50, ADMIT_ALL] {
                let service = ServiceMode {
                    mode,
                    admit_percent,
                    ..ServiceMode::default()
                };
                let quick = Quick::of(&service);
                assert_eq!((quick.mode(), quick.admit_percent()), (mode, admit_percent));
                assert_eq!(Mode::parse(mode.as_str()), Some(mode));
            }
        }
        assert_eq!(Quick::of(&ServiceMode::default()), Quick::NORMAL);
    }

    #[test]
    fn a_part_from_5_to_100_and_a_message_of_500_characters_may_be_said() {
        let percent = |percent| Change {
            admit_percent: Some(percent),
            ..Change::default()
        };
        for (percent_is, fits) in [(4, false), (5, true), (100, true), (101, false)] {
            assert_eq!(percent(percent_is).check().is_ok(), fits, "{percent_is}");
        }
        let message = |chars| Change {
            message: Some(Some("ä".repeat(chars))),
            ..Change::default()
        };
        for (chars, fits) in [(0, false), (1, true), (500, true), (501, false)] {
            assert_eq!(message(chars).check().is_ok(), fits, "{chars}");
        }
    }
}
