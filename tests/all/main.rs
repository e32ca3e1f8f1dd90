//! Behaviour through the public API, a module a theme.

mod budgets;
mod by_hand;
mod cancellation;
mod compile;
mod deadlines;
mod derived;
mod edges;
mod events;
mod grpc;
mod http;
mod http_options;
mod hyper_client;
mod middleware;
mod nesting;
mod options;
mod requests;
mod reqwest_012;
mod rules;
mod schedule;
mod server;
mod support;
mod tables;
mod tower_policy;
mod trace;
mod traps;
mod wire;
