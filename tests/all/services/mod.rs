//! Services that call each other: what a request tells the next service, and what a response says about further attempts.

mod cancelled;
mod decorate;
mod formats;
mod no_retry;
mod requests;
mod tower;
