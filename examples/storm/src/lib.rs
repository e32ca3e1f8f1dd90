//! Retry storms in virtual time: many calls through the library's own policies, executors and budgets, against servers that
//! are no more than a rule.
//!
//! What is simulated is the world: time, arrivals and servers. What decides about retries is the library. Each run is seeded,
//! and so prints the same.

mod chapter;
mod contention;
mod delays;
mod failures;
mod freeze;
mod guide;
mod herd;
mod outage;
mod page;
mod plot;
mod processes;
mod random;
mod record;
mod retries;
mod scenario;
mod server;
mod table;
mod world;

pub use self::chapter::Chapter;
pub use self::guide::write_guide;
pub use self::page::page;

/// What there is to measure, in the order in which it is told.
pub const CHAPTERS: [fn() -> Chapter; 7] = [
    outage::chapter,
    failures::chapter,
    freeze::chapter,
    delays::chapter,
    herd::chapter,
    contention::chapter,
    processes::chapter,
];
