//! What came of the phones' requests.

use std::time::{Duration, Instant};

use crate::measure::{Measured, Recorder};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Nothing was new.
    Idle,
    /// Documents came.
    Pull,
    Looks,
    Tags,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::Idle, Self::Pull, Self::Looks, Self::Tags];

    pub fn name(self) -> &'static str {
        match self {
            Self::Idle => "pulls with nothing new",
            Self::Pull => "pulls with documents",
            Self::Looks => "pushes of looks",
            Self::Tags => "pushes of tags",
        }
    }

    fn index(self) -> usize {
        Self::ALL.iter().position(|kind| *kind == self).unwrap_or(0)
    }
}

/// Requests of one kind.
#[derive(Clone)]
struct OfKind {
    recorder: Recorder,
    sheds: u64,
    bytes_up: u64,
    bytes_down: u64,
}

pub struct Tally {
    begin: Instant,
    pub elapsed: Duration,
    kinds: [OfKind; Kind::ALL.len()],
}

/// Bytes that went both ways, heads included.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bytes {
    pub up: u64,
    pub down: u64,
}

impl Tally {
    pub fn new(begin: Instant) -> Self {
        let of_kind = OfKind {
            recorder: Recorder::new(begin),
            sheds: 0,
            bytes_up: 0,
            bytes_down: 0,
        };
        Self {
            begin,
            elapsed: Duration::ZERO,
            kinds: Kind::ALL.map(|_| of_kind.clone()),
        }
    }

    pub fn answered(&mut self, kind: Kind, due: Instant, (up, down): (usize, usize)) {
        let of_kind = &mut self.kinds[kind.index()];
        of_kind.recorder.answered(due);
        of_kind.bytes_up += u64::try_from(up).unwrap_or(0);
        of_kind.bytes_down += u64::try_from(down).unwrap_or(0);
    }

    pub fn shed(&mut self, kind: Kind) {
        self.kinds[kind.index()].sheds += 1;
    }

    pub fn end(&mut self) {
        self.elapsed = self.begin.elapsed();
    }

    pub fn measured(&self, kind: Kind) -> Measured {
        let recorder = self.kinds[kind.index()].recorder.clone();
        recorder.finish(self.elapsed, 1)
    }

    pub fn bytes(&self, kinds: &[Kind]) -> Bytes {
        let of = kinds.iter().map(|kind| &self.kinds[kind.index()]);
        of.fold(Bytes::default(), |sum, one| Bytes {
            up: sum.up + one.bytes_up,
            down: sum.down + one.bytes_down,
        })
    }

    pub fn sheds(&self) -> u64 {
        self.kinds.iter().map(|of_kind| of_kind.sheds).sum()
    }
}
