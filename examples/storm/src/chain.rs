//! Chain: an edge and three services. Each calls the next with up to three attempts, and the last one fails.
//!
//! Each service handles a request in its own task, so it knows about its caller only what the request says. A request
//! cannot be recalled, as behind a proxy.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::ops::ControlFlow::{Break, Continue};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use retry_runtime::{Condition, Deadline, Executor, Policy};

use super::chapter::Chapter;
use super::random;
use super::scenario::SEED;
use super::server::Fault;
use super::table::Table;
use super::world::World;

/// The edge and the services.
pub(super) const NAMES: [&str; 4] = ["edge", "A", "B", "C"];
const LAST: usize = 3;
/// The time that the last service works until it fails.
const WORK: Duration = Duration::from_millis(300);

/// The headers of requests and responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Headers {
    /// Nothing about deadlines and retries.
    None,
    /// The time left, and whether a failure has been retried.
    Propagated,
}

struct Chain {
    world: World,
    headers: Headers,
    /// The deadline of the edge.
    deadline: Option<Duration>,
    /// The requests that each service has received.
    requests: [Cell<u32>; 4],
    /// The time at which each service has stopped to work.
    stopped: [Cell<Duration>; 4],
}

/// The results of a call.
pub(super) struct Outcome {
    /// The requests that each service has received.
    pub(super) requests: [u32; 4],
    /// The time at which each service has stopped to work.
    pub(super) stopped: [Duration; 4],
}

pub(super) fn run(headers: Headers, deadline: Option<Duration>) -> Outcome {
    random::seed(SEED);
    let chain = Rc::new(Chain {
        world: World::default(),
        headers,
        deadline,
        requests: Default::default(),
        stopped: Default::default(),
    });
    chain.world.spawn(serve(Rc::clone(&chain), 0, Reply::default()));
    chain.world.run();
    Outcome { requests: chain.requests.each_ref().map(Cell::get), stopped: chain.stopped.each_ref().map(Cell::get) }
}

impl Chain {
    /// The policy of a service.
    fn policy(&self, service: usize) -> Policy {
        let policy = Policy::new().attempts(3).attempt_timeout(Duration::from_secs(60)).random_source(random::uniform);
        match self.deadline {
            Some(deadline) if service == 0 => policy.deadline(deadline),
            _ => policy,
        }
    }

    fn is_propagated(&self) -> bool {
        self.headers == Headers::Propagated
    }

    /// Does the work of the last service, until its caller stops waiting.
    async fn work(&self) -> Result<(), Fault> {
        let left = Deadline::current().map_or(WORK, |deadline| deadline.remaining());
        self.world.sleep(WORK.min(left)).await;
        Err(Fault::Refused)
    }
}

/// Handles a request. The deadline of the caller is around it.
async fn serve(chain: Rc<Chain>, service: usize, reply: Reply) {
    chain.requests[service].set(chain.requests[service].get() + 1);
    let outcome = if service == LAST { chain.work().await } else { call_next(&chain, service).await };
    chain.stopped[service].set(chain.world.now());
    reply.send(outcome);
}

async fn call_next(chain: &Rc<Chain>, service: usize) -> Result<(), Fault> {
    let policy = chain.policy(service);
    let mut retry = Executor::new(&policy).sleep(|delay| chain.world.sleep(delay));
    loop {
        let outcome = retry.attempt(request(chain, service + 1)).await;
        match retry.next(outcome, &Condition::new()) {
            // The response says that the failure has been retried.
            Break(outcome) if chain.is_propagated() => break outcome.map_err(|_| Fault::RetriedBelow),
            Break(outcome) => break outcome,
            Continue(pause) => pause.await,
        }
    }
}

/// Sends a request to a service, which another task handles.
async fn request(chain: &Rc<Chain>, service: usize) -> Result<(), Fault> {
    let reply = Reply::default();
    let handler = serve(Rc::clone(chain), service, reply.clone());
    let left = Deadline::current().filter(|_| chain.is_propagated()).map(|deadline| deadline.remaining());
    let handler: Pin<Box<dyn Future<Output = ()>>> = match left {
        Some(left) => Box::pin(Deadline::after(left).scope(handler)),
        None => Box::pin(handler),
    };
    chain.world.spawn(handler);
    reply.receive().await
}

/// The response to a request.
#[derive(Clone, Default)]
struct Reply(Rc<RefCell<Response>>);

#[derive(Default)]
struct Response {
    outcome: Option<Result<(), Fault>>,
    waker: Option<Waker>,
}

impl Reply {
    fn send(&self, outcome: Result<(), Fault>) {
        let mut response = self.0.borrow_mut();
        response.outcome = Some(outcome);
        response.waker.take().into_iter().for_each(Waker::wake);
    }

    async fn receive(&self) -> Result<(), Fault> {
        poll_fn(|cx| {
            let mut response = self.0.borrow_mut();
            response.waker = Some(cx.waker().clone());
            response.outcome.take().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

pub(super) const DEADLINE: Duration = Duration::from_secs(1);

pub(super) fn chapter() -> Chapter {
    let mut requests = Table::new(&["requests that each service receives", "A", "B", "C"]);
    let mut stopped = Table::new(&["deadline of 1 s at the edge: last work of", "edge", "A", "B", "C"]);
    for (name, headers) in [("without propagation", Headers::None), ("with propagation", Headers::Propagated)] {
        requests.row(name, run(headers, None).requests[1..].iter().map(u32::to_string));
        let times = run(headers, Some(DEADLINE)).stopped;
        stopped.row(name, times.map(|time| format!("{:.1} s", time.as_secs_f64())));
    }
    Chapter {
        title: "A chain of services",
        text: "An edge calls service A, which calls B, which calls C. Each makes up to three attempts, and C fails after 300 ms. \
               Without propagation, every failure is retried in three places. With it, a response says that the failure has \
               been retried, and a request says how much time is left.",
        tables: vec![requests, stopped],
        plots: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_propagation_retries_multiply() {
        assert_eq!(run(Headers::None, None).requests, [1, 3, 9, 27]);
    }

    #[test]
    fn with_propagation_only_the_service_above_the_failure_retries() {
        assert_eq!(run(Headers::Propagated, None).requests, [1, 1, 1, 3]);
    }

    #[test]
    fn with_propagation_no_service_works_after_the_deadline_of_the_edge() {
        // Deadlines are read from a clock that lags behind by up to 10 ms.
        let late = DEADLINE + Duration::from_millis(15);
        let stopped = run(Headers::Propagated, Some(DEADLINE)).stopped;
        assert!(stopped.iter().all(|time| *time <= late), "{stopped:?}");
        let [edge, rest @ ..] = run(Headers::None, Some(DEADLINE)).stopped;
        assert!(edge <= late && rest.iter().all(|time| *time > DEADLINE * 3), "{edge:?} and {rest:?}");
    }
}
