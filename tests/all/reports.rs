//! Reports: statistics of all calls, by name.

use std::fmt::Display;
use std::future::{pending, ready};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use retry_runtime::http::{RequestRetry, SendWithRetry};
use retry_runtime::stats::{CallStats, ReportRow, report};
use retry_runtime::tower::TowerPolicy;
use retry_runtime::{Condition, Executor, Policy, retry};
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

/// 2026-11-28, 12:00:00 UTC.
fn noon() -> SystemTime {
    UNIX_EPOCH + SECOND * 1_795_867_200
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
    let ReportRow { gave_up_by_reason, waited, attempts_per_call, .. } = row(name);
    assert_eq!(gave_up_by_reason.into_iter().collect::<Vec<_>>(), [("exhausted", 1), ("permanent", 1)]);
    assert_eq!((waited, attempts_per_call), (SECOND * 7, 1.5));
}

/// A loop may report the end again that `next` has reported.
#[test]
fn end_that_a_loop_reports_twice_is_counted_once() {
    let condition = Condition::new();
    let mut retry = Executor::new(&const { Policy::new() }).name("reports::twice");
    let outcome = retry.attempt_blocking(|| Err::<(), _>(Fault::PERMANENT));
    let error = retry.next(outcome, &condition).break_value().unwrap().unwrap_err();
    retry.fail(error);
    assert_eq!(counts("reports::twice"), [1, 1, 0, 1, 0]);
    let mut retry = Executor::new(&const { Policy::new() }).name("reports::twice");
    let outcome = retry.attempt_blocking(|| Err::<(), _>(Fault::PERMANENT));
    let error = retry.next_with(outcome, &condition, |_| ()).break_value().unwrap().unwrap_err();
    retry.fail(error);
    assert_eq!(counts("reports::twice"), [2, 2, 0, 2, 0]);
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
    (report.at, report.since, report.uptime) = (Some(noon() + SECOND * 7500), Some(noon()), SECOND * 7500);
    assert_eq!(
        report.to_string(),
        "\
calls from 2026-11-28T12:00:00Z to 2026-11-28T14:05:00Z (2h 5m)
name                                          calls  attempts  attempts per call  rejected  recovered  gave up  cancelled  waited  why it gave up
reports::<script>alert(\"1\")</script> & 'co'\u{fffd}      1         3               3.00         0          0        1          0      3s  excluded 1
reports::a                                        1         3               3.00         0          0        1          0      3s  excluded 1"
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
            "name": "reports::a", "calls": 1, "attempts": 3, "attempts_per_call": 3.0, "rejected": 0, "recovered": 0,
            "gave_up": 1, "gave_up_by_reason": { "excluded": 1 }, "cancelled": 0, "waited_seconds": 3.0,
        })
    );
    for part in [
        "All calls of this process from <time>2026-11-28T12:00:00Z</time> to <time>2026-11-28T14:05:00Z</time> (2h 5m).",
        "<th>attempts per call</th>",
        "<td class=\"more\">3.00</td>",
        "<dt>attempts</dt><dd>attempts that have ended, without those that a circuit breaker rejected or whose value was not ready</dd>",
        "<dt>attempts per call</dt><dd>attempts ÷ calls: ",
        "<dt class=\"bad\">red</dt><dd>calls gave up</dd>",
        "@media (prefers-color-scheme: dark)",
    ] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["rows"].as_array().unwrap().len(), 2);
    assert_eq!(
        [&json["at"], &json["since"], &json["uptime_seconds"]],
        [
            &serde_json::json!("2026-11-28T14:05:00Z"),
            &serde_json::json!("2026-11-28T12:00:00Z"),
            &serde_json::json!(7500.0)
        ]
    );
}

#[test]
fn report_counts_from_the_first_outcome_until_now() {
    let before = SystemTime::now();
    Executor::new(&const { Policy::new() }).name("reports::first").succeed(());
    let report = report();
    let (at, since) = (report.at.unwrap(), report.since.unwrap());
    // Another test of this process may have been the first.
    assert!(since <= at && before <= at && at <= SystemTime::now(), "{since:?} until {at:?}");
    assert_eq!(report.uptime, at.duration_since(since).unwrap());
    std::thread::sleep(ms(5));
    let later = retry_runtime::stats::report();
    assert_eq!((later.since, later.at > report.at, later.uptime > report.uptime), (report.since, true, true));
}

/// The times are written by an algorithm of the library's own, because the report has no dependencies.
#[test]
fn times_of_the_report_are_those_of_the_calendar() {
    let mut report = report();
    report.rows.clear();
    report.since = None;
    let mut table = |at| {
        report.at = Some(at);
        report.to_string().lines().next().unwrap().to_owned()
    };
    // Each day for more than 400 years, at different times of the day.
    for day in 0..150_000 {
        let at = UNIX_EPOCH + Duration::from_secs(day * 86_400 + day * 7919 % 86_400);
        let date = httpdate::HttpDate::from(at).to_string();
        let [_, day, month, year, time, _] = date.split(' ').collect::<Vec<_>>()[..] else { panic!("{date}") };
        let month = 1 + "JanFebMarAprMayJunJulAugSepOctNovDec".find(month).unwrap() / 3;
        assert_eq!(table(at), format!("no calls until {year}-{month:02}-{day}T{time}Z"));
    }
    assert_eq!(table(UNIX_EPOCH - SECOND), "no calls until 1970-01-01T00:00:00Z");
}

#[test]
fn uptime_has_its_two_largest_units() {
    let mut report = report();
    (report.at, report.since) = (Some(noon()), Some(noon()));
    for (seconds, text) in
        [(0, "0s"), (59, "59s"), (60, "1m 0s"), (7500, "2h 5m"), (90_000, "1d 1h"), (86_399, "23h 59m")]
    {
        report.uptime = SECOND * seconds;
        let table = report.to_string();
        assert!(
            table.starts_with(&format!("calls from 2026-11-28T12:00:00Z to 2026-11-28T12:00:00Z ({text})\n")),
            "{table}"
        );
    }
}

#[test]
fn report_without_a_clock_has_no_times() {
    let mut report = report();
    (report.at, report.since, report.uptime) = (None, None, Duration::ZERO);
    assert!(report.to_string().starts_with("name "), "{report}");
    assert!(report.to_html().contains("<p>All calls of this process. The page"), "{}", report.to_html());
    assert_eq!(serde_json::to_value(&report).unwrap()["at"], serde_json::Value::Null);
}
