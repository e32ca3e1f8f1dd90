//! Guide: one chapter per topic.
//!
//! | chapter | topics |
//! |---|---|
//! | [`schedule`] | backoff, jitter and the number of attempts |
//! | [`configuration`] | a policy from your own configuration: clap, serde, environment variables |
//! | [`load`] | budgets, deadlines, breakers and hedges; stopping a call |
//! | [`services`] | across processes: deadlines and retries that do not multiply, one 429 for all, budgets of a fleet |
//! | [`http`](crate::http) | idempotency, `Retry-After`, redirects and connections |
//! | [`errors`] | classifying errors as transient or permanent |
//! | [`loops`] | writing the loop yourself; other runtimes; blocking functions |
//! | [`recipes`] | short programs for common tasks, with their tests |
//! | [`durable`] | retries that survive a restart, with a job queue |
//! | [`testing`] | testing functions with retries |
//! | [`operating`] | logs, metrics, runtime configuration |
//! | [`migrating`] | equivalents for users of other crates |
//! | [`faq`] | frequently asked questions |
//! | [`limits`] | limitations |
//!
//! The arguments of the attribute are documented [with the attribute](macro@crate::retry). The folder `examples` of the repository
//! has a program for each topic.
//!
//! These modules contain only text. Every example in them is run as a test.

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

#[doc = include_str!("guide/recipes.md")]
pub mod recipes {}

#[doc = include_str!("guide/durable.md")]
pub mod durable {}

#[doc = include_str!("guide/testing.md")]
pub mod testing {}

#[doc = include_str!("guide/operating.md")]
pub mod operating {}

#[doc = include_str!("guide/migrating.md")]
pub mod migrating {}

#[doc = include_str!("guide/faq.md")]
pub mod faq {}

#[doc = include_str!("guide/limits.md")]
pub mod limits {}
