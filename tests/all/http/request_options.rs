//! The options of `RequestRetry` that are closures or run-time values. Each test compares two values of an option.

use std::error::Error;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use reqwest::{Method, Response};
use reqwest_middleware::ClientBuilder;
use retry_runtime::event::Retrying;
use retry_runtime::http::{HowToRetry, RequestRetry, SendWithRetry};
use retry_runtime::{Budget, Condition, Jitter, Policy};

use crate::support::server::{Reply, Server, client, refused};
use crate::support::{Recorder, SECOND, all_ms, ms, timed};

const POLICY: Policy = Policy::fixed(SECOND);

/// Sends a GET to a server with these replies. Returns the server.
async fn sent(replies: impl Into<Vec<Reply>>, retry: &impl HowToRetry) -> Server {
    let server = Server::start(replies).await;
    client().get(&server.url).send_with_retry(retry).await.unwrap();
    server
}

fn statuses<const N: usize>(statuses: [u16; N]) -> [Reply; N] {
    statuses.map(Reply::status)
}

#[tokio::test(start_paused = true)]
async fn predicates_capture() {
    for listed in [202, 203] {
        let retry = RequestRetry::new(POLICY).on_ok(move |response| response.status() == listed);
        assert_eq!(sent(statuses([202, 200]), &retry).await.requests(), if listed == 202 { 2 } else { 1 });
    }
    for allowed in [true, false] {
        let retry = RequestRetry::new(POLICY).on_error(move |_| allowed);
        let (_, took) = timed(client().get(refused().await).send_with_retry(&retry)).await;
        assert_eq!(took, if allowed { SECOND * 2 } else { Duration::ZERO });
    }
}

#[tokio::test(start_paused = true)]
async fn server_delay_captures() {
    for (header, delay) in [("x-one", 3000), ("x-two", 5000), ("x-three", 1000)] {
        let retry = RequestRetry::new(POLICY).server_delay(move |response| {
            let seconds = response.headers().get(header)?.to_str().ok()?.parse().ok()?;
            Some(Duration::from_secs(seconds))
        });
        let busy = Reply::status(503).header("x-one", "3").header("x-two", "5");
        assert_eq!(sent([busy, Reply::status(200)], &retry).await.delays(), all_ms([delay]), "{header}");
    }
}

#[tokio::test(start_paused = true)]
async fn backoff_replaces_the_schedule_but_not_the_cap_the_jitter_and_the_server() {
    let of = |policy: Policy, step: Duration| {
        RequestRetry::new(policy.attempts(4)).backoff(move |attempt| step * attempt.number())
    };
    for step in [1, 10] {
        let server = sent(statuses([503, 503, 503, 200]), &of(Policy::exponential(ms(1)), ms(step))).await;
        assert_eq!(server.delays(), all_ms([step, 2 * step, 3 * step]));
    }
    let capped = of(Policy::exponential(ms(1)).max_delay(ms(1500)), SECOND);
    assert_eq!(sent(statuses([503, 503, 200]), &capped).await.delays(), all_ms([1000, 1500]));
    let halved = of(POLICY.jitter(Jitter::Full).random_source(|| 0.5), SECOND);
    assert_eq!(sent(statuses([503, 200]), &halved).await.delays(), all_ms([500]));
    let asked = sent([Reply::status(503).retry_after("7"), Reply::status(200)], &of(POLICY, SECOND)).await;
    assert_eq!(asked.delays(), all_ms([7000]));
}

#[tokio::test(start_paused = true)]
async fn backoff_sees_the_time_since_the_start_of_the_call() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    let retry = RequestRetry::new(POLICY).backoff(move |attempt| {
        log.lock().unwrap().push(attempt.elapsed());
        SECOND * 2
    });
    sent([Reply::status(503).late(SECOND), Reply::status(503), Reply::status(200)], &retry).await;
    assert_eq!(*seen.lock().unwrap(), [SECOND, SECOND * 3]);
}

#[tokio::test(start_paused = true)]
async fn methods_of_run_time_replace_those_of_the_condition() {
    let sent = async |method: &str, retry: &RequestRetry| {
        let server = Server::statuses([500]).await;
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        client().request(method, &server.url).send_with_retry(retry).await.unwrap();
        server.requests()
    };
    let retry = RequestRetry::new(POLICY).condition(Condition::new().methods(&["PUT"]));
    let configured = ["post".to_owned(), "PATCH".to_owned()];
    let methods = configured.iter().map(|name| name.parse::<Method>().unwrap());
    let listed = retry.clone().methods(methods);
    for (method, by_condition, by_list) in [("PUT", 3, 1), ("POST", 1, 3), ("PATCH", 1, 3), ("GET", 1, 1)] {
        assert_eq!((sent(method, &retry).await, sent(method, &listed).await), (by_condition, by_list), "{method}");
    }
    let none = RequestRetry::new(POLICY).methods([]);
    assert_eq!((sent("GET", &none).await, sent("GET", &none.idempotent()).await), (1, 3));
}

#[tokio::test(start_paused = true)]
async fn a_name_of_run_time_takes_precedence() {
    let recorder = Recorder::new();
    let retry = RequestRetry::new(POLICY).observer(recorder.clone());
    for tenant in ["one", "two"] {
        sent(statuses([200]), &retry.clone().named(format!("tenant {tenant}")).name("static")).await;
    }
    sent(statuses([200]), &retry.name("static")).await;
    let mut names = recorder.names();
    names.dedup();
    assert_eq!(names, ["tenant one", "tenant two", "static"]);
}

#[tokio::test(start_paused = true)]
async fn settings_may_be_in_a_lazy_lock_or_an_arc() {
    static LAZY: LazyLock<RequestRetry> =
        LazyLock::new(|| RequestRetry::new(POLICY).on_ok(|response| response.status() == 202));
    static LAZY_POLICY: LazyLock<Policy> = LazyLock::new(|| POLICY.attempts(2));
    assert_eq!(sent(statuses([202, 200]), &LAZY).await.requests(), 2);
    assert_eq!(sent(statuses([503]), &LAZY_POLICY).await.requests(), 2);
    assert_eq!(sent(statuses([503]), &Arc::new(POLICY.attempts(4))).await.requests(), 4);
    assert_eq!(sent(statuses([503]), &Arc::new(RequestRetry::new(POLICY.attempts(5)))).await.requests(), 5);
}

mod on_retry {
    use super::*;

    /// Records the lines of the hook.
    fn logging(policy: Policy) -> (RequestRetry, Arc<Mutex<Vec<String>>>) {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let log = lines.clone();
        (RequestRetry::new(policy).on_retry(move |retrying| log.lock().unwrap().push(retrying.to_string())), lines)
    }

    #[tokio::test(start_paused = true)]
    async fn hook_is_called_before_each_wait_and_its_line_is_complete() {
        let (retry, lines) = logging(POLICY);
        sent(statuses([503, 500, 200]), &retry).await;
        assert_eq!(
            *lines.lock().unwrap(),
            [
                "attempt 1 of 3 failed: status 503; next attempt in 1s",
                "attempt 2 of 3 failed: status 500; next attempt in 1s"
            ]
        );
        let (retry, lines) = logging(POLICY.attempts(2));
        let url = refused().await;
        let secret = url.replace("//", "//user:secret@");
        client().get(secret).send_with_retry(&retry).await.unwrap_err();
        let line = lines.lock().unwrap().concat();
        assert!(line.starts_with("attempt 1 of 2 failed: error sending request for url (http"), "{line}");
        assert!(line.contains("Connection refused") && line.ends_with("; next attempt in 1s"), "{line}");
        assert!(!line.contains("secret"), "{line}");
    }

    #[tokio::test(start_paused = true)]
    async fn hook_receives_the_response_the_error_and_the_attempt() {
        let check = |retrying: &Retrying<'_, Response, dyn Error>| {
            assert_eq!(retrying.value().map(|response| response.headers()["x-why"].clone()).unwrap(), "busy");
            assert!(retrying.error().is_none());
            assert_eq!((retrying.attempt().number(), retrying.delay()), (1, SECOND));
            assert_eq!(retrying.attempt().elapsed(), SECOND * 3);
        };
        let late = Reply::status(503).header("x-why", "busy").late(SECOND * 3);
        sent([late, Reply::status(200)], &RequestRetry::new(POLICY).on_retry(check)).await;
        let seen = Arc::new(AtomicU32::new(0));
        let count = seen.clone();
        let retry = RequestRetry::new(POLICY).on_retry(move |retrying| {
            let error = retrying.error().and_then(|error| error.downcast_ref::<reqwest::Error>());
            count.fetch_add(error.is_some_and(reqwest::Error::is_connect).into(), Ordering::Relaxed);
        });
        client().get(refused().await).send_with_retry(&retry).await.unwrap_err();
        let client = ClientBuilder::new(client()).with(retry).build();
        client.get(refused().await).send().await.unwrap_err();
        assert_eq!(seen.load(Ordering::Relaxed), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn hook_may_end_the_call() {
        let recorder = Recorder::new();
        let budget = Arc::new(Budget::new().capacity(500));
        let base = RequestRetry::new(POLICY).budget(budget.clone()).observer(recorder.clone());
        let until = |limit: u32| {
            base.clone().on_retry(move |retrying| match retrying.attempt().number() < limit {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            })
        };
        for limit in [1, 2] {
            assert_eq!(sent(statuses([503]), &until(limit)).await.requests(), limit as usize);
            assert_eq!(recorder.lines().last().unwrap(), &format!("{limit}/3 GaveUp(Stopped)"));
        }
        // Only the retry that was made has been paid for.
        assert_eq!(budget.tokens(), 495);
        let failing =
            base.on_retry(|_| -> Result<(), Box<dyn Error + Send + Sync>> { Err("the user has logged out")? });
        let server = Server::statuses([503]).await;
        let error = client().get(&server.url).send_with_retry(&failing).await.unwrap_err();
        assert_eq!((error.source().unwrap().to_string().as_str(), server.requests()), ("the user has logged out", 1));
        let client = ClientBuilder::new(client()).with(failing).build();
        let error = client.get(&server.url).send().await.unwrap_err();
        assert!(format!("{error:?}").contains("the user has logged out"), "{error:?}");
        assert_eq!(budget.tokens(), 495);
    }

    #[tokio::test(start_paused = true)]
    async fn a_hook_that_panics_gives_the_tokens_back() {
        let budget = Arc::new(Budget::new().capacity(500));
        let retry =
            RequestRetry::new(POLICY).budget(budget.clone()).on_retry(|retrying| assert!(retrying.value().is_none()));
        let server = Server::statuses([503]).await;
        let request = client().get(&server.url);
        let task = tokio::spawn(async move { request.send_with_retry(&retry).await });
        assert!(task.await.unwrap_err().is_panic());
        assert_eq!((server.requests(), budget.tokens()), (1, 500));
    }
}

mod policy_for {
    use super::*;

    /// Two attempts for paths that begin with `/two`, four for `/four`, and otherwise the policy of the settings.
    fn by_path() -> RequestRetry {
        RequestRetry::new(POLICY).policy_for(|request| match request.url().path() {
            "/two" => Some(Arc::new(POLICY.attempts(2))),
            "/four" => Some(Arc::new(POLICY.attempts(4))),
            _ => None,
        })
    }

    #[tokio::test(start_paused = true)]
    async fn each_request_has_its_own_policy() {
        let server = Server::statuses([503]).await;
        let with_middleware = ClientBuilder::new(client()).with(by_path()).build();
        for (path, attempts) in [("two", 2), ("four", 4), ("other", 3)] {
            let url = format!("{}{path}", server.url);
            let before = server.requests();
            with_middleware.get(&url).send().await.unwrap();
            assert_eq!(server.requests() - before, attempts, "{path}");
            client().get(&url).send_with_retry(&by_path()).await.unwrap();
            assert_eq!(server.requests() - before, attempts * 2, "{path}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_limits_of_the_chosen_policy_apply() {
        let server = Server::start([Reply::silence()]).await;
        for seconds in [2, 5] {
            let retry =
                RequestRetry::new(POLICY).policy_for(move |_| POLICY.attempts(2).attempt_timeout(SECOND * seconds));
            let (outcome, took) = timed(client().get(&server.url).send_with_retry(&retry)).await;
            assert!(outcome.unwrap_err().is_timeout());
            assert_eq!(took, SECOND * (2 * seconds + 1));
            let retry = RequestRetry::new(POLICY).policy_for(move |_| POLICY.deadline(SECOND * seconds));
            let (_, took) = timed(client().get(&server.url).send_with_retry(&retry)).await;
            assert_eq!(took, SECOND * seconds);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_reloaded_file_reaches_the_next_request() {
        retry_runtime::policies! {
            static POLICIES {
                patient: Policy::fixed(SECOND).attempts(4),
                hasty: Policy::fixed(SECOND).attempts(2),
            }
        }
        let server = Server::statuses([503]).await;
        let field = RequestRetry::new(POLICY).policy_for(|_| POLICIES.patient.get());
        let by_name =
            RequestRetry::new(POLICY).policy_for(|request| POLICIES.get(request.url().path().trim_start_matches('/')));
        let clients = [field, by_name].map(|retry| ClientBuilder::new(client()).with(retry).build());
        let attempts = async |client: usize, path: &str| {
            let before = server.requests();
            clients[client].get(format!("{}{path}", server.url)).send().await.unwrap();
            server.requests() - before
        };
        assert_eq!((attempts(0, "any").await, attempts(1, "hasty").await, attempts(1, "any").await), (4, 2, 3));
        POLICIES.load(serde_json::json!({ "patient": { "attempts": 6 }, "hasty": { "attempts": 1 } })).unwrap();
        assert_eq!((attempts(0, "any").await, attempts(1, "hasty").await, attempts(1, "patient").await), (6, 1, 6));
    }
}
