//! A response that is retried is read to its end during the pause, so that the next attempt finds its connection
//! free again.

use core::fmt;
use core::pin::Pin;
use core::task::Context;

use reqwest::Response;

use crate::outcome::Sides;
use crate::pause::{Leftover, PutAway};

/// What is left unread of a body that is longer is not worth a connection.
const MOST: usize = 64 * 1024;

/// An answer whose body may be unread.
pub trait Unread {
    /// Reads it to its end, within bounds.
    fn read_to_end(self) -> Reading;
}

impl Unread for Response {
    fn read_to_end(self) -> Reading {
        Reading(Some(Box::pin(read(self))))
    }
}

async fn read(mut response: Response) {
    let mut left = MOST;
    while let Ok(Some(chunk)) = response.chunk().await {
        let Some(rest) = left.checked_sub(chunk.len()) else { return };
        left = rest;
    }
}

/// Reads the answer of an outcome to its end.
#[derive(Clone, Copy, Debug)]
pub struct ReadToEnd;

impl<O: Sides<Answer: Unread>> PutAway<O> for ReadToEnd {
    type Leftover = Reading;

    fn put_away(self, outcome: O) -> Reading {
        outcome.into_answer().map_or(Reading(None), Unread::read_to_end)
    }
}

/// A body that is being read; nothing once it is done.
pub struct Reading(Option<Pin<Box<dyn Future<Output = ()> + Send>>>);

impl Leftover for Reading {
    fn poll(&mut self, cx: &mut Context<'_>) {
        if self.0.as_mut().is_some_and(|reading| reading.as_mut().poll(cx).is_ready()) {
            self.0 = None;
        }
    }
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Reading").field(&self.0.is_some()).finish()
    }
}
