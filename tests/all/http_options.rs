//! The attribute's arguments for HTTP. Each test compares two values of an argument.

use std::time::Duration;

use reqwest::{Client, Response, StatusCode};
use retry_runtime::{Policy, retry};

use crate::support::server::{Reply, Server, client};
use crate::support::{FakeResponse, Fault, Recorder, SECOND, all_ms, ms, recorded_blocking_sleep, recorded_sleep, run};

/// Sends requests with these arguments, which receive a 503 and then a 200. Returns the number of connections.
macro_rules! connections {
    ($busy:expr, $($arguments:tt)*) => {{
        #[retry(start = "1s", $($arguments)*)]
        async fn fetch(client: &Client, url: &str) -> reqwest::Result<Response> {
            client.get(url).send().await
        }
        let server = Server::start([$busy, Reply::status(200)]).await;
        assert_eq!(fetch(&client(), &server.url).await.unwrap().status(), 200);
        assert_eq!(server.delays(), all_ms([1000]));
        server.connections()
    }};
}

/// A body of 10 kB that takes half a second.
fn slow() -> Reply {
    Reply::status(503).pieces(10, ms(50))
}

#[tokio::test(start_paused = true)]
async fn drain_limit_is_in_bytes() {
    const WHOLE: usize = 10_000;
    assert_eq!(connections!(slow(), drain_limit = 10_000), 1);
    assert_eq!(connections!(slow(), drain_limit = WHOLE), 1);
    // The chunk that exceeds the limit has already arrived, so only the chunk after it is missing.
    assert_eq!(connections!(slow(), drain_limit = 8_999), 2);
    assert_eq!(connections!(slow(), drain_limit = 0), 2);
}

#[tokio::test(start_paused = true)]
async fn drain_limit_defaults_to_64_kib() {
    let of_65_kb = || Reply::status(503).pieces(65, ms(1));
    let of_67_kb = || Reply::status(503).pieces(67, ms(1));
    assert_eq!((connections!(of_65_kb(),), connections!(of_67_kb(),)), (1, 2));
    assert_eq!(connections!(of_67_kb(), drain_limit = usize::MAX), 1);
}

#[tokio::test(start_paused = true)]
async fn drain_timeout_ends_the_drain() {
    const LONG: Duration = ms(501);
    assert_eq!(connections!(slow(), drain_timeout = "501ms"), 1);
    assert_eq!(connections!(slow(), drain_timeout = LONG), 1);
    // The first chunk after the timeout is not the last one, so the connection is dropped.
    assert_eq!(connections!(slow(), drain_timeout = "449ms"), 2);
}

#[tokio::test(start_paused = true)]
async fn no_attempt_waits_for_a_drain_timeout() {
    let endless = Reply::status(503).pieces(1_000_000, ms(100));
    assert_eq!(connections!(endless, drain_timeout = "1h", drain_limit = usize::MAX), 2);
}

#[tokio::test(start_paused = true)]
async fn drain_limit_of_a_policy_applies() {
    const WHOLE: Policy = Policy::fixed(SECOND).drain_limit(10_000);
    const NOTHING: Policy = WHOLE.drain_limit(0);
    macro_rules! connections {
        ($policy:ident) => {{
            #[retry(policy = $policy)]
            async fn fetch(client: &Client, url: &str) -> reqwest::Result<Response> {
                client.get(url).send().await
            }
            let server = Server::start([slow(), Reply::status(200)]).await;
            assert_eq!(fetch(&client(), &server.url).await.unwrap().status(), 200);
            server.connections()
        }};
    }
    assert_eq!((connections!(WHOLE), connections!(NOTHING)), (1, 2));
}

/// Reads the header in seconds.
fn reset(response: &Response) -> Option<Duration> {
    header(response, "x-ratelimit-reset")
}

fn header(response: &Response, name: &str) -> Option<Duration> {
    response.headers().get(name)?.to_str().ok()?.parse().ok().map(Duration::from_secs)
}

fn busy() -> Reply {
    Reply::status(503)
}

mod server_delay {
    use super::*;

    /// Sends requests, which receive these replies. Returns the delays between them.
    macro_rules! delays {
        ($replies:expr, ($($arguments:tt)*) $output:ty, |$response:ident| $outcome:expr) => {{
            #[retry(start = "1s", $($arguments)*)]
            async fn fetch(client: &Client, url: &str) -> $output {
                let $response = client.get(url).send().await;
                $outcome
            }
            let server = Server::start($replies).await;
            let _ = fetch(&client(), &server.url).await;
            server.delays()
        }};
    }

    #[tokio::test(start_paused = true)]
    async fn function_reads_a_response() {
        macro_rules! waits {
            ($($arguments:tt)*) => {
                delays!(
                    [busy().header("x-ratelimit-reset", "7").header("x-other", "5"), busy(), Reply::status(200)],
                    ($($arguments)*) reqwest::Result<Response>, |response| response
                )
            };
        }
        assert_eq!(waits!(), all_ms([1000, 2000]));
        assert_eq!(waits!(server_delay = reset), all_ms([7000, 2000]));
        assert_eq!(waits!(server_delay = |response| header(response, "x-other")), all_ms([5000, 2000]));
    }

    #[tokio::test(start_paused = true)]
    async fn function_reads_an_option_of_a_response() {
        macro_rules! waits {
            ($($arguments:tt)*) => {
                delays!(
                    [busy().header("x-ratelimit-reset", "7"), Reply::status(200)],
                    ($($arguments)*) Option<Response>, |response| response.ok()
                )
            };
        }
        assert_eq!(waits!(), all_ms([1000]));
        assert_eq!(waits!(server_delay = reset), all_ms([7000]));
    }

    /// A value that only the arguments can classify.
    struct Job {
        is_done: bool,
        wait: Option<Duration>,
    }

    impl Job {
        fn of(response: &Response) -> Self {
            Self { is_done: response.status() == 200, wait: reset(response) }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn function_reads_a_plain_struct() {
        macro_rules! waits {
            ($($arguments:tt)*) => {
                delays!(
                    [busy().header("x-ratelimit-reset", "7"), busy(), Reply::status(200)],
                    (on_ok = |job| !job.is_done, $($arguments)*) Result<Job, reqwest::Error>,
                    |response| Ok(Job::of(&response?))
                )
            };
        }
        assert_eq!(waits!(), all_ms([1000, 2000]));
        assert_eq!(waits!(server_delay = |job| job.wait), all_ms([7000, 2000]));
        assert_eq!(waits!(server_delay = |job| job.wait.map(|wait| wait * 2)), all_ms([14_000, 2000]));
    }

    #[tokio::test(start_paused = true)]
    async fn function_reads_an_outcome_that_is_not_a_result() {
        let busy = run!((start = "1s", server_delay = |_| Some(SECOND * 7)) FakeResponse, FakeResponse(503));
        assert_eq!(busy.delays, all_ms([7000, 7000]));
    }

    #[tokio::test(start_paused = true)]
    async fn returned_delay_replaces_retry_after() {
        let replies = || {
            [
                busy().retry_after("9").header("x-ratelimit-reset", "4"),
                busy().retry_after("9"),
                busy().header("x-ratelimit-reset", "4"),
                Reply::status(200),
            ]
        };
        let response = delays!(replies(), (attempts = 4, server_delay = reset) reqwest::Result<Response>, |r| r);
        assert_eq!(response, all_ms([4000, 9000, 4000]));
        let without = delays!(replies(), (attempts = 4) reqwest::Result<Response>, |r| r);
        assert_eq!(without, all_ms([9000, 9000, 4000]));
    }

    #[tokio::test(start_paused = true)]
    async fn limits_of_retry_after_apply() {
        type Busy = Result<FakeResponse, Fault>;
        fn seven_seconds(_: &FakeResponse) -> Option<Duration> {
            Some(SECOND * 7)
        }
        macro_rules! waits {
            ($($arguments:tt)*) => {
                run!((start = "1s", attempts = 2, server_delay = seven_seconds, $($arguments)*) Busy, Ok(FakeResponse(503))).delays
            };
        }
        assert_eq!(waits!(max_delay = "2s"), all_ms([7000]));
        assert_eq!(waits!(retry_after = "7s"), all_ms([7000]));
        assert!(waits!(retry_after = "6s").is_empty());
        assert!(waits!(deadline = "7s").is_empty());
        let late = run!((server_delay = |_| Some(SECOND * 61)) FakeResponse, FakeResponse(503));
        assert!(late.delays.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn server_delay_works_beside_a_policy() {
        const POLICY: Policy = Policy::fixed(SECOND).attempts(2);
        const IGNORING: Policy = POLICY.ignore_retry_after();
        macro_rules! waits {
            ($policy:ident) => {
                run!((policy = $policy, server_delay = |_| Some(SECOND * 7)) FakeResponse, FakeResponse(503)).delays
            };
        }
        assert_eq!((waits!(POLICY), waits!(IGNORING)), (all_ms([7000]), all_ms([1000])));
    }

    #[test]
    fn server_delay_works_in_blocking_functions() {
        #[retry(blocking, start = "1s", sleep = recorded_blocking_sleep, server_delay = |_| Some(SECOND * 7))]
        fn call() -> FakeResponse {
            FakeResponse(503)
        }
        let recorder = Recorder::new();
        recorder.record_blocking_sleeps(call);
        assert_eq!(recorder.slept(), all_ms([7000, 7000]));
    }

    #[tokio::test(start_paused = true)]
    async fn event_names_the_server_as_the_source() {
        #[retry(start = "1s", observer = recorder, sleep = recorded_sleep, server_delay = |_| Some(SECOND * 7))]
        async fn call(recorder: &Recorder) -> FakeResponse {
            FakeResponse(503)
        }
        let recorder = Recorder::new();
        recorder.record_sleeps(call(&recorder)).await;
        assert!(recorder.lines().contains(&"1/3 Waiting { delay: 7s, source: Server }".to_owned()));
    }

    /// Counts the calls of the function.
    macro_rules! calls {
        (($($arguments:tt)*) $output:ty, $outcome:expr) => {{
            #[retry($($arguments)*, server_delay = |response| { seen.push(*response); None })]
            async fn call(seen: &mut Vec<FakeResponse>) -> $output {
                $outcome
            }
            let mut seen = Vec::new();
            let _ = call(&mut seen).await;
            seen.len()
        }};
    }

    #[tokio::test(start_paused = true)]
    async fn function_is_called_for_retried_responses_only() {
        assert_eq!(calls!((attempts = 3) FakeResponse, FakeResponse(503)), 3);
        assert_eq!(calls!((attempts = 3) FakeResponse, FakeResponse(200)), 0);
        assert_eq!(calls!((attempts = 3) FakeResponse, FakeResponse(404)), 0);
        assert_eq!(calls!((attempts = 3) Result<FakeResponse, Fault>, Err(Fault::TRANSIENT)), 0);
        assert_eq!(calls!((on_status = [202]) FakeResponse, FakeResponse(202)), 3);
        assert_eq!(calls!((on_ok = |response| response.0 == 404) FakeResponse, FakeResponse(404)), 3);
        assert_eq!(calls!((on_ok = |response| response.0 == 404) FakeResponse, FakeResponse(200)), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn on_status_accepts_status_code_constants() {
    const TEAPOT: StatusCode = StatusCode::IM_A_TEAPOT;
    type Plain = Result<(), Fault>;
    assert_eq!(run!((on_status = [StatusCode::CONFLICT]) Plain, Err(Fault::status(409))).attempts, 3);
    assert_eq!(run!((on_status = [StatusCode::CONFLICT]) Plain, Err(Fault::status(503))).attempts, 1);
    assert_eq!(run!((on_status = [503, TEAPOT]) Plain, Err(Fault::status(418))).attempts, 3);
    assert_eq!(run!((on_status = [StatusCode::BAD_REQUEST..=TEAPOT]) Plain, Err(Fault::status(417))).attempts, 3);
    assert_eq!(run!((on_status = [400..=StatusCode::CONFLICT]) Plain, Err(Fault::status(417))).attempts, 1);
}
