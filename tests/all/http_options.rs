//! The arguments of the attribute that are about HTTP: two values of each give two results.

use std::time::Duration;

use reqwest::{Client, Response, StatusCode};
use retry_runtime::{Policy, retry};

use crate::server::{Reply, Server, client};
use crate::support::{Answer, Fault, Recorder, SECOND, all_ms, ms, recorded_block, recorded_sleep, run};

/// Requests an answer of 503, and then one of 200, with these arguments: how many connections that takes.
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
async fn drain_limit() {
    const WHOLE: usize = 10_000;
    assert_eq!(connections!(slow(), drain_limit = 10_000), 1);
    assert_eq!(connections!(slow(), drain_limit = WHOLE), 1);
    // A piece that exceeds it has arrived already, and only what comes after it is missing.
    assert_eq!(connections!(slow(), drain_limit = 8_999), 2);
    assert_eq!(connections!(slow(), drain_limit = 0), 2);
}

#[tokio::test(start_paused = true)]
async fn drain_limit_left_out_is_64_kib() {
    let of_65_kb = || Reply::status(503).pieces(65, ms(1));
    let of_67_kb = || Reply::status(503).pieces(67, ms(1));
    assert_eq!((connections!(of_65_kb(),), connections!(of_67_kb(),)), (1, 2));
    assert_eq!(connections!(of_67_kb(), drain_limit = usize::MAX), 1);
}

#[tokio::test(start_paused = true)]
async fn drain_timeout() {
    const LONG: Duration = ms(501);
    assert_eq!(connections!(slow(), drain_timeout = "501ms"), 1);
    assert_eq!(connections!(slow(), drain_timeout = LONG), 1);
    // The piece that comes after it is not the last one, and gives the connection up.
    assert_eq!(connections!(slow(), drain_timeout = "449ms"), 2);
}

#[tokio::test(start_paused = true)]
async fn no_attempt_waits_for_a_drain_timeout() {
    let endless = Reply::status(503).pieces(1_000_000, ms(100));
    assert_eq!(connections!(endless, drain_timeout = "1h", drain_limit = usize::MAX), 2);
}

#[tokio::test(start_paused = true)]
async fn a_policy_says_how_much_is_read() {
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

    /// The delays between requests, which are answered with `replies`.
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
    async fn of_a_response() {
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
    async fn of_an_option_of_a_response() {
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

    /// Of which nothing is known but what the arguments say.
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
    async fn of_a_plain_struct() {
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
    async fn of_an_outcome_that_is_no_result() {
        let busy = run!((start = "1s", server_delay = |_| Some(SECOND * 7)) Answer, Answer(503));
        assert_eq!(busy.delays, all_ms([7000, 7000]));
    }

    #[tokio::test(start_paused = true)]
    async fn it_replaces_retry_after_where_it_gives_some() {
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
    async fn it_is_bounded_as_retry_after_is() {
        type Busy = Result<Answer, Fault>;
        fn asked(_: &Answer) -> Option<Duration> {
            Some(SECOND * 7)
        }
        macro_rules! waits {
            ($($arguments:tt)*) => {
                run!((start = "1s", attempts = 2, server_delay = asked, $($arguments)*) Busy, Ok(Answer(503))).delays
            };
        }
        assert_eq!(waits!(max_delay = "2s"), all_ms([7000]));
        assert_eq!(waits!(retry_after = "7s"), all_ms([7000]));
        assert!(waits!(retry_after = "6s").is_empty());
        assert!(waits!(deadline = "7s").is_empty());
        let late = run!((server_delay = |_| Some(SECOND * 61)) Answer, Answer(503));
        assert!(late.delays.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn it_stands_beside_policy() {
        const POLICY: Policy = Policy::fixed(SECOND).attempts(2);
        const DEAF: Policy = POLICY.ignore_retry_after();
        macro_rules! waits {
            ($policy:ident) => {
                run!((policy = $policy, server_delay = |_| Some(SECOND * 7)) Answer, Answer(503)).delays
            };
        }
        assert_eq!((waits!(POLICY), waits!(DEAF)), (all_ms([7000]), all_ms([1000])));
    }

    #[test]
    fn it_is_asked_in_functions_that_block() {
        #[retry(blocking, start = "1s", sleep = recorded_block, server_delay = |_| Some(SECOND * 7))]
        fn call() -> Answer {
            Answer(503)
        }
        let recorder = Recorder::new();
        recorder.sleeps_blocking(call);
        assert_eq!(recorder.slept(), all_ms([7000, 7000]));
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_said_to_be_the_servers() {
        #[retry(start = "1s", observer = recorder, sleep = recorded_sleep, server_delay = |_| Some(SECOND * 7))]
        async fn call(recorder: &Recorder) -> Answer {
            Answer(503)
        }
        let recorder = Recorder::new();
        recorder.sleeps(call(&recorder)).await;
        assert!(recorder.lines().contains(&"1/3 Waiting { delay: 7s, source: Server }".to_owned()));
    }

    /// Counts the answers that it was asked about.
    macro_rules! asked {
        (($($arguments:tt)*) $output:ty, $outcome:expr) => {{
            #[retry($($arguments)*, server_delay = |answer| { asked.push(*answer); None })]
            async fn call(asked: &mut Vec<Answer>) -> $output {
                $outcome
            }
            let mut asked = Vec::new();
            let _ = call(&mut asked).await;
            asked.len()
        }};
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_asked_of_what_is_worth_another_attempt_and_of_nothing_else() {
        assert_eq!(asked!((attempts = 3) Answer, Answer(503)), 3);
        assert_eq!(asked!((attempts = 3) Answer, Answer(200)), 0);
        assert_eq!(asked!((attempts = 3) Answer, Answer(404)), 0);
        assert_eq!(asked!((attempts = 3) Result<Answer, Fault>, Err(Fault::TRANSIENT)), 0);
        assert_eq!(asked!((on_status = [202]) Answer, Answer(202)), 3);
        assert_eq!(asked!((on_ok = |answer| answer.0 == 404) Answer, Answer(404)), 3);
        assert_eq!(asked!((on_ok = |answer| answer.0 == 404) Answer, Answer(200)), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn on_status_takes_constants_of_http_status_code() {
    const TEAPOT: StatusCode = StatusCode::IM_A_TEAPOT;
    type Plain = Result<(), Fault>;
    assert_eq!(run!((on_status = [StatusCode::CONFLICT]) Plain, Err(Fault::status(409))).attempts, 3);
    assert_eq!(run!((on_status = [StatusCode::CONFLICT]) Plain, Err(Fault::status(503))).attempts, 1);
    assert_eq!(run!((on_status = [503, TEAPOT]) Plain, Err(Fault::status(418))).attempts, 3);
    assert_eq!(run!((on_status = [StatusCode::BAD_REQUEST..=TEAPOT]) Plain, Err(Fault::status(417))).attempts, 3);
    assert_eq!(run!((on_status = [400..=StatusCode::CONFLICT]) Plain, Err(Fault::status(417))).attempts, 1);
}
