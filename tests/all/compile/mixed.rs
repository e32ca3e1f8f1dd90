//! The attribute, a hand-written loop and a loop that does not retry, in one function.

use std::io;
use std::ops::ControlFlow::{Break, Continue};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use retry_runtime::{Condition, Event, Executor, Observer, Policy, retry};

use super::Flaky;

/// The content of an event, except for the name of its call.
type Content = (u32, Option<u32>, Duration, String);

#[derive(Default)]
struct Log(Mutex<Vec<(String, Content)>>);

impl Observer for Log {
    fn on_event(&self, event: &Event<'_>) {
        let content = (event.attempt, event.attempts, event.elapsed, format!("{:?} {event}", event.kind));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((event.name.to_owned(), content));
    }
}

impl Log {
    fn of(&self, name: &str) -> Vec<Content> {
        let log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.iter().filter(|(of, _)| of == name).map(|(_, content)| content.clone()).collect()
    }

    fn names(&self) -> Vec<String> {
        let log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut names: Vec<_> = log.iter().map(|(name, _)| name.clone()).collect();
        names.dedup();
        names
    }
}

/// Refuses the first two requests of each kind.
#[derive(Default)]
struct Server {
    pulls: Flaky,
    pushes: Flaky,
}

impl Server {
    fn respond(flaky: &Flaky) -> io::Result<u32> {
        if flaky.fails() { Err(io::ErrorKind::ConnectionRefused.into()) } else { Ok(flaky.attempts()) }
    }
}

#[retry(start = "1s", name = "pull", observer = log)]
async fn pull(server: &Server, log: &Log) -> io::Result<u32> {
    Server::respond(&server.pulls)
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
            let outcome = retry.attempt(async { Server::respond(&server.pushes) }).await;
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
async fn annotated_and_manual_loops_work_in_one_function() {
    let (server, log) = (Server::default(), Log::default());
    let start = tokio::time::Instant::now();
    assert_eq!(synchronize(&server, &log).await.unwrap(), 2);
    assert_eq!((server.pulls.attempts(), server.pushes.attempts()), (4, 4));
    assert_eq!(start.elapsed(), 2 * Duration::from_secs(1 + 2));
    assert_eq!(log.names(), ["pull", "push", "pull", "push"]);
}

#[tokio::test(start_paused = true)]
async fn annotated_and_manual_loops_emit_the_same_events() {
    let (server, log) = (Server::default(), Log::default());
    synchronize(&server, &log).await.unwrap();
    let content = log.of("pull");
    assert_eq!(content, log.of("push"));
    // Three events for each of the two attempts that fail, two events for each of the two that succeed.
    assert_eq!(content.len(), 2 * 3 + 2 * 2);
    let (attempt, attempts, elapsed, waiting) = &content[5];
    assert_eq!((*attempt, *attempts, *elapsed), (2, Some(3), Duration::from_secs(1)));
    assert_eq!(waiting, "Waiting { delay: 2s, source: Backoff } next attempt in 2s");
}
