//! Kills a worker while one job waits and another one runs. A second worker goes on with the right attempt at the right time.
//!
//! `cargo test -- --nocapture` prints the story. The test with PostgreSQL needs the feature and a database in `DATABASE_URL`.

mod api;
mod processes;

use std::time::{Duration, Instant};

use api::Api;
use processes::{Story, Worker};

const SECOND: Duration = Duration::from_secs(1);

#[cfg(feature = "sqlite")]
#[test]
fn sqlite() {
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("charges.db");
    for file in [file.clone(), file.with_extension("db-wal"), file.with_extension("db-shm")] {
        std::fs::remove_file(file).ok();
    }
    another_worker_goes_on(&format!("sqlite:{}", file.display()));
}

#[cfg(feature = "postgres")]
#[test]
fn postgres() {
    match std::env::var("DATABASE_URL") {
        Ok(url) => another_worker_goes_on(&url),
        Err(_) => println!("skipped: PostgreSQL: DATABASE_URL is not set"),
    }
}

fn another_worker_goes_on(url: &str) {
    let story = Story::begin(url);
    let api = Api::start(story.clone());
    for customer in ["ada", "bob", "eve", "zoe"] {
        story.run(&["push", url, customer]);
    }

    let first = Worker::start(&story, "worker 1", &["work", url, &api.address]);
    first.wait_for("charge zoe: attempt 1 starts");
    first.wait_for("charge ada: attempt 2 failed: status 429; next attempt in 6s");
    std::thread::sleep(SECOND);
    let lines = first.kill();
    assert!(!has(&lines, "charge ada: attempt 3"), "the first worker has made all attempts");
    story.jobs(url);

    let second = Worker::start(&story, "worker 2", &["work", url, &api.address]);
    let jobs = story.jobs_at_end(url, Instant::now() + 30 * SECOND);
    let lines = second.kill();

    let ends = ["ada: Done, 3 attempts", "bob: Killed, 1 attempts", "eve: Killed, 4 attempts", "zoe: Done, 2 attempts"];
    assert!(ends.iter().all(|end| has(&jobs, end)), "{jobs:?}");
    // The attempt after the wait in which the worker was killed, and the one after the attempt in which it was killed.
    assert!(has(&lines, "charge ada: attempt 3 starts") && has(&lines, "charge zoe: attempt 2 starts"), "{lines:?}");
    assert_eq!(lines.iter().filter(|line| line.contains("ada") && line.contains("starts")).count(), 1, "{lines:?}");
    assert!(has(&lines, "charge eve: attempt 4 failed: status 503; gave up: no attempt is left"), "{lines:?}");
    // The backoff, and the server's delay of 6 s instead of 2 s.
    api.assert_delays("ada", &[1, 6]);
    api.assert_delays("eve", &[1, 2, 4]);
    story.tell("test", "attempt 3 of ada came when it was due, with the right number");
}

fn has(lines: &[String], text: &str) -> bool {
    lines.iter().any(|line| line.contains(text))
}
