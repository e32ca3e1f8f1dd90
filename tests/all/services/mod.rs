//! Services that call each other: what a request tells the next service, what a response says about further attempts, and deadlines of
//! callers outside this process.

mod cancelled;
mod captured;
mod counting;
mod cut_off;
mod decorate;
mod formats;
mod layer;
mod limits;
mod multiplying;
mod no_retry;
mod requests;
mod tower;
mod with_axum;
mod with_tonic;
