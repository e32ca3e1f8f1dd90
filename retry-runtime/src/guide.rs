//! Guide: one chapter per topic.
//!
//! | chapter | topics |
//! |---|---|
//! | [`schedule`] | backoff, jitter and the number of attempts |
//! | [`configuration`] | a policy from your own configuration: clap, serde, environment variables |
//! | [`load`] | budgets, deadlines, breakers and hedges; stopping a call |
//! | [`services`] | between processes: deadlines, and retries that do not multiply |
//! | [`http`](crate::http) | idempotency, `Retry-After`, redirects and connections |
//! | [`errors`] | classifying errors as transient or permanent |
//! | [`loops`] | writing the loop yourself; other runtimes; blocking functions |
//! | [`libraries`] | retries inside a crate that others use: their timer, no tokio, no logs |
//! | [`recipes`] | short programs for common tasks, with their tests |
//! | [`durable`] | retries that survive a restart, with a job queue |
//! | [`testing`] | testing functions with retries |
//! | [`operating`] | logs, metrics, runtime configuration |
//! | [`platforms`] | wasm32, without tokio or JavaScript |
//! | [`performance`] | costs, and the commands that measure them |
//! | [`migrating`] | equivalents for users of other crates |
//! | [`comparison`] | differences from other libraries, with figures, and what each of them does better |
//! | [`faq`] | frequently asked questions |
//! | [`limits`] | limitations |
//!
//! The arguments of the attribute are documented [with the attribute](macro@crate::retry). The folder [examples] of the repository
//! has a program for each topic.
//!
//! These modules contain only text. Every example in them is run as a test.
//!
#![doc = concat!("[examples]: ", env!("CARGO_PKG_REPOSITORY"), "/tree/main/examples")]

/// Link definitions for files of the repository: a chapter links to one as `[text][path]`.
macro_rules! files {
    ($($path:literal)+) => {
        concat!($("[", $path, "]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/main/", $path, "\n"),+)
    };
}

// The charts are link definitions whose targets contain the whole SVG, because rustdoc copies no image files. They are in
// files of their own, because the text of a chapter around an SVG could not be read.
#[doc = include_str!("guide/schedule.md")]
#[doc = include_str!("guide/schedule.pictures.md")]
pub mod schedule {}

#[doc = include_str!("guide/configuration.md")]
pub mod configuration {}

#[doc = include_str!("guide/load.md")]
#[doc = include_str!("guide/load.pictures.md")]
pub mod load {}

#[doc = include_str!("guide/services.md")]
#[doc = include_str!("guide/services.pictures.md")]
pub mod services {}

#[doc = include_str!("guide/errors.md")]
pub mod errors {}

#[doc = include_str!("guide/loops.md")]
pub mod loops {}

#[doc = include_str!("guide/libraries.md")]
pub mod libraries {}

#[doc = include_str!("guide/recipes.md")]
pub mod recipes {}

#[doc = include_str!("guide/durable.md")]
///
#[doc = files!("examples/durable")]
pub mod durable {}

#[doc = include_str!("guide/testing.md")]
pub mod testing {}

#[doc = include_str!("guide/operating.md")]
pub mod operating {}

#[doc = include_str!("guide/migrating.md")]
#[doc = include_str!("guide/migrating.requests.md")]
///
#[doc = files!(
    "examples/bodies.rs"
    "examples/body_decides.rs"
    "examples/custom_backoff.rs"
    "examples/deadline.rs"
    "examples/integrations/connections.rs"
    "examples/integrations/log.rs"
    "examples/integrations/middleware.rs"
    "examples/observer.rs"
    "examples/other_parameters.rs"
    "examples/own_client.rs"
    "examples/quickstart/quickstart.rs"
    "examples/random_source.rs"
    "examples/rate_limit.rs"
    "examples/requests.rs"
)]
pub mod migrating {}

// Its examples use the other libraries, so `tests/peers` compiles them.
#[cfg_attr(not(doctest), doc = include_str!("guide/comparison.md"))]
pub mod comparison {}

#[doc = include_str!("guide/faq.md")]
pub mod faq {}

#[doc = include_str!("guide/performance.md")]
pub mod performance {}

#[doc = include_str!("guide/platforms.md")]
pub mod platforms {}

#[doc = include_str!("guide/limits.md")]
pub mod limits {}
