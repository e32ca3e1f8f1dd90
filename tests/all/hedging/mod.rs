//! Hedged attempts, through `Hedge::run` and the attribute.

mod attribute;
mod breaker;
mod forms;
mod hedge_run;
mod starvation;

use std::sync::Mutex;
use std::time::Duration;

use retry_runtime::Hedge;
use tokio::time::sleep;

use crate::support::{Attempts, Fault};

const HEDGE: Hedge = Hedge::after(Duration::from_millis(50));

/// Copies that take a given time and then return their number or an error. Records the copies that are dropped before their
/// end.
#[derive(Default)]
struct Copies {
    dropped: Mutex<Vec<u32>>,
}

struct Running<'a>(&'a Copies, u32, bool);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if !self.2 {
            self.0.dropped.lock().unwrap().push(self.1);
        }
    }
}

impl Copies {
    async fn run(&self, number: u32, takes: Duration, error: Option<Fault>) -> Result<u32, Fault> {
        let mut running = Running(self, number, false);
        sleep(takes).await;
        running.2 = true;
        error.map_or(Ok(number), Err)
    }

    fn dropped(&self) -> Vec<u32> {
        self.dropped.lock().unwrap().clone()
    }
}

type Outcome = Result<u32, Fault>;

/// The duration of each copy, and its error if it fails.
struct Plan<const N: usize> {
    attempts: Attempts,
    copies: Copies,
    takes: [(Duration, Option<Fault>); N],
}

impl<const N: usize> Plan<N> {
    fn new(takes: [(Duration, Option<Fault>); N]) -> Self {
        Self { attempts: Attempts::new(), copies: Copies::default(), takes }
    }

    async fn copy(&self) -> Outcome {
        let number = self.attempts.start();
        let (takes, error) = self.takes[number as usize - 1];
        self.copies.run(number, takes, error).await
    }
}
