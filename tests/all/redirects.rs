//! Redirects: the requests that servers receive if one of them redirects, or if something below the retry layer changes the
//! URL.

use async_trait::async_trait;
use http::Extensions;
use reqwest::{Client, Method, Request, Response, Url};
use reqwest_middleware::{Middleware, Next};
use retry_runtime::http::connections::TraceConnections;
use retry_runtime::http::{CheckStatus, StatusError};
use retry_runtime::http::{RequestRetry, SendWithRetry, TrackRedirects};
use retry_runtime::tower::TowerPolicy;
use retry_runtime::{Condition, Failure, Policy, Retryable, Verdict, verdict};
use tower::{ServiceBuilder, ServiceExt};

use crate::support::server::{Reply, Server, client_builder, refused};
use crate::support::{Recorder, SECOND};
use crate::tables::expect;

const POLICY: Policy = Policy::fixed(SECOND).attempts(3);

/// The shop that receives the orders, and another server.
struct Servers {
    shop: Server,
    other: Server,
}

impl Servers {
    /// Method and target of the requests of one attempt, in order. Those to the other server carry its name. All attempts must
    /// send the same requests.
    fn per_attempt(&self, attempts: usize) -> String {
        let mut lines = self.shop.lines();
        lines.extend(self.other.lines().into_iter().map(|(order, line)| (order, line.replace(" /", " other/"))));
        lines.sort();
        let lines: Vec<_> = lines.into_iter().map(|(_, line)| line).collect();
        if lines.is_empty() {
            return "nothing".to_owned();
        }
        let mut attempts_lines = lines.chunks(lines.len() / attempts);
        let first = attempts_lines.next().unwrap();
        assert!(attempts_lines.all(|other| other == first), "{lines:?}");
        first.join(", ")
    }
}

/// A way for `POST /order` to fail.
struct Case {
    name: &'static str,
    /// Set if the shop refuses connections.
    is_refused: bool,
    /// The shop's replies to each attempt.
    shop: Vec<Reply>,
    other: Reply,
    /// Changes the request below the retry layer.
    below: fn(&mut Request),
}

impl Case {
    fn new(name: &'static str, shop: impl Into<Vec<Reply>>) -> Self {
        Self { name, is_refused: false, shop: shop.into(), other: Reply::status(200), below: |_| {} }
    }
}

fn limited() -> Reply {
    Reply::status(429).retry_after("0")
}

fn busy() -> Reply {
    Reply::status(503).retry_after("0")
}

/// A redirect. `OTHER` and `DEAD` stand for the URLs of these servers.
fn to(status: u16, location: &str) -> Reply {
    Reply::status(status).header("location", location)
}

fn add_key(request: &mut Request) {
    request.url_mut().query_pairs_mut().append_pair("key", "1");
}

fn add_base_path(request: &mut Request) {
    let path = format!("/v2{}", request.url().path());
    request.url_mut().set_path(&path);
}

fn cases() -> Vec<Case> {
    vec![
        Case::new("429", [limited()]),
        Case::new("503", [busy()]),
        Case { is_refused: true, ..Case::new("the connection is refused", []) },
        Case::new("303 to the same URL, 503", [to(303, "/order"), busy()]),
        Case::new("303 to the same URL, 429", [to(303, "/order"), limited()]),
        Case::new("303 to another URL, 503", [to(303, "/receipt"), busy()]),
        Case::new("303 to another URL, 429", [to(303, "/receipt"), limited()]),
        Case { other: limited(), ..Case::new("303 to another server, 429", [to(303, "OTHERreceipt")]) },
        Case::new("303 to a dead server", [to(303, "DEADreceipt")]),
        Case::new("302 to the same URL, 429", [to(302, "/order"), limited()]),
        Case::new("302 to a dead server", [to(302, "DEADreceipt")]),
        Case::new("307 to the same URL, 429", [to(307, "/order"), limited()]),
        Case { other: busy(), ..Case::new("307 to another server, 503", [to(307, "OTHERorder")]) },
        Case::new("307 to a dead server", [to(307, "DEADorder")]),
        Case { other: limited(), ..Case::new("308 to another server, 429", [to(308, "OTHERorder")]) },
        Case::new("308 to a dead server", [to(308, "DEADorder")]),
        Case { below: add_key, ..Case::new("the API key is added below, 429", [limited()]) },
        Case { below: add_base_path, ..Case::new("the base path is added below, 429", [limited()]) },
        Case {
            below: add_key,
            ..Case::new("the API key is added below, 303 to another URL, 429", [to(303, "/receipt"), limited()])
        },
    ]
}

/// The API that sends the order.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Through {
    SendWithRetry,
    Middleware,
    Tower,
}

/// Middleware, or a service, that changes the request.
pub(crate) struct Below(pub(crate) fn(&mut Request));

#[async_trait]
impl Middleware for Below {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        (self.0)(&mut request);
        next.run(request, extensions).await
    }
}

/// The ways to detect redirects.
#[derive(Clone, Copy, Debug)]
enum Detection {
    /// None: a plain client.
    Nothing,
    /// The client tracks redirects.
    Tracked,
    /// The condition assumes that no server redirects.
    Assumed,
}

impl Detection {
    fn client(self) -> Client {
        let builder = match self {
            Self::Tracked => client_builder().track_redirects(),
            Self::Nothing | Self::Assumed => client_builder(),
        };
        builder.build().unwrap()
    }

    fn condition(self) -> Condition {
        match self {
            Self::Assumed => Condition::new().assume_no_redirects(),
            Self::Nothing | Self::Tracked => Condition::new(),
        }
    }
}

/// Sends the order with at most three attempts. Returns the number of attempts, and the requests of each.
async fn send_order(case: &Case, through: Through, detection: Detection) -> (usize, String) {
    let (client, condition, recorder) = (detection.client(), detection.condition(), Recorder::new());
    let other = Server::start([case.other.clone()]).await;
    let dead = refused().await;
    let attempt: Vec<_> = case.shop.iter().map(|reply| reply.with("OTHER", &other.url).with("DEAD", &dead)).collect();
    let replies = [attempt.clone(), attempt.clone(), attempt].concat();
    let servers = Servers { shop: Server::start(replies).await, other };
    let base = if case.is_refused { refused().await } else { servers.shop.url.clone() };
    let url = Url::parse(&base).unwrap().join("order").unwrap();
    let below = case.below;
    match through {
        Through::SendWithRetry => {
            let retry = RequestRetry::new(POLICY).condition(condition).observer(recorder.clone());
            let retry = retry.before_attempt(move |outgoing| below(outgoing.request_mut()));
            drop(client.post(url).body("one").send_with_retry(&retry).await);
        }
        Through::Middleware => {
            let retry = RequestRetry::new(POLICY).condition(condition).observer(recorder.clone());
            let client = reqwest_middleware::ClientBuilder::new(client).with(retry).with(Below(below)).build();
            drop(client.post(url).body("one").send().await);
        }
        Through::Tower => {
            let policy = TowerPolicy::http(POLICY).condition(condition).cloning(Request::try_clone);
            let changed = move |mut request: Request| {
                below(&mut request);
                request
            };
            let request = client.post(url).body("one").build().unwrap();
            let service = ServiceBuilder::new().layer(policy.observer(recorder.clone()));
            drop(service.map_request(changed).service(client).oneshot(request).await);
        }
    }
    let attempts = recorder.lines().iter().filter(|line| line.ends_with("AttemptStarted")).count();
    (attempts, servers.per_attempt(attempts))
}

fn tracking() -> Client {
    client_builder().track_redirects().build().unwrap()
}

/// Prints the requests of each case, and compares them with the table in the guide.
#[tokio::test(start_paused = true)]
async fn redirected_post_is_not_resent() {
    let mut rows = Vec::new();
    for case in cases() {
        let mut row = vec![case.name.to_owned()];
        for detection in [Detection::Nothing, Detection::Tracked, Detection::Assumed] {
            let seen = send_order(&case, Through::SendWithRetry, detection).await;
            for through in [Through::Middleware, Through::Tower] {
                assert_eq!(
                    send_order(&case, through, detection).await,
                    seen,
                    "{}, {through:?}, {detection:?}",
                    case.name
                );
            }
            row.push(format!("{} × {}", seen.0, seen.1));
        }
        println!("{}", row.join(" | "));
        let is_redirected = case.name.contains("to ");
        assert!(row[1].starts_with("1 ×"), "without proof, a POST is sent once: {row:?}");
        assert_eq!(row[2].starts_with("1 ×"), is_redirected, "{row:?}");
        assert!(row[3].starts_with("3 ×"), "{row:?}");
        rows.push(row);
    }
    let columns = ["what happens to `POST /order`", "any client", "`track_redirects`", "`assume_no_redirects`"];
    expect("redirects", &columns, &rows);
}

/// The number of POSTs to a server that replies with 429 to the first and 200 to the second.
async fn posts_after_a_429(send: impl AsyncFnOnce(String)) -> usize {
    let server = Server::start([limited(), Reply::status(200)]).await;
    send(server.url.clone()).await;
    server.lines().iter().filter(|(_, line)| line.starts_with("POST")).count()
}

#[tokio::test(start_paused = true)]
async fn plain_policy_detects_redirects() {
    for (replies, posts) in [
        (vec![limited(), busy(), Reply::status(200)], 3),
        (vec![to(303, "/order"), limited()], 1),
        // Only the second attempt is redirected.
        (vec![limited(), to(303, "/order"), limited()], 2),
    ] {
        let server = Server::start(replies).await;
        tracking().post(format!("{}order", server.url)).body("one").send_with_retry(&POLICY).await.unwrap();
        let lines = server.lines();
        assert_eq!(lines.iter().filter(|(_, line)| line.starts_with("POST")).count(), posts, "{lines:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn trace_connections_tracks_redirects() {
    let traced = client_builder().trace_connections().build().unwrap();
    let posts = posts_after_a_429(async |url| drop(traced.post(url).send_with_retry(&POLICY).await));
    assert_eq!(posts.await, 2);
}

/// Requests without proof count as redirected.
mod without_proof {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn retry_policy_set_later_replaces_the_tracking() {
        let client = client_builder().track_redirects().retry(reqwest::retry::never()).build().unwrap();
        let posts = posts_after_a_429(async |url| drop(client.post(url).send_with_retry(&POLICY).await));
        assert_eq!(posts.await, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn tower_policy_without_its_layer_detects_nothing() {
        let posts = posts_after_a_429(async |url| {
            let policy = TowerPolicy::http(POLICY).cloning(Request::try_clone);
            let service = ServiceBuilder::new().retry(policy).service(tracking());
            drop(service.oneshot(tracking().post(url).build().unwrap()).await);
        });
        assert_eq!(posts.await, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn streamed_body_is_not_tracked() {
        let body = || async { reqwest::Body::wrap(http_body_util::Full::<bytes::Bytes>::from("one")) };
        let posts = posts_after_a_429(async |url| drop(tracking().post(url).stream_with_retry(&POLICY, body).await));
        assert_eq!(posts.await, 1);
    }

    /// The client does not report a streamed request, but reports the request that follows its redirect.
    #[tokio::test(start_paused = true)]
    async fn redirected_get_with_a_stream_counts_as_redirected() {
        let retry = RequestRetry::new(POLICY).condition(Condition::new().methods(&["PUT"]));
        let body = || async { reqwest::Body::wrap(http_body_util::Full::<bytes::Bytes>::from("one")) };
        let server = Server::start([to(303, "/receipt"), limited()]).await;
        tracking().get(&server.url).stream_with_retry(&retry, body).await.unwrap();
        assert_eq!(server.requests(), 2);
    }

    /// Requests a token first, with its own client.
    struct Token(Client, Method, String);

    #[async_trait]
    impl Middleware for Token {
        async fn handle(
            &self,
            request: Request,
            extensions: &mut Extensions,
            next: Next<'_>,
        ) -> reqwest_middleware::Result<Response> {
            self.0.request(self.1.clone(), &self.2).send().await?;
            next.run(request, extensions).await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn request_of_a_middleware_proves_nothing_about_the_post() {
        let tokens = Server::statuses([200]).await;
        let plain = || client_builder().build().unwrap();
        for (token_client, method, post_client, posts) in [
            (plain(), Method::GET, tracking(), 2),
            (plain(), Method::POST, tracking(), 2),
            (tracking(), Method::GET, plain(), 1),
            (tracking(), Method::POST, plain(), 1),
            (tracking(), Method::GET, tracking(), 1),
        ] {
            let client = reqwest_middleware::ClientBuilder::new(post_client)
                .with(RequestRetry::new(POLICY))
                .with(Token(token_client, method, tokens.url.clone()))
                .build();
            assert_eq!(posts_after_a_429(async |url| drop(client.post(url).send().await)).await, posts);
        }
    }
}

/// Conditions that judge outcomes of reqwest, as in hand-written loops.
mod conditions {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn reqwest_outcomes_prove_nothing_unless_no_redirects_are_assumed() {
        let server = Server::start([limited()]).await;
        let refused_url = refused().await;
        let failures = [
            Failure::of(&client_builder().build().unwrap().post(&refused_url).send().await.unwrap_err()),
            Failure::of(&reqwest_012::Client::new().post(&refused_url).send().await.unwrap_err()),
            Failure::of(&client_builder().build().unwrap().post(&server.url).send().await.unwrap()),
            Failure::of(&reqwest_012::Client::new().post(&server.url).send().await.unwrap()),
            Failure::of(
                &client_builder().build().unwrap().post(&server.url).send().await.unwrap().check_status().unwrap_err(),
            ),
            Failure::of(
                &client_builder()
                    .build()
                    .unwrap()
                    .post(&server.url)
                    .send()
                    .await
                    .unwrap()
                    .error_for_status()
                    .unwrap_err(),
            ),
        ];
        for failure in failures {
            let condition = Condition::new().for_method("POST");
            assert!(!failure.is_unprocessed(), "{failure:?}");
            assert!(matches!(condition.judge(None, Some(failure)), Verdict::NotSafe(..)), "{failure:?}");
            let direct = condition.assume_no_redirects();
            assert!(matches!(direct.judge(None, Some(failure)), Verdict::Retry(_)), "{failure:?}");
        }
        // The same for a boxed error.
        let boxed: Box<dyn std::error::Error + Send + Sync> =
            client_builder().build().unwrap().post(&refused_url).send().await.unwrap_err().into();
        let outcome: Result<(), _> = Err(boxed);
        let condition = Condition::new().for_method("POST");
        assert!(matches!(verdict!(&outcome, condition), Verdict::NotSafe(..)));
        assert!(matches!(verdict!(&outcome, condition.assume_no_redirects()), Verdict::Retry(_)));
    }

    #[derive(Debug, thiserror::Error, Retryable)]
    #[error(transparent)]
    enum OrderError {
        #[retryable(source)]
        Status(#[from] StatusError),
        #[retryable(source)]
        Client(#[from] reqwest::Error),
    }

    #[tokio::test(start_paused = true)]
    async fn derived_error_proves_as_little_as_its_source() {
        let server = Server::start([limited()]).await;
        let client = client_builder().build().unwrap();
        let limited = client.post(&server.url).send().await.unwrap().check_status().unwrap_err();
        let refused = client.post(&refused().await).send().await.unwrap_err();
        for error in [OrderError::from(limited), OrderError::from(refused)] {
            let outcome: Result<(), OrderError> = Err(error);
            let condition = Condition::new().for_method("POST");
            assert!(matches!(verdict!(&outcome, condition), Verdict::NotSafe(..)), "{outcome:?}");
            assert!(matches!(verdict!(&outcome, condition.assume_no_redirects()), Verdict::Retry(_)), "{outcome:?}");
        }
    }
}
