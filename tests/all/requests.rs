//! Requests with retry: `send_with_retry`, `stream_with_retry` and `send_first_of`.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use reqwest::{Body, Client, Method, Response, StatusCode};
use retry_runtime::http::{HowToRetry, RequestRetry, SendFirstOf, SendWithRetry};
use retry_runtime::{Condition, OnError, Policy};

use crate::support::server::{Reply, Server, client, refused};
use crate::support::{Broken, Recorder, SECOND, all_ms, ms, timed};

const POLICY: Policy = Policy::exponential(SECOND);

/// Sends a GET with retry, and returns the final response.
async fn get(server: &Server, retry: &impl HowToRetry) -> Response {
    client().get(&server.url).send_with_retry(retry).await.unwrap()
}

fn observed(recorder: &Arc<Recorder>) -> RequestRetry {
    RequestRetry::new(POLICY).observer(recorder.clone())
}

#[tokio::test(start_paused = true)]
async fn request_is_resent_until_it_succeeds() {
    let server = Server::statuses([503, 500, 200]).await;
    let (response, took) = timed(get(&server, &POLICY)).await;
    assert_eq!((response.status().as_u16(), took), (200, SECOND * 3));
    assert_eq!(server.delays(), all_ms([1000, 2000]));
}

#[tokio::test(start_paused = true)]
async fn last_response_or_error_is_returned_unchanged() {
    let server = Server::start([Reply::status(503).pieces(3, ms(1))]).await;
    let response = get(&server, &POLICY).await;
    assert_eq!((response.status().as_u16(), server.requests()), (503, 3));
    assert_eq!(response.bytes().await.unwrap().len(), 3000);
    let (outcome, took) = timed(client().get(refused().await).send_with_retry(&POLICY)).await;
    assert!(outcome.unwrap_err().is_connect());
    assert_eq!(took, SECOND * 3);
}

#[tokio::test(start_paused = true)]
async fn success_and_permanent_failure_are_not_retried() {
    for status in [200, 204, 304, 404, 501] {
        let server = Server::statuses([status, 200]).await;
        assert_eq!((get(&server, &POLICY).await.status().as_u16(), server.requests()), (status, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn condition_decides_which_outcomes_are_retried() {
    static TEAPOTS: RequestRetry = RequestRetry::new(POLICY).condition(Condition::new().on_status(&[418..=418]));
    let server = Server::statuses([418, 503, 200]).await;
    assert_eq!((get(&server, &TEAPOTS).await.status().as_u16(), server.requests()), (503, 2));
    // A condition may also list successes.
    let accepted = RequestRetry::new(POLICY).condition(Condition::new().on_status(&[202..=202]));
    let server = Server::start([Reply::status(202).retry_after("5"), Reply::status(200)]).await;
    assert_eq!(get(&server, &accepted).await.status(), 200);
    assert_eq!(server.delays(), all_ms([5000]));
    let never = RequestRetry::new(POLICY).condition(Condition::new().on_error(OnError::Never));
    let (outcome, took) = timed(client().get(refused().await).send_with_retry(&never)).await;
    assert_eq!((outcome.is_err(), took), (true, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn redirect_loop_is_not_retried() {
    let server = Server::start([Reply::status(302).header("location", "/loop")]).await;
    let error = client().get(&server.url).send_with_retry(&POLICY).await.unwrap_err();
    assert_eq!((error.is_redirect(), server.requests()), (true, 11));
}

#[tokio::test(start_paused = true)]
async fn condition_for_a_method_applies_to_all_requests() {
    let posts = RequestRetry::new(POLICY).condition(Condition::new().for_method("POST"));
    let server = Server::statuses([500]).await;
    get(&server, &posts).await;
    assert_eq!(server.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn on_ok_receives_the_response() {
    let pending = RequestRetry::new(POLICY).on_ok(|response| response.headers().contains_key("x-pending"));
    let server = Server::start([Reply::status(200).header("x-pending", "1"), Reply::status(200)]).await;
    get(&server, &pending).await;
    assert_eq!(server.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn event_names_on_ok_as_the_reason() {
    let (server, recorder) = (Server::statuses([200]).await, Recorder::new());
    get(&server, &observed(&recorder).on_ok(|_| true)).await;
    let failed = "1/3 AttemptFailed { class: Unknown, status: Some(200), reason: `on_ok` asks for another attempt }";
    assert_eq!(recorder.lines()[1], failed);
}

#[tokio::test(start_paused = true)]
async fn on_ok_is_not_called_for_failures() {
    let server = Server::statuses([404, 200]).await;
    assert_eq!(get(&server, &RequestRetry::new(POLICY).on_ok(|_| true)).await.status(), 404);
}

#[tokio::test(start_paused = true)]
async fn on_error_decides_about_errors() {
    fn is_connect(error: &(dyn Error + 'static)) -> bool {
        error.downcast_ref::<reqwest::Error>().is_some_and(reqwest::Error::is_connect)
    }
    let retry = RequestRetry::new(POLICY).on_error(is_connect);
    let (_, took) = timed(client().get(refused().await).send_with_retry(&retry)).await;
    assert_eq!(took, SECOND * 3);
    let server = Server::start([Reply::nothing()]).await;
    client().get(&server.url).send_with_retry(&retry).await.unwrap_err();
    assert_eq!(server.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn server_delay_is_respected_up_to_the_limit() {
    let server = Server::start([Reply::status(503).retry_after("7"), Reply::status(200)]).await;
    get(&server, &POLICY).await;
    assert_eq!(server.delays(), all_ms([7000]));
    let server = Server::start([Reply::status(503).retry_after("61")]).await;
    let recorder = Recorder::new();
    let (response, took) = timed(get(&server, &observed(&recorder))).await;
    assert_eq!((response.status().as_u16(), took), (503, Duration::ZERO));
    assert_eq!(recorder.lines()[2], "1/3 GaveUp(ServerDelay(61s))");
}

#[tokio::test(start_paused = true)]
async fn server_delay_function_reads_other_headers() {
    fn reset(response: &Response) -> Option<Duration> {
        let seconds = response.headers().get("x-ratelimit-reset")?.to_str().ok()?.parse().ok()?;
        Some(Duration::from_secs(seconds))
    }
    let retry = RequestRetry::new(POLICY).server_delay(reset);
    let limited = |reset| Reply::status(429).header("x-ratelimit-reset", reset);
    let server = Server::start([limited("9"), limited("never").retry_after("4"), Reply::status(200)]).await;
    get(&server, &retry).await;
    assert_eq!(server.delays(), all_ms([9000, 4000]));
}

#[tokio::test(start_paused = true)]
async fn time_limits_cut_attempts_off() {
    const LIMITED: Policy = POLICY.attempts(2).attempt_timeout(Duration::from_secs(5));
    let server = Server::start([Reply::silence()]).await;
    let (outcome, took) = timed(client().get(&server.url).send_with_retry(&LIMITED)).await;
    assert!(outcome.unwrap_err().is_timeout());
    assert_eq!((server.requests(), took), (2, SECOND * 11));
    let (outcome, took) =
        timed(client().get(&server.url).send_with_retry(&POLICY.deadline(Duration::from_millis(4500)))).await;
    assert!(outcome.unwrap_err().is_timeout());
    assert_eq!(took, ms(4500));
}

#[tokio::test(start_paused = true)]
async fn deadline_starts_with_the_first_poll() {
    let server = Server::statuses([503, 503, 200]).await;
    let policy = POLICY.deadline(SECOND * 4);
    let future = client().get(&server.url).send_with_retry(&policy);
    tokio::time::sleep(SECOND * 10).await;
    assert_eq!(future.await.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn request_is_resent_unchanged() {
    let server = Server::statuses([503, 503, 200]).await;
    let url = format!("{}{}?q=%20x&long={}#part", server.url, "path/%C3%A9", "y".repeat(300));
    let request = client().get(&url).header("x-one", "1").header("x-one", "2").timeout(SECOND * 60);
    request.send_with_retry(&POLICY).await.unwrap();
    let heads = server.heads();
    assert!(heads[0].starts_with("GET /path/%C3%A9?q=%20x&long=yyy"), "{}", heads[0]);
    assert!(heads[0].contains("x-one: 1\r\nx-one: 2"), "{}", heads[0]);
    assert_eq!((&heads[0], &heads[0]), (&heads[1], &heads[2]));
}

/// The response has the URL of the last request, which is not the one to resend.
#[tokio::test(start_paused = true)]
async fn redirected_request_is_resent_to_its_own_url() {
    for headers in [0, 1] {
        let moved = Reply::status(302).header("location", "/moved");
        let server = Server::start([moved, Reply::status(503), Reply::status(503), Reply::status(200)]).await;
        let request = client().get(format!("{}start?q#part", server.url));
        let request = if headers == 0 { request } else { request.header("x-one", "1") };
        assert_eq!(request.send_with_retry(&POLICY).await.unwrap().status(), 200);
        let lines: Vec<_> = server.lines().into_iter().map(|(_, line)| line).collect();
        assert_eq!(lines, ["GET /start?q", "GET /moved", "GET /start?q", "GET /start?q"]);
    }
}

/// The parts of a request are stored in different places, depending on its size and kind.
#[tokio::test(start_paused = true)]
async fn each_kind_of_request_is_resent_unchanged() {
    let long = "y".repeat(80);
    let kinds: [fn(reqwest::RequestBuilder) -> reqwest::RequestBuilder; 5] = [
        |request| request,
        |request| request.header("x-one", "1").header("x-one", "2"),
        |request| request.version(http::Version::HTTP_10),
        |request| request.timeout(SECOND * 60),
        |request| request.body("body"),
    ];
    for method in [Method::GET, Method::HEAD, Method::DELETE, Method::from_bytes(b"REPORT").unwrap()] {
        for (kind, path) in kinds.iter().flat_map(|kind| [(kind, "a?b=c"), (kind, long.as_str())]) {
            let server = Server::statuses([503, 503, 200]).await;
            let request = kind(client().request(method.clone(), format!("{}{path}", server.url)));
            let retry = RequestRetry::new(POLICY).idempotent();
            request.send_with_retry(&retry).await.unwrap();
            let (heads, bodies) = (server.heads(), server.bodies());
            assert!(heads[0].starts_with(&format!("{method} /{path} ")), "{}", heads[0]);
            assert_eq!((heads.len(), &heads[0], &bodies[0]), (3, &heads[1], &bodies[1]));
            assert_eq!((&heads[0], &bodies[0]), (&heads[2], &bodies[2]));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn request_timeout_applies_to_each_attempt() {
    let server = Server::start([Reply::silence()]).await;
    let (outcome, took) = timed(client().get(&server.url).timeout(SECOND * 2).send_with_retry(&POLICY)).await;
    assert!(outcome.unwrap_err().is_timeout());
    assert_eq!((server.requests(), took), (3, SECOND * 9));
}

#[tokio::test(start_paused = true)]
async fn request_that_cannot_be_built_is_not_retried() {
    let recorder = Recorder::new();
    let error = client().get("not a url").send_with_retry(&observed(&recorder)).await.unwrap_err();
    assert!(error.is_builder());
    let lines = recorder.lines();
    assert_eq!((lines[0].as_str(), lines[2].as_str()), ("1/3 AttemptStarted", "1/3 GaveUp(Permanent)"));
    client().get("not a url").send_with_retry(&POLICY).await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn each_call_emits_events() {
    let recorder = Recorder::new();
    let server = Server::statuses([503, 200]).await;
    get(&server, &observed(&recorder).name("a name")).await;
    let expected = [
        "1/3 AttemptStarted",
        "1/3 AttemptFailed { class: Transient, status: Some(503), reason: status 503 }",
        "1/3 Waiting { delay: 1s, source: Backoff }",
        "2/3 AttemptStarted",
        "2/3 Succeeded",
    ];
    assert_eq!(recorder.lines(), expected);
    assert_eq!(recorder.names(), ["a name"; 5]);
    get(&server, &observed(&recorder)).await;
    assert_eq!(recorder.names()[5..], ["request"; 2]);
}

#[tokio::test(start_paused = true)]
async fn dropped_call_emits_cancelled() {
    let recorder = Recorder::new();
    let server = Server::statuses([503]).await;
    let retry = observed(&recorder);
    let call = tokio::time::timeout(ms(500), get(&server, &retry));
    call.await.unwrap_err();
    assert_eq!(recorder.lines().last().unwrap(), "1/3 Cancelled");
}

mod bodies {
    use super::*;

    /// A body that reqwest cannot clone.
    fn stream() -> Body {
        Body::wrap(http_body_util::Full::<bytes::Bytes>::from("streamed"))
    }

    #[tokio::test(start_paused = true)]
    async fn body_is_resent() {
        let server = Server::statuses([503, 200]).await;
        client().put(&server.url).body("whole").send_with_retry(&POLICY).await.unwrap();
        assert_eq!(server.bodies(), ["whole", "whole"]);
    }

    #[tokio::test(start_paused = true)]
    async fn stream_is_sent_once_and_the_event_names_the_reason() {
        let recorder = Recorder::new();
        for retry in [RequestRetry::new(POLICY), observed(&recorder)] {
            let server = Server::statuses([503, 200]).await;
            let response = client().put(&server.url).body(stream()).send_with_retry(&retry).await.unwrap();
            assert_eq!((response.status().as_u16(), server.bodies()), (503, vec!["streamed".to_owned()]));
        }
        assert_eq!(recorder.lines().last().unwrap(), "1/3 GaveUp(BodyUsedUp)");
    }

    #[tokio::test(start_paused = true)]
    async fn body_factory_is_called_for_each_attempt() {
        let server = Server::statuses([503, 200]).await;
        let made = AtomicU32::new(0);
        let body = || async {
            made.fetch_add(1, Ordering::Relaxed);
            stream()
        };
        client().put(&server.url).stream_with_retry(&POLICY, body).await.unwrap();
        assert_eq!((server.bodies(), made.into_inner()), (vec!["streamed".to_owned(); 2], 2));
    }

    #[tokio::test(start_paused = true)]
    async fn factory_error_ends_the_attempt_before_a_request_is_sent() {
        let server = Server::statuses([200]).await;
        let made = AtomicU32::new(0);
        let body = || async {
            match made.fetch_add(1, Ordering::Relaxed) {
                0 => Err(io::Error::from(io::ErrorKind::Interrupted)),
                _ => Ok(Body::from("second")),
            }
        };
        client().post(&server.url).stream_with_retry(&POLICY, body).await.unwrap();
        assert_eq!(server.bodies(), ["second"]);
        let body = || async { Err::<Body, _>(io::Error::from(io::ErrorKind::PermissionDenied)) };
        let error = client().put(&server.url).stream_with_retry(&POLICY, body).await.unwrap_err();
        assert!(format!("{error:?}").contains("PermissionDenied"), "{error:?}");
        assert_eq!(server.requests(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn factory_error_is_the_source_of_the_client_error() {
        let server = Server::statuses([200]).await;
        let made = AtomicU32::new(0);
        let body = || async {
            match made.fetch_add(1, Ordering::Relaxed) {
                0 => Err("not yet"),
                _ => Ok(Body::from("second")),
            }
        };
        client().post(&server.url).stream_with_retry(&POLICY, body).await.unwrap();
        assert_eq!(server.bodies(), ["second"]);
        let body = || async { Err::<Body, _>("never") };
        let error = client().post(&server.url).stream_with_retry(&POLICY, body).await.unwrap_err();
        assert_eq!(
            (error.to_string().as_str(), error.source().unwrap().to_string().as_str()),
            ("request or response body error", "never")
        );
    }
}

/// Requests that the server may have processed are not resent.
mod once {
    use super::*;

    /// The body forwards the response of another server, which refuses the connection.
    #[tokio::test(start_paused = true)]
    async fn post_whose_body_fails_with_a_connection_error_is_not_resent() {
        let (server, made) = (Server::statuses([200]).await, AtomicU32::new(0));
        let body = || {
            made.fetch_add(1, Ordering::Relaxed);
            let source = async { client().get(refused().await).send().await.unwrap_err() };
            async { Body::wrap(Broken(Some(source.await))) }
        };
        let error = client().post(&server.url).stream_with_retry(&POLICY, body).await.unwrap_err();
        assert_eq!((error.is_connect(), made.into_inner()), (true, 1));
    }
}

mod lists {
    use super::*;

    fn requests(client: &Client, servers: &[&Server]) -> Vec<reqwest::Request> {
        servers.iter().map(|server| client.get(&server.url).build().unwrap()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn each_attempt_sends_the_next_request_and_the_last_one_repeats() {
        let (one, two) = (Server::statuses([503]).await, Server::statuses([503, 503, 200]).await);
        let client = client();
        let policy = POLICY.attempts(5);
        let response = client.send_first_of(&policy, requests(&client, &[&one, &two])).await.unwrap();
        assert_eq!((response.status().as_u16(), one.requests(), two.requests()), (200, 1, 3));
    }

    #[tokio::test(start_paused = true)]
    async fn listed_requests_may_differ_completely() {
        let server = Server::statuses([503, 200]).await;
        let client = client();
        let first = client.get(&server.url).header("x-try", "1").build().unwrap();
        let second = client.put(format!("{}other", server.url)).body("body").build().unwrap();
        client.send_first_of(&POLICY, [first, second]).await.unwrap();
        let heads = server.heads();
        assert!(heads[0].starts_with("GET / ") && heads[0].contains("x-try: 1"), "{}", heads[0]);
        assert!(heads[1].starts_with("PUT /other "), "{}", heads[1]);
        assert_eq!(server.bodies(), ["", "body"]);
    }

    #[tokio::test(start_paused = true)]
    async fn builders_are_taken_and_one_that_cannot_be_built_sends_nothing() {
        let (one, two) = (Server::statuses([503]).await, Server::statuses([200]).await);
        let client = client();
        let builders = [&one, &two].map(|server| client.get(&server.url));
        assert_eq!(client.send_first_of(&POLICY, builders).await.unwrap().status(), 200);
        assert_eq!((one.requests(), two.requests()), (1, 1));
        let recorder = Recorder::new();
        let builders = [client.get(&one.url), client.get("not a url")];
        let error = client.send_first_of(&observed(&recorder), builders).await.unwrap_err();
        assert_eq!((error.is_builder(), one.requests()), (true, 1));
        assert_eq!(recorder.lines().last().unwrap(), "1/3 GaveUp(Permanent)");
    }

    #[tokio::test(start_paused = true)]
    async fn empty_list_is_an_error() {
        let error = client().send_first_of(&POLICY, Vec::<reqwest::Request>::new()).await.unwrap_err();
        assert!(format!("{error:?}").contains("there are no requests to send"), "{error:?}");
    }
}

mod hooks {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn hook_changes_the_request_of_an_attempt() {
        let (server, other) = (Server::statuses([503, 200]).await, Server::statuses([503]).await);
        let url = other.url.parse::<reqwest::Url>().unwrap();
        let retry = RequestRetry::new(POLICY).before_attempt(move |outgoing| {
            let number = outgoing.attempt().number();
            let request = outgoing.request_mut();
            request.headers_mut().append("x-attempt", number.into());
            *request.body_mut() = Some(format!("body {number}").into());
            if number == 1 {
                *request.url_mut() = url.clone();
                *request.method_mut() = Method::DELETE;
            }
        });
        client().put(&server.url).body("original").send_with_retry(&retry).await.unwrap();
        assert_eq!(
            (other.bodies(), server.bodies()),
            (vec!["body 1".to_owned()], vec!["body 2".to_owned(), "body 3".to_owned()])
        );
        assert!(other.heads()[0].starts_with("DELETE /"));
        // Each attempt starts from the original request.
        assert_eq!(server.heads()[1].matches("x-attempt").count(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn hook_selects_another_client() {
        let server = Server::statuses([503, 200]).await;
        let retry = RequestRetry::new(POLICY).before_attempt(|outgoing| {
            if outgoing.attempt().number() == 2 {
                outgoing.send_through(Client::builder().no_proxy().user_agent("other").build().unwrap());
            }
        });
        get(&server, &retry).await;
        let agents: Vec<_> = server.heads().iter().map(|head| head.contains("user-agent: other")).collect();
        assert_eq!(agents, [false, true]);
    }

    #[tokio::test(start_paused = true)]
    async fn hook_sees_the_previous_failure() {
        let server = Server::statuses([503, 200]).await;
        let retry = RequestRetry::new(POLICY).before_attempt(|outgoing| {
            let before = outgoing.attempt().last_failure().and_then(|failure| failure.status()).unwrap_or(0);
            outgoing.request_mut().headers_mut().insert("x-before", before.into());
        });
        get(&server, &retry).await;
        assert!(server.heads()[0].contains("x-before: 0") && server.heads()[1].contains("x-before: 503"));
    }
}

#[tokio::test(start_paused = true)]
async fn client_keeps_its_settings() {
    let server = Server::statuses([503, 200]).await;
    let client = Client::builder().no_proxy().user_agent("custom").build().unwrap();
    let response = client.get(&server.url).send_with_retry(&POLICY).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert!(server.heads().iter().all(|head| head.contains("user-agent: custom")));
}

#[tokio::test(start_paused = true)]
async fn request_future_can_be_spawned() {
    let server = Server::statuses([503, 200]).await;
    let url = server.url.clone();
    let task = tokio::spawn(async move { client().get(url).send_with_retry(&POLICY).await });
    assert_eq!(task.await.unwrap().unwrap().status(), 200);
}
