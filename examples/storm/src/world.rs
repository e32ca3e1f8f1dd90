//! Virtual time: an executor whose clock jumps from one timer to the next.
//!
//! tokio's paused clock is not precise enough: its timers have a resolution of milliseconds, so clients that contend for a row
//! would meet more often. In this executor, tasks also become ready at the same times and in the same order in each run.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use tokio::runtime::Builder;

/// The maximum lag of tokio's clock, which ratio budgets read. Their windows are seconds long.
const LAG: Duration = Duration::from_millis(10);

thread_local! {
    /// The world that runs on this thread.
    static RUNNING: RefCell<Option<World>> = const { RefCell::new(None) };
}

/// Returns the time of the world that runs on this thread.
pub(super) fn now() -> Duration {
    RUNNING.with_borrow(|world| world.as_ref().map(World::now).expect("a world is running"))
}

/// Sleeps in the world that runs on this thread. Unlike [`World::sleep`], the future is `Send`.
pub(super) fn sleep(delay: Duration) -> impl Future<Output = ()> + Send {
    let until = now() + delay;
    let mut is_set = false;
    poll_fn(move |cx| {
        if now() >= until {
            return Poll::Ready(());
        }
        if !is_set {
            is_set = true;
            RUNNING.with_borrow(|world| world.iter().for_each(|world| world.set_timer(until, cx.waker().clone())));
        }
        Poll::Pending
    })
}

/// A clock and its tasks. A clone refers to the same world.
#[derive(Clone, Default)]
pub(super) struct World(Rc<Inner>);

#[derive(Default)]
struct Inner {
    now: Cell<Duration>,
    timers: RefCell<BinaryHeap<Reverse<Timer>>>,
    /// The number of timers so far.
    count: Cell<u64>,
    /// Tasks by number. The entry of a completed task, and of the task that is being polled, is `None`.
    tasks: RefCell<Vec<Option<Task>>>,
    unfinished: Cell<usize>,
    ready: Arc<Ready>,
}

struct Task {
    future: Pin<Box<dyn Future<Output = ()>>>,
    waker: Waker,
}

/// The tasks to poll, in the order of their wake-ups. This is a mutex because a waker has to be `Sync`.
type Ready = Mutex<VecDeque<usize>>;

fn wake(ready: &Ready, task: usize) {
    ready.lock().unwrap_or_else(PoisonError::into_inner).push_back(task);
}

struct WakeTask {
    task: usize,
    ready: Arc<Ready>,
}

impl Wake for WakeTask {
    fn wake(self: Arc<Self>) {
        wake(&self.ready, self.task);
    }
}

/// A timer. Timers with the same time fire in the order of their creation.
struct Timer {
    until: Duration,
    number: u64,
    waker: Waker,
}

impl Timer {
    const fn key(&self) -> (Duration, u64) {
        (self.until, self.number)
    }
}

impl Ord for Timer {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Timer {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Timer {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Timer {}

impl World {
    /// Returns the time since the start of the simulation.
    pub(super) fn now(&self) -> Duration {
        self.0.now.get()
    }

    pub(super) fn sleep(&self, delay: Duration) -> impl Future<Output = ()> + use<> {
        let world = self.clone();
        let until = self.now() + delay;
        let mut is_set = false;
        poll_fn(move |cx| {
            if world.now() >= until {
                return Poll::Ready(());
            }
            if !is_set {
                is_set = true;
                world.set_timer(until, cx.waker().clone());
            }
            Poll::Pending
        })
    }

    fn set_timer(&self, until: Duration, waker: Waker) {
        let timer = Timer { until, number: self.0.count.get(), waker };
        self.0.count.set(timer.number + 1);
        self.0.timers.borrow_mut().push(Reverse(timer));
    }

    pub(super) fn spawn(&self, future: impl Future<Output = ()> + 'static) {
        let mut tasks = self.0.tasks.borrow_mut();
        let task = tasks.len();
        let waker = Arc::new(WakeTask { task, ready: Arc::clone(&self.0.ready) }).into();
        tasks.push(Some(Task { future: Box::pin(future), waker }));
        self.0.unfinished.set(self.0.unfinished.get() + 1);
        wake(&self.0.ready, task);
    }

    /// Runs until every task has completed.
    pub(super) fn run(&self) {
        RUNNING.set(Some(self.clone()));
        let clock =
            Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime without I/O");
        clock.block_on(async {
            let mut advanced = Duration::ZERO;
            while self.poll_ready_tasks() {
                self.jump();
                if self.now() - advanced >= LAG {
                    tokio::time::advance(self.now() - advanced).await;
                    advanced = self.now();
                }
            }
        });
        RUNNING.set(None);
    }

    /// Polls the tasks that are ready. Returns whether any tasks are left.
    fn poll_ready_tasks(&self) -> bool {
        while let Some(id) = self.next_ready() {
            // The task may have completed before one of its timers.
            let Some(mut task) = self.0.tasks.borrow_mut()[id].take() else { continue };
            if task.future.as_mut().poll(&mut Context::from_waker(&task.waker)).is_pending() {
                self.0.tasks.borrow_mut()[id] = Some(task);
            } else {
                self.0.unfinished.set(self.0.unfinished.get() - 1);
            }
        }
        self.0.unfinished.get() > 0
    }

    fn next_ready(&self) -> Option<usize> {
        self.0.ready.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    fn jump(&self) {
        let Reverse(timer) = self.0.timers.borrow_mut().pop().expect("every pending task waits for a timer");
        self.0.now.set(timer.until);
        timer.waker.wake();
    }
}
