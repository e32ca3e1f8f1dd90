//! The counts of all processes of a fleet, in a file.
//!
//! A process writes each change at once, so the counts of one that is killed are complete.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The length of the file's time, which is longer than the test.
const SECONDS: usize = 30;
const FIELDS: usize = 8;
const RECORD: usize = SECONDS * FIELDS;

#[derive(Clone, Copy)]
pub(crate) enum Field {
    Calls,
    /// First attempts and retries.
    Requests,
    /// The retries that the budget has paid for. Most of them follow 50 ms later.
    Retries,
    /// The requests for leases.
    Asked,
    Granted,
    /// The tokens that were sent to the pool.
    Credit,
    /// The events that say that Redis is away.
    Away,
    /// The tokens of the process, at the end of the second.
    Held,
}

/// The time at which a fleet starts. Its seconds are those of all its processes.
#[derive(Clone, Copy)]
pub(crate) struct Clock(Instant);

impl Clock {
    /// The clock that starts this many milliseconds after 1970.
    pub(crate) fn of(start: u64) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let start = Duration::from_millis(start);
        Self(Instant::now() + start.saturating_sub(now) - now.saturating_sub(start))
    }

    pub(crate) fn at(self, seconds: f64) -> Instant {
        self.0 + Duration::from_secs_f64(seconds)
    }

    pub(crate) fn seconds(self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }

    pub(crate) fn second(self) -> usize {
        self.seconds() as usize
    }

    pub(crate) fn sleep_until(self, seconds: f64) {
        std::thread::sleep(self.at(seconds).saturating_duration_since(Instant::now()));
    }
}

/// The counts of one process.
pub(crate) struct Counts {
    file: File,
    member: usize,
    pub(crate) clock: Clock,
    counts: [AtomicU64; RECORD],
}

impl Counts {
    pub(crate) fn open(path: &str, member: usize, clock: Clock) -> Self {
        let file = File::options().write(true).open(path).unwrap();
        Self { file, member, clock, counts: [const { AtomicU64::new(0) }; RECORD] }
    }

    /// Counts in the current second.
    pub(crate) fn add(&self, field: Field, count: u32) {
        self.add_at(self.clock.second(), field, count);
    }

    pub(crate) fn add_at(&self, second: usize, field: Field, count: u32) {
        let place = place(second, field);
        let count = self.counts[place].fetch_add(count.into(), Relaxed) + u64::from(count);
        self.write(place, count);
    }

    pub(crate) fn set(&self, field: Field, value: u32) {
        self.write(place(self.clock.second(), field), value.into());
    }

    fn write(&self, place: usize, count: u64) {
        let offset = (self.member * RECORD + place) * size_of::<u64>();
        self.file.write_all_at(&count.to_ne_bytes(), offset as u64).unwrap();
    }
}

fn place(second: usize, field: Field) -> usize {
    second.min(SECONDS - 1) * FIELDS + field as usize
}

/// The counts of a fleet.
pub(crate) struct Totals(Vec<u64>);

impl Totals {
    /// Creates a file with room for the counts of this number of processes.
    pub(crate) fn create(path: &Path, members: usize) {
        File::create(path).unwrap().set_len((members * RECORD * size_of::<u64>()) as u64).unwrap();
    }

    pub(crate) fn read(path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap();
        Self(bytes.chunks_exact(8).map(|count| u64::from_ne_bytes(count.try_into().unwrap())).collect())
    }

    /// The sum of all processes, from the start of the first second to the end of the last one.
    pub(crate) fn all(&self, field: Field, seconds: Range<usize>) -> u64 {
        self.of(0..self.0.len() / RECORD, field, seconds)
    }

    pub(crate) fn of(&self, members: Range<usize>, field: Field, seconds: Range<usize>) -> u64 {
        let count = |member, second| self.0[member * RECORD + place(second, field)];
        members.map(|member| seconds.clone().map(|second| count(member, second)).sum::<u64>()).sum()
    }
}
