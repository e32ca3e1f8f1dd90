//! Budgets that many processes share: what a process leases from the pool, what it returns, and what it does without the store.
//!
//! A retry takes 5 tokens. The pool has 500, and a lease has 50, unless the test chooses others.

use std::future::{pending, poll_fn};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use retry_runtime::fleet::{Lease, LeaseRequest, LeaseStore};
use retry_runtime::{Budget, Class, Executor, Failure, Policy};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::support::{Fault, SECOND, ms};

mod failures;
mod model;
mod protocol;
mod settings;

/// A pool in memory, which behaves as told.
#[derive(Default)]
struct Pool(Mutex<State>);

struct State {
    tokens: Option<u32>,
    requests: Vec<(Duration, LeaseRequest)>,
    started: Instant,
    latency: Duration,
    mode: Mode,
}

impl Default for State {
    fn default() -> Self {
        let (tokens, requests, latency) = (None, Vec::new(), ms(1));
        Self { tokens, requests, started: Instant::now(), latency, mode: Mode::Answers }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    Answers,
    Fails,
    Hangs,
    /// It takes the tokens, but the answer never comes.
    LosesAnswers,
    Panics,
    PanicsAtOnce,
    /// It answers, and then its future panics when it is dropped.
    PanicsAtTheEnd,
    /// The answer never comes, and its future panics when it is dropped.
    HangsAndPanics,
    Says(Lease),
}

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("a store panics on purpose when its future is dropped");
    }
}

/// The pool as one process sees it, which has one request at a time.
struct Client {
    pool: Arc<Pool>,
    is_asking: AtomicBool,
}

struct Asking<'a>(&'a AtomicBool);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.store(false, Relaxed);
    }
}

impl Pool {
    fn new() -> Arc<Self> {
        Arc::default()
    }

    fn client(self: &Arc<Self>) -> Client {
        Client { pool: Arc::clone(self), is_asking: AtomicBool::new(false) }
    }

    fn set(&self, mode: Mode) {
        self.0.lock().unwrap().mode = mode;
    }

    fn set_latency(&self, latency: Duration) {
        self.0.lock().unwrap().latency = latency;
    }

    fn fill_with(&self, tokens: u32) {
        self.0.lock().unwrap().tokens = Some(tokens);
    }

    fn tokens(&self) -> Option<u32> {
        self.0.lock().unwrap().tokens
    }

    /// The requests: the credit of each, and the tokens that it wanted.
    fn requests(&self) -> Vec<(u32, u32)> {
        self.0.lock().unwrap().requests.iter().map(|(_, request)| (request.credit, request.want)).collect()
    }

    /// The times of the requests, from the start of the test.
    fn times(&self) -> Vec<Duration> {
        self.0.lock().unwrap().requests.iter().map(|(time, _)| *time).collect()
    }

    fn last(&self) -> LeaseRequest {
        self.0.lock().unwrap().requests.last().unwrap().1
    }

    fn take(&self, request: LeaseRequest) -> Lease {
        let mut state = self.0.lock().unwrap();
        let tokens = state.tokens.unwrap_or(request.capacity).saturating_add(request.credit).min(request.capacity);
        let granted = tokens.min(request.want);
        state.tokens = Some(tokens - granted);
        Lease { granted, left: tokens - granted }
    }
}

impl LeaseStore for Client {
    type Error = String;

    fn lease(&self, request: LeaseRequest) -> impl Future<Output = Result<Lease, String>> + Send {
        let (mode, latency) = {
            let mut state = self.pool.0.lock().unwrap();
            let time = state.started.elapsed();
            state.requests.push((time, request));
            (state.mode, state.latency)
        };
        assert_ne!(mode, Mode::PanicsAtOnce, "a store panics on purpose");
        let bomb = matches!(mode, Mode::PanicsAtTheEnd | Mode::HangsAndPanics).then(|| Bomb);
        let mut answer = Box::pin(async move {
            assert!(!self.is_asking.swap(true, Relaxed), "two requests at the same time");
            let _asking = Asking(&self.is_asking);
            tokio::time::sleep(latency / 2).await;
            let answer = match mode {
                Mode::Answers | Mode::PanicsAtTheEnd => Ok(self.pool.take(request)),
                Mode::Fails => Err("connection refused".to_owned()),
                Mode::Hangs | Mode::HangsAndPanics => pending().await,
                Mode::LosesAnswers => {
                    self.pool.take(request);
                    pending().await
                }
                Mode::Panics | Mode::PanicsAtOnce => panic!("a store panics on purpose"),
                Mode::Says(lease) => Ok(lease),
            };
            tokio::time::sleep(latency / 2).await;
            answer
        });
        poll_fn(move |cx| {
            let _until_dropped = &bomb;
            answer.as_mut().poll(cx)
        })
    }
}

/// A budget that stays until the end of the program, as a static would.
fn leak(budget: Budget) -> &'static Budget {
    Box::leak(Box::new(budget))
}

/// A process of the fleet: its budget, and the task that takes leases from the pool.
fn process(budget: Budget, pool: &Arc<Pool>) -> (&'static Budget, JoinHandle<()>) {
    let budget = leak(budget);
    (budget, tokio::spawn(budget.lease_from(pool.client())))
}

/// Makes a call that fails. Returns true if the budget pays for its retry.
fn fail(budget: &Budget) -> bool {
    let policy = Policy::fixed(Duration::ZERO).attempts(2);
    let mut retry = Executor::new(&policy).budget(budget);
    let Ok(pause) = retry.pause(Fault::TRANSIENT) else { return false };
    pause.block();
    retry.attempt_blocking(|| ());
    true
}

const TIMEOUT: Failure = Failure::new(Class::Transient).after_timeout();

/// Makes a call whose first attempt times out. Returns true if the budget pays for its retry.
fn time_out(budget: &Budget) -> bool {
    let policy = Policy::fixed(Duration::ZERO).attempts(2);
    let mut retry = Executor::new(&policy).budget(budget);
    let Ok(pause) = retry.pause_for(Fault::TRANSIENT, TIMEOUT) else { return false };
    pause.block();
    retry.attempt_blocking(|| ());
    true
}

fn succeed(budget: &Budget, times: u32) {
    let policy = Policy::new();
    for _ in 0..times {
        Executor::new(&policy).budget(budget).succeed(());
    }
}

/// Enough time for a request, and not for the next one that follows an empty pool.
async fn answer() {
    tokio::time::sleep(ms(10)).await;
}

async fn wait(time: Duration) {
    tokio::time::sleep(time).await;
}
