//! Behaviour through the public API, a module a theme.

mod by_hand;
mod cancellation;
mod compile;
mod deadlines;
mod derived;
mod edges;
mod events;
mod http;
mod http_options;
mod options;
mod requests;
mod rules;
mod schedule;
mod server;
mod support;
mod tables;
mod trace;
mod traps;
