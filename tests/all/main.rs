//! Behaviour through the public API, a module a theme.

mod breakers;
mod budgets;
mod by_hand;
mod cancellation;
mod compile;
mod deadlines;
mod derived;
mod edges;
mod events;
mod exported;
mod grpc;
mod guide;
mod hedging;
mod http;
mod http_options;
mod hyper_client;
mod middleware;
mod nesting;
mod options;
mod owned_events;
mod policies;

mod rehearsals;
mod requests;
mod reqwest_012;
mod retried;
mod rules;
mod schedule;
mod server;
mod support;
mod tables;
mod tower_policy;
mod trace;
mod traps;
mod wire;
