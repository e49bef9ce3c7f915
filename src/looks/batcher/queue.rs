//! What waits to be stored, in the order in which it came, and when it is a group.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, oneshot},
    time::{Instant, timeout_at},
};

use super::super::model::{BATCH_MAX, Look, Stored};
use crate::http::Problem;

/// Looks that wait at most.
const LOOKS_MAX: usize = 8192;
/// Bytes of looks that wait at most.
const BYTES_MAX: usize = 64 * 1024 * 1024;
/// Looks of one group.
const GROUP_LOOKS_MAX: usize = 512;
/// Bytes of one group, unless one request alone has more.
const GROUP_BYTES_MAX: usize = 4 * 1024 * 1024;
/// While another group is on its way, one with fewer looks gathers more …
const GATHER_LOOKS: usize = 64;
/// … for so long. The other one has the disk: what is sent now would wait behind it.
const GATHER_FOR: Duration = Duration::from_millis(2);
/// While two are, one with fewer looks waits until one of the two is done. Large ones wait for the disk
/// while the next is prepared; with small ones it is the number of commits that counts.
const THIRD_LOOKS: usize = GROUP_LOOKS_MAX / 2;

const _: () = assert!(BATCH_MAX <= GROUP_LOOKS_MAX, "a batch fits into a group");

/// The looks of a request with what became of each.
pub type Answer = Result<(Vec<Look>, Vec<Stored>), Problem>;

/// Looks of one request, and who waits for them.
pub struct Entry {
    pub looks: Vec<Look>,
    pub since: Instant,
    pub deadline: Instant,
    pub answer: oneshot::Sender<Answer>,
    bytes: usize,
}

impl Entry {
    pub fn new(looks: Vec<Look>, patience: Duration, answer: oneshot::Sender<Answer>) -> Self {
        let since = Instant::now();
        Self {
            bytes: looks.iter().map(Look::bytes).sum(),
            looks,
            since,
            deadline: since + patience,
            answer,
        }
    }
}

#[derive(Default)]
pub struct Queue {
    waiting: Mutex<Waiting>,
    changed: Notify,
}

#[derive(Default)]
struct Waiting {
    entries: VecDeque<Entry>,
    looks: usize,
    bytes: usize,
    /// Groups that were given out and are not done.
    on_their_way: usize,
    closed: bool,
}

/// What a writer does next.
enum Next {
    Store(Vec<Entry>),
    /// Until something changes, or this time has come.
    Wait(Option<Instant>),
    End,
}

impl Queue {
    /// Whether there was room for it.
    pub fn push(&self, entry: Entry) -> bool {
        let mut waiting = self.lock();
        let (before, looks) = (waiting.looks, waiting.looks + entry.looks.len());
        let bytes = waiting.bytes + entry.bytes;
        if waiting.closed || looks > LOOKS_MAX || bytes > BYTES_MAX {
            return false;
        }
        (waiting.looks, waiting.bytes) = (looks, bytes);
        waiting.entries.push_back(entry);
        drop(waiting);
        // Those in between need nobody's attention: waking costs more than queueing.
        let reached = |many| before < many && looks >= many;
        if [1, GATHER_LOOKS, THIRD_LOOKS].into_iter().any(reached) {
            self.changed.notify_one();
        }
        true
    }

    /// The next group, as soon as there is one; none when the queue was closed and is empty.
    /// Call [`Queue::done`] after it.
    pub async fn take(&self) -> Option<Vec<Entry>> {
        loop {
            let changed = self.changed.notified();
            let next = self.lock().next();
            match next {
                Next::Store(group) => return Some(group),
                Next::End => return None,
                Next::Wait(None) => changed.await,
                Next::Wait(Some(until)) => {
                    let _whichever_is_first = timeout_at(until, changed).await;
                }
            }
        }
    }

    /// A group that was taken is no longer on its way.
    pub fn done(&self) {
        self.lock().on_their_way -= 1;
    }

    /// Takes nothing more; what waits is still given out.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_waiters();
    }

    /// How many looks wait.
    pub fn looks(&self) -> usize {
        self.lock().looks
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn next(&mut self) -> Next {
        let Some(first) = self.entries.front() else {
            return if self.closed {
                Next::End
            } else {
                Next::Wait(None)
            };
        };
        if self.on_their_way >= 2 && self.looks < THIRD_LOOKS {
            return Next::Wait(None);
        }
        let gathered = first.since + GATHER_FOR;
        if self.on_their_way > 0 && self.looks < GATHER_LOOKS && Instant::now() < gathered {
            return Next::Wait(Some(gathered));
        }
        self.on_their_way += 1;
        Next::Store(self.group())
    }

    fn group(&mut self) -> Vec<Entry> {
        let (mut looks, mut bytes) = (0, 0);
        let fits = |entry: &Entry| {
            looks += entry.looks.len();
            bytes += entry.bytes;
            looks <= GROUP_LOOKS_MAX && bytes <= GROUP_BYTES_MAX
        };
        let fitting = self
            .entries
            .iter()
            .map(fits)
            .take_while(|fits| *fits)
            .count();
        let group: Vec<Entry> = self.entries.drain(..fitting.max(1)).collect();
        for entry in &group {
            self.looks -= entry.looks.len();
            self.bytes -= entry.bytes;
        }
        group
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(looks: usize) -> Entry {
        let looks = (0..looks).map(|nth| Look::sample(nth.try_into().unwrap(), 0));
        let looks = looks.collect();
        Entry::new(looks, Duration::from_secs(8), oneshot::channel().0)
    }

    /// Looks of the group that would go now.
    fn goes(waiting: &mut Waiting) -> Option<usize> {
        match waiting.next() {
            Next::Store(group) => Some(group.iter().map(|entry| entry.looks.len()).sum()),
            Next::Wait(_) | Next::End => None,
        }
    }

    fn waiting(on_their_way: usize, looks: usize) -> Waiting {
        let entry = entry(looks);
        Waiting {
            looks,
            bytes: entry.bytes,
            entries: [entry].into(),
            on_their_way,
            closed: false,
        }
    }

    #[test]
    fn the_first_group_goes_at_once_the_second_gathers_and_a_third_must_be_large() {
        assert_eq!(goes(&mut waiting(0, 1)), Some(1));
        assert_eq!(goes(&mut waiting(1, GATHER_LOOKS - 1)), None);
        assert_eq!(goes(&mut waiting(1, GATHER_LOOKS)), Some(GATHER_LOOKS));
        for on_their_way in [2, 3] {
            assert_eq!(goes(&mut waiting(on_their_way, THIRD_LOOKS - 1)), None);
            let large = goes(&mut waiting(on_their_way, THIRD_LOOKS));
            assert_eq!(large, Some(THIRD_LOOKS));
        }
    }

    #[tokio::test]
    async fn a_small_group_goes_when_one_of_two_is_done() {
        let queue = Queue::default();
        for looks in [GROUP_LOOKS_MAX, GROUP_LOOKS_MAX, 1] {
            assert!(queue.push(entry(looks)));
        }
        let first = queue.take().await.unwrap();
        let second = queue.take().await.unwrap();
        assert_eq!((first.len(), second.len()), (1, 1));
        let third = queue.take();
        tokio::pin!(third);
        let now = std::future::ready(());
        tokio::select! {
            biased;
            _ = &mut third => panic!("a small group went beside two others"),
            () = now => {}
        }
        // The writer that is done takes it.
        queue.done();
        assert_eq!(queue.take().await.unwrap().len(), 1);
    }
}
