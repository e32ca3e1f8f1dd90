//! The attribute, a loop by hand and a loop that retries nothing, in one function.

use std::io;
use std::ops::ControlFlow::{Break, Continue};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use retry_runtime::{Condition, Event, Executor, Observer, Policy, retry};

use super::Flaky;

/// What an event says, but for the name of its call.
type Said = (u32, Option<u32>, Duration, String);

#[derive(Default)]
struct Log(Mutex<Vec<(String, Said)>>);

impl Observer for Log {
    fn on_event(&self, event: &Event<'_>) {
        let said = (event.attempt, event.attempts, event.elapsed, format!("{:?} {event}", event.kind));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((event.name.to_owned(), said));
    }
}

impl Log {
    fn of(&self, name: &str) -> Vec<Said> {
        let log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.iter().filter(|(of, _)| of == name).map(|(_, said)| said.clone()).collect()
    }

    fn names(&self) -> Vec<String> {
        let log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut names: Vec<_> = log.iter().map(|(name, _)| name.clone()).collect();
        names.dedup();
        names
    }
}

/// Refuses twice for each of the two kinds of requests.
#[derive(Default)]
struct Server {
    pulls: Flaky,
    pushes: Flaky,
}

impl Server {
    fn answer(flaky: &Flaky) -> io::Result<u32> {
        if flaky.fails() { Err(io::ErrorKind::ConnectionRefused.into()) } else { Ok(flaky.attempts()) }
    }
}

#[retry(start = "1s", name = "pull", observer = log)]
async fn pull(server: &Server, log: &Log) -> io::Result<u32> {
    Server::answer(&server.pulls)
}

const POLICY: Policy = Policy::exponential(Duration::from_secs(1));

/// Pulls and pushes until the server has seen four pushes.
async fn synchronize(server: &Server, log: &Log) -> io::Result<u32> {
    let mut rounds = 0;
    loop {
        rounds += 1;
        pull(server, log).await?;
        let mut retry = Executor::new(&POLICY).name("push").observer(log);
        let pushes = loop {
            let outcome = retry.attempt(async { Server::answer(&server.pushes) }).await;
            match retry.next(outcome, &Condition::new()) {
                Break(outcome) => break outcome?,
                Continue(pause) => pause.await,
            }
        };
        if pushes >= 4 {
            return Ok(rounds);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_loops_mix_in_one_function() {
    let (server, log) = (Server::default(), Log::default());
    let start = tokio::time::Instant::now();
    assert_eq!(synchronize(&server, &log).await.unwrap(), 2);
    assert_eq!((server.pulls.attempts(), server.pushes.attempts()), (4, 4));
    assert_eq!(start.elapsed(), 2 * Duration::from_secs(1 + 2));
    assert_eq!(log.names(), ["pull", "push", "pull", "push"]);
}

#[tokio::test(start_paused = true)]
async fn events_say_the_same_of_both() {
    let (server, log) = (Server::default(), Log::default());
    synchronize(&server, &log).await.unwrap();
    let said = log.of("pull");
    assert_eq!(said, log.of("push"));
    // Three for each of the two attempts that fail, two for each of the two that succeed.
    assert_eq!(said.len(), 2 * 3 + 2 * 2);
    let (attempt, attempts, elapsed, waiting) = &said[5];
    assert_eq!((*attempt, *attempts, *elapsed), (2, Some(3), Duration::from_secs(1)));
    assert_eq!(waiting, "Waiting { delay: 2s, source: Backoff } next attempt in 2s");
}
