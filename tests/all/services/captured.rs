//! `Deadline` as a value: where it comes from, how scopes combine, and what inherits it.

use std::future::pending;
use std::io;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use retry_runtime::{Deadline, Executor, Policy, retry};
use tokio::time::{sleep, timeout};

use crate::support::{SECOND, ms, timed};

fn time_left() -> Option<Duration> {
    Deadline::current().map(|deadline| deadline.remaining())
}

#[tokio::test(start_paused = true)]
async fn deadline_after_some_time_passes() {
    let deadline = Deadline::after(SECOND * 2);
    assert_eq!((deadline.remaining(), deadline.has_passed()), (SECOND * 2, false));
    sleep(SECOND).await;
    assert_eq!((deadline.remaining(), deadline.has_passed()), (SECOND, false));
    sleep(SECOND * 5).await;
    assert_eq!((deadline.remaining(), deadline.has_passed()), (Duration::ZERO, true));
    assert!(Deadline::after(Duration::ZERO).has_passed());
}

#[tokio::test(start_paused = true)]
async fn deadline_that_the_clock_cannot_tell_never_passes() {
    let forever = Deadline::after(Duration::MAX);
    sleep(SECOND * 1_000_000).await;
    assert!(forever.remaining() > Duration::MAX - SECOND * 2_000_000 && !forever.has_passed());
    let inside = forever.scope(async {
        let policy = Policy::fixed(SECOND).attempts(3);
        policy.run(async |attempt| if attempt.is_last() { Ok(()) } else { Err("no") }).when(|_| true).await
    });
    assert_eq!(timed(inside).await, (Ok(()), SECOND * 2));
}

#[tokio::test(start_paused = true)]
async fn there_is_a_deadline_only_inside_of_its_scope() {
    assert_eq!(time_left(), None);
    let deadline = Deadline::after(SECOND * 3);
    let inside = deadline.scope(async {
        sleep(SECOND).await;
        time_left()
    });
    assert_eq!(inside.await, Some(SECOND * 2));
    assert_eq!(time_left(), None);
    assert_eq!(deadline.run(time_left), Some(SECOND * 2));
    assert_eq!(time_left(), None);
}

#[tokio::test(start_paused = true)]
async fn spawned_task_has_a_deadline_only_if_it_inherits_one() {
    let spawned = Deadline::after(SECOND).scope(async {
        (tokio::spawn(async { time_left() }).await, tokio::spawn(Deadline::inherit(async { time_left() })).await)
    });
    let (plain, inherited) = spawned.await;
    assert_eq!((plain.unwrap(), inherited.unwrap()), (None, Some(SECOND)));
    assert_eq!(Deadline::inherit(async { time_left() }).await, None);
}

#[tokio::test]
async fn scope_ends_with_each_poll_and_with_a_panic() {
    let deadline = Deadline::after(SECOND);
    let mut future = pin!(deadline.scope(pending::<()>()));
    assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert_eq!(time_left(), None);
    std::panic::catch_unwind(|| deadline.run(|| panic!("in the scope"))).unwrap_err();
    assert_eq!(time_left(), None);
}

#[tokio::test(start_paused = true)]
async fn earliest_of_nested_deadlines_applies() {
    let (short, long) = (Deadline::after(SECOND), Deadline::after(SECOND * 9));
    for (outer, inner) in [(short, long), (long, short)] {
        let inside = outer.scope(async { inner.scope(async { time_left() }).await });
        assert_eq!(inside.await, Some(SECOND));
        assert_eq!(outer.run(|| (inner.run(time_left), time_left())), (Some(SECOND), Some(outer.remaining())));
    }
}

#[tokio::test(start_paused = true)]
async fn deadline_of_a_call_is_a_deadline_too() {
    #[retry(deadline = "5s")]
    async fn call() -> io::Result<Option<Duration>> {
        sleep(SECOND).await;
        Ok(time_left())
    }
    assert_eq!(call().await.unwrap(), Some(SECOND * 4));
    assert_eq!(Deadline::after(SECOND * 3).scope(call()).await.unwrap(), Some(SECOND * 2));
    assert_eq!(Deadline::after(SECOND * 9).scope(call()).await.unwrap(), Some(SECOND * 4));
}

#[tokio::test(start_paused = true)]
async fn attempt_knows_the_time_that_the_caller_has_left() {
    let remaining = Deadline::after(SECOND * 3).run(|| {
        let policy = Policy::new().deadline(SECOND * 5);
        Executor::new(&policy).current().remaining()
    });
    assert_eq!(remaining, Some(SECOND * 3));
}

#[tokio::test(start_paused = true)]
async fn spawned_work_has_no_deadline_unless_it_takes_one() {
    let inside = Deadline::after(SECOND * 2).scope(async {
        let captured = Deadline::current().unwrap();
        let mut set = tokio::task::JoinSet::new();
        set.spawn(async { time_left() });
        let inherited = [
            tokio::spawn(async { time_left() }).await.unwrap(),
            tokio::task::spawn_blocking(time_left).await.unwrap(),
            set.join_next().await.unwrap().unwrap(),
        ];
        let taken = [
            tokio::spawn(captured.scope(async { time_left() })).await.unwrap(),
            tokio::task::spawn_blocking(move || captured.run(time_left)).await.unwrap(),
        ];
        (inherited, taken)
    });
    assert_eq!(inside.await, ([None; 3], [Some(SECOND * 2); 2]));
}

#[tokio::test(start_paused = true)]
async fn task_that_outlives_the_call_around_it_keeps_the_deadline() {
    #[retry(attempts = 9, backoff = "fixed", start = "1s")]
    async fn inner() -> Result<(), &'static str> {
        Err("no")
    }
    #[retry(deadline = "4s")]
    async fn outer() -> io::Result<tokio::task::JoinHandle<Result<(), &'static str>>> {
        Ok(tokio::spawn(Deadline::current().unwrap().scope(inner())))
    }
    // Retries after 1, 2 and 3 seconds, and no more.
    assert_eq!(timed(outer().await.unwrap()).await.1, SECOND * 3);
}

#[tokio::test(start_paused = true)]
async fn one_line_cuts_anything_off() {
    let deadline = Deadline::after(ms(700));
    let (outcome, took) = timed(timeout(deadline.remaining(), deadline.scope(pending::<()>()))).await;
    assert!(outcome.is_err());
    assert_eq!(took, ms(700));
}

#[test]
fn deadline_is_a_plain_value() {
    fn is_plain<T: Copy + Send + Sync + std::fmt::Debug + 'static>(_: T) {}
    is_plain(Deadline::after(SECOND));
    assert!(format!("{:?}", Deadline::after(Duration::ZERO)).starts_with("Deadline { remaining: 0ns"));
    let future = Deadline::after(Duration::ZERO).scope(pending::<()>());
    assert!(format!("{future:?}").starts_with("WithDeadline"));
}
