//! Retry storms in virtual time: many calls through the library's own policies, executors and budgets, against simple models of
//! servers.
//!
//! Time, arrivals and servers are simulated. The library makes all decisions about retries. Each run is seeded, so all runs
//! print the same figures.

mod chain;
mod chapter;
mod contention;
mod delays;
mod drawing;
mod failures;
mod fleet;
mod fleets;
mod freeze;
mod guide;
mod herd;
mod labels;
mod outage;
mod page;
mod plot;
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

/// All chapters, in the order of the page.
pub const CHAPTERS: [fn() -> Chapter; 8] = [
    outage::chapter,
    failures::chapter,
    freeze::chapter,
    delays::chapter,
    herd::chapter,
    contention::chapter,
    fleets::chapter,
    chain::chapter,
];
