//! What came of all requests.

use std::time::{Duration, Instant};

use crate::measure::{Measured, Recorder, float};

/// Troubles whose time is kept.
const TROUBLES_MAX: usize = 1_000_000;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    Page,
    Asset,
    Campaign,
    Assignment,
    Tile,
    Look,
    Progress,
}

impl Kind {
    pub const ALL: [Self; 7] = [
        Self::Assignment,
        Self::Look,
        Self::Tile,
        Self::Page,
        Self::Asset,
        Self::Campaign,
        Self::Progress,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Asset => "asset",
            Self::Campaign => "campaign",
            Self::Assignment => "assignment",
            Self::Tile => "tile",
            Self::Look => "look",
            Self::Progress => "progress",
        }
    }
}

#[derive(Clone)]
pub struct Tally {
    begin: Instant,
    pub elapsed: Duration,
    kinds: Vec<(Kind, OfKind)>,
    /// Requests that were never answered well.
    pub gave_up: u64,
    /// Squares that were given and never answered.
    pub abandoned: u64,
    /// Times that there was no square left.
    pub exhausted: u64,
    /// When an attempt was refused or failed.
    troubles: Vec<Instant>,
}

#[derive(Clone)]
struct OfKind {
    recorder: Recorder,
    sheds: u64,
    failures: u64,
}

impl Tally {
    pub fn new(begin: Instant) -> Self {
        let of_kind = OfKind {
            recorder: Recorder::new(begin),
            sheds: 0,
            failures: 0,
        };
        Self {
            begin,
            elapsed: Duration::ZERO,
            kinds: Kind::ALL.map(|kind| (kind, of_kind.clone())).to_vec(),
            gave_up: 0,
            abandoned: 0,
            exhausted: 0,
            troubles: Vec::new(),
        }
    }

    fn of(&mut self, kind: Kind) -> Option<&mut OfKind> {
        let found = self.kinds.iter_mut().find(|(known, _)| *known == kind);
        found.map(|(_, of_kind)| of_kind)
    }

    pub(super) fn good(&mut self, kind: Kind, due: Instant) {
        if let Some(of_kind) = self.of(kind) {
            of_kind.recorder.answered(due);
        }
    }

    pub(super) fn shed(&mut self, kind: Kind) {
        self.of(kind).into_iter().for_each(|one| one.sheds += 1);
        self.trouble();
    }

    pub(super) fn failed(&mut self, kind: Kind) {
        self.of(kind).into_iter().for_each(|one| one.failures += 1);
        self.trouble();
    }

    fn trouble(&mut self) {
        if self.troubles.len() < TROUBLES_MAX {
            self.troubles.push(Instant::now());
        }
    }

    pub(super) fn gave_up(&mut self) {
        self.gave_up += 1;
    }

    pub(super) fn end(&mut self) {
        self.elapsed = self.begin.elapsed();
    }

    /// What was answered of one kind, when anything was.
    pub fn measured(&self, kind: Kind) -> Option<Measured> {
        let (_, of_kind) = self.kinds.iter().find(|(known, _)| *known == kind)?;
        let measured = of_kind.recorder.clone().finish(self.elapsed, 1);
        (measured.done > 0).then_some(measured)
    }

    /// Of these kinds together.
    pub fn together(&self, wanted: &[Kind]) -> Measured {
        let mut all = Recorder::new(self.begin);
        for (kind, of_kind) in &self.kinds {
            if wanted.contains(kind) {
                all.merge(&of_kind.recorder);
            }
        }
        all.finish(self.elapsed, 1)
    }

    pub fn answers(&self) -> u64 {
        self.together(&Kind::ALL).done
    }

    pub fn sheds(&self) -> u64 {
        self.kinds.iter().map(|(_, of_kind)| of_kind.sheds).sum()
    }

    pub fn failures(&self) -> u64 {
        self.kinds.iter().map(|(_, of_kind)| of_kind.failures).sum()
    }

    /// The part of attempts that were refused or failed.
    pub fn trouble_part(&self) -> f64 {
        let troubles = self.sheds() + self.failures();
        float(troubles) / float((troubles + self.answers()).max(1))
    }

    /// How long after this moment the last attempt was refused or failed.
    pub fn recovered_after(&self, event: Instant) -> Duration {
        let last = self.troubles.iter().max();
        last.map_or(Duration::ZERO, |last| last.saturating_duration_since(event))
    }
}
