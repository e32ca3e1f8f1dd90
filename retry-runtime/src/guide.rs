//! The guide: a chapter for each question that comes after the first example.
//!
//! | chapter | question |
//! |---|---|
//! | [`schedule`] | Which backoff, which jitter, how many attempts? |
//! | [`load`] | How do retries not bring a service down, and how do I stop waiting? |
//! | [`http`](crate::http) | Which requests are sent again, and what do servers and connections say to it? |
//! | [`errors`] | How does an error of mine say what is worth another attempt? |
//! | [`by_hand`] | How do I write the loop myself? |
//! | [`testing`] | How do I test a function that waits? |
//! | [`operating`] | What do the events mean, and what is to be done about them? |
//! | [`migrating`] | What is the counterpart of what I use now? |
//! | [`faq`] | Why is it as it is, and why does it not do what I expected? |
//! | [`limits`] | What does it not do? |
//!
//! The arguments of the attribute are on [its own page](macro@crate::retry). In the repository, `examples` has a program for each
//! question of a user.
//!
//! There is nothing in these modules but text. All that looks like a program of this library is run as a test.

#[doc = include_str!("guide/schedule.md")]
#[doc = include_str!("guide/schedule.pictures.md")]
pub mod schedule {}

#[doc = include_str!("guide/load.md")]
#[doc = include_str!("guide/load.pictures.md")]
pub mod load {}

#[doc = include_str!("guide/errors.md")]
pub mod errors {}

#[doc = include_str!("guide/by_hand.md")]
pub mod by_hand {}

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
