//! Reports: statistics of all calls, by name.

use std::fmt::Display;
use std::future::{pending, ready};
use std::time::Duration;

use retry_runtime::http::{RequestRetry, SendWithRetry};
use retry_runtime::stats::{CallStats, ReportRow, report};
use retry_runtime::tower::TowerPolicy;
use retry_runtime::{Executor, Policy, retry};
use tokio::time::timeout;
use tower::{ServiceBuilder, ServiceExt, service_fn};

use crate::support::server::{Server, client};
use crate::support::{Attempts, Fault, Recorder, SECOND, ms};

/// The row of a name. Each test uses its own names, because the report covers the whole process.
fn row(name: &str) -> ReportRow {
    let mut rows = report().rows.into_iter().filter(|row| row.name == name);
    let row = rows.next().unwrap_or_else(|| panic!("the report has no row `{name}`"));
    assert_eq!(rows.next(), None);
    row
}

fn counts(name: &str) -> [u64; 5] {
    let ReportRow { calls, attempts, recovered, gave_up, cancelled, .. } = row(name);
    [calls, attempts, recovered, gave_up, cancelled]
}

#[tokio::test(start_paused = true)]
async fn annotated_functions_are_reported() {
    #[retry(attempts = 3, start = "1s")]
    async fn load(attempts: &Attempts, succeed_at: u32, error: Fault) -> Result<u32, Fault> {
        if succeed_at == 0 && attempts.count() == 1 {
            pending::<()>().await;
        }
        attempts.succeed_at(succeed_at.max(1 + u32::from(succeed_at == 0)), error)
    }
    let name = concat!(module_path!(), "::load");
    assert!(report().rows.iter().all(|row| row.name != name), "never called");
    for _ in 0..4 {
        load(&Attempts::new(), 1, Fault::UNKNOWN).await.unwrap();
    }
    assert_eq!(counts(name), [4, 4, 0, 0, 0]);
    load(&Attempts::new(), 3, Fault::UNKNOWN).await.unwrap();
    assert_eq!(counts(name), [5, 7, 1, 0, 0]);
    load(&Attempts::new(), 9, Fault::UNKNOWN).await.unwrap_err();
    load(&Attempts::new(), 9, Fault::PERMANENT).await.unwrap_err();
    assert_eq!(counts(name), [7, 11, 1, 2, 0]);
    timeout(SECOND * 2, load(&Attempts::new(), 0, Fault::UNKNOWN)).await.unwrap_err();
    assert_eq!(counts(name), [8, 12, 1, 2, 1]);
    let ReportRow { gave_up_by_reason, waited, amplification, .. } = row(name);
    assert_eq!(gave_up_by_reason.into_iter().collect::<Vec<_>>(), [("exhausted", 1), ("permanent", 1)]);
    assert_eq!((waited, amplification), (SECOND * 7, 1.5));
}

#[tokio::test(start_paused = true)]
async fn call_that_waits_for_its_value_has_not_failed() {
    #[retry(attempts = 3, start = "1s", until = |value| *value == at, name = "reports::polling")]
    async fn poll(attempts: &Attempts, at: u32, fails_at: u32) -> std::io::Result<u32> {
        let number = attempts.start();
        if number == fails_at { Err(std::io::Error::other("lost")) } else { Ok(number) }
    }
    poll(&Attempts::new(), 3, 0).await.unwrap();
    assert_eq!(counts("reports::polling"), [1, 1, 0, 0, 0]);
    poll(&Attempts::new(), 9, 0).await.unwrap_err();
    assert_eq!(counts("reports::polling"), [2, 2, 0, 1, 0]);
    // The failure and the success count, the values that were not ready do not.
    poll(&Attempts::new(), 3, 2).await.unwrap();
    assert_eq!(counts("reports::polling"), [3, 4, 1, 1, 0]);
    // Nothing has failed yet.
    timeout(ms(500), poll(&Attempts::new(), 3, 0)).await.unwrap_err();
    assert_eq!(counts("reports::polling"), [3, 4, 1, 1, 0]);
}

#[tokio::test(start_paused = true)]
async fn observer_does_not_change_the_report() {
    #[retry(attempts = 3, start = "1s", observer = recorder, name = "reports::observed")]
    async fn load(recorder: &Recorder, attempts: &Attempts, succeed_at: u32) -> Result<u32, Fault> {
        attempts.succeed_at(succeed_at, Fault::UNKNOWN)
    }
    for succeed_at in [1, 1, 2, 9] {
        let _ = load(&Recorder::new(), &Attempts::new(), succeed_at).await;
    }
    timeout(SECOND / 2, load(&Recorder::new(), &Attempts::new(), 2)).await.unwrap_err();
    assert_eq!(counts("reports::observed"), [5, 8, 1, 1, 1]);
}

#[tokio::test]
async fn generic_functions_and_methods_are_reported() {
    trait Load {
        const ATTEMPTS: u32;

        #[retry(attempts = Self::ATTEMPTS, start = "0s", name = "reports::default method")]
        async fn load(&self, attempts: &Attempts) -> Result<u32, Fault> {
            attempts.succeed_at(Self::ATTEMPTS, Fault::UNKNOWN)
        }
    }
    struct One;
    struct Two;
    impl Load for One {
        const ATTEMPTS: u32 = 1;
    }
    impl Load for Two {
        const ATTEMPTS: u32 = 2;
    }
    #[retry(attempts = N, start = "0s", name = "reports::generic")]
    async fn generic<const N: u32, T: Display>(attempts: &Attempts, value: &T) -> Result<String, Fault> {
        attempts.succeed_at(N, Fault::UNKNOWN).map(|_| value.to_string())
    }
    One.load(&Attempts::new()).await.unwrap();
    Two.load(&Attempts::new()).await.unwrap();
    assert_eq!(counts("reports::default method"), [2, 3, 1, 0, 0]);
    generic::<1, _>(&Attempts::new(), &'a').await.unwrap();
    generic::<2, _>(&Attempts::new(), &7).await.unwrap();
    assert_eq!(counts("reports::generic"), [2, 3, 1, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn manual_loops_are_reported() {
    static STATS: CallStats = CallStats::new("reports::with stats");
    const POLICY: Policy = Policy::fixed(SECOND);
    let name = format!("reports::{}", "named");
    for succeed_at in [1, 2] {
        for retry in [Executor::new(&POLICY).name(&name), Executor::new(&POLICY).stats(&STATS)] {
            let (mut retry, attempts) = (retry, Attempts::new());
            let outcome: Result<u32, Fault> = loop {
                match retry.attempt(ready(attempts.succeed_at(succeed_at, Fault::UNKNOWN))).await {
                    Ok(value) => break Ok(retry.succeed(value)),
                    Err(error) => match retry.pause(error) {
                        Ok(pause) => pause.await,
                        Err(error) => break Err(error),
                    },
                }
            };
            outcome.unwrap();
        }
    }
    assert_eq!(counts("reports::named"), [2, 3, 1, 0, 0]);
    assert_eq!(counts(STATS.name()), [2, 3, 1, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn requests_and_services_are_reported() {
    static RETRY: RequestRetry = RequestRetry::new(Policy::fixed(SECOND)).name("reports::request");
    for statuses in [[200, 200], [503, 200], [404, 404]] {
        let server = Server::statuses(statuses).await;
        client().get(&server.url).send_with_retry(&RETRY).await.unwrap();
    }
    assert_eq!(counts("reports::request"), [3, 4, 1, 1, 0]);
    let attempts = Attempts::new();
    let jobs = service_fn(|_: ()| ready(attempts.succeed_at(2, Fault::UNKNOWN)));
    let policy = TowerPolicy::new(Policy::new()).name("reports::service");
    ServiceBuilder::new().retry(policy).service(jobs).oneshot(()).await.unwrap();
    assert_eq!(counts("reports::service"), [1, 2, 1, 0, 0]);
}

#[test]
fn blocking_functions_are_reported() {
    #[retry(attempts = 2, start = "0s", blocking, name = "reports::blocking")]
    fn load(attempts: &Attempts, succeed_at: u32) -> Result<u32, Fault> {
        attempts.succeed_at(succeed_at, Fault::UNKNOWN)
    }
    for succeed_at in [1, 2, 3] {
        let _ = load(&Attempts::new(), succeed_at);
    }
    assert_eq!(counts("reports::blocking"), [3, 5, 1, 1, 0]);
}

#[test]
fn no_count_is_lost_between_threads() {
    #[retry(attempts = 2, start = "0s", blocking, name = "reports::threads")]
    fn load(attempts: &Attempts, succeed_at: u32) -> Result<u32, Fault> {
        attempts.succeed_at(succeed_at, Fault::UNKNOWN)
    }
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| {
                for n in 0..1000 {
                    load(&Attempts::new(), 1 + n % 2).unwrap();
                    let mut retry = Executor::new(&const { Policy::new() }).name("reports::names of threads");
                    retry.succeed(n);
                }
            });
        }
    });
    assert_eq!(counts("reports::threads"), [4000, 6000, 2000, 0, 0]);
    assert_eq!(counts("reports::names of threads"), [4000, 4000, 0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn endless_delay_does_not_overflow() {
    static STATS: CallStats = CallStats::new("reports::forever");
    for _ in 0..2 {
        let policy = Policy::fixed(Duration::MAX);
        let mut retry = Executor::new(&policy).stats(&STATS);
        drop(retry.pause("no").unwrap());
    }
    assert_eq!((counts(STATS.name()), row(STATS.name()).waited.as_secs()), ([2, 2, 0, 0, 2], u64::MAX / 1_000_000_000));
}

/// The name contains characters that each format has to escape.
#[tokio::test(start_paused = true)]
async fn report_is_available_as_a_table_a_page_and_json() {
    const NAME: &str = "reports::<script>alert(\"1\")</script> & 'co'\n";
    static SHORT: CallStats = CallStats::new("reports::a");
    let policy = Policy::fixed(ms(1500));
    for stats in [&SHORT, {
        static STATS: CallStats = CallStats::new(NAME);
        &STATS
    }] {
        let mut retry = Executor::new(&policy).stats(stats);
        retry.pause("no").unwrap().await;
        retry.pause("no").unwrap().await;
        retry.fail("no");
    }

    let mut report = report();
    report.rows.retain(|row| [NAME, SHORT.name()].contains(&&*row.name));
    assert_eq!(
        report.to_string(),
        "\
name                                          calls  attempts  per call  recovered  gave up  cancelled  waited  why it gave up
reports::<script>alert(\"1\")</script> & 'co'\u{fffd}      1         3      3.00          0        1          0      3s  permanent 1
reports::a                                        1         3      3.00          0        1          0      3s  permanent 1"
    );
    let page = report.to_html();
    assert!(!page.contains("<script"), "{page}");
    assert!(
        page.contains("<td>reports::&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;co&#39;"),
        "{page}"
    );
    assert_eq!(
        serde_json::to_value(&report.rows[1]).unwrap(),
        serde_json::json!({
            "name": "reports::a", "calls": 1, "attempts": 3, "amplification": 3.0, "recovered": 0, "gave_up": 1,
            "gave_up_by_reason": { "permanent": 1 }, "cancelled": 0, "waited_seconds": 3.0,
        })
    );
    assert_eq!(serde_json::to_value(&report).unwrap()["rows"].as_array().unwrap().len(), 2);
}
