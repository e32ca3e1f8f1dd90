//! Connection events: names, connections and redirects, reported for the attempt that caused them.

use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy as Redirects;
use reqwest::{Client, Response};
use retry_runtime::event::{ConnectionEvent, EventKind};
use retry_runtime::http::connections::{Names, TraceConnections, redirects};
use retry_runtime::http::{RequestRetry, SendWithRetry};
use retry_runtime::{Condition, Event, Executor, Observer, Policy, retry};

use crate::support::server::{Reply, Server, client_builder, refused};
use crate::support::trace::{Seen, record};
use crate::support::{SECOND, ms};

const POLICY: Policy = Policy::fixed(SECOND);

/// Resolves each name to this machine.
struct Here;

impl Resolve for Here {
    fn resolve(&self, _: Name) -> Resolving {
        Box::pin(async { Ok(Box::new([SocketAddr::from(([127, 0, 0, 1], 0))].into_iter()) as Addrs) })
    }
}

fn client() -> Client {
    let builder = client_builder();
    builder.trace_connections().dns_resolver(Arc::new(Names::around(Here))).build().unwrap()
}

/// The URL of the server, with a host name that has to be resolved.
fn by_name(server: &Server) -> String {
    server.url.replace("127.0.0.1", "here.example")
}

/// Records each event with the number of its attempt, such as `1 connected`. A failed attempt appears with its status.
#[derive(Default)]
struct Log(Mutex<Vec<String>>);

impl Log {
    fn new() -> Arc<Self> {
        Arc::default()
    }

    fn lines(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Observer for Log {
    fn on_event(&self, event: &Event<'_>) {
        let what = match event.kind {
            EventKind::AttemptStarted => "starts".to_owned(),
            EventKind::AttemptFailed { status, .. } => status.map_or("fails".to_owned(), |status| status.to_string()),
            EventKind::Waiting { .. } => "waits".to_owned(),
            EventKind::Connection(event) => event.as_str().to_owned(),
            EventKind::Succeeded => "succeeds".to_owned(),
            _ => "ends".to_owned(),
        };
        self.0.lock().unwrap().push(format!("{} {what}", event.attempt));
    }
}

/// The events of two attempts on one connection.
const ONE_CONNECTION: [&str; 10] = [
    "1 starts",
    "1 connecting",
    "1 resolving",
    "1 resolved",
    "1 connected",
    "1 503",
    "1 waits",
    "2 starts",
    "2 reused",
    "2 succeeds",
];

#[tokio::test(start_paused = true)]
async fn request_reports_connection_events() {
    let (server, log) = (Server::statuses([503, 200]).await, Log::new());
    let retry = RequestRetry::new(POLICY).observer(log.clone());
    client().get(by_name(&server)).send_with_retry(&retry).await.unwrap();
    assert_eq!(log.lines(), ONE_CONNECTION);
}

#[tokio::test(start_paused = true)]
async fn annotated_function_reports_connection_events() {
    #[retry(policy = POLICY, observer = log)]
    async fn fetch(client: &Client, url: &str, log: &Log) -> reqwest::Result<Response> {
        client.get(url).send().await
    }
    let (server, log) = (Server::statuses([503, 200]).await, Log::new());
    fetch(&client(), &by_name(&server), &log).await.unwrap();
    assert_eq!(log.lines(), ONE_CONNECTION);
}

#[tokio::test(start_paused = true)]
async fn manual_loop_reports_connection_events() {
    let (server, log) = (Server::statuses([503, 200]).await, Log::new());
    let (client, url) = (client(), by_name(&server));
    let mut retry = Executor::new(&POLICY).observer(&*log);
    loop {
        let outcome = retry.attempt(client.get(&url).send()).await;
        match retry.next(outcome, &Condition::new()) {
            ControlFlow::Break(_) => break,
            ControlFlow::Continue(pause) => pause.await,
        }
    }
    assert_eq!(log.lines(), ONE_CONNECTION);
}

#[tokio::test(start_paused = true)]
async fn middleware_reports_connection_events() {
    let (server, log) = (Server::statuses([503, 200]).await, Log::new());
    let retry = RequestRetry::new(POLICY).observer(log.clone());
    let client = reqwest_middleware::ClientBuilder::new(client()).with(retry).build();
    client.get(by_name(&server)).send().await.unwrap();
    assert_eq!(log.lines(), ONE_CONNECTION);
}

#[tokio::test(start_paused = true)]
async fn reuse_of_an_earlier_calls_connection_is_reported() {
    let (server, log) = (Server::statuses([200]).await, Log::new());
    let retry = RequestRetry::new(POLICY).observer(log.clone());
    let client = client();
    client.get(&server.url).send_with_retry(&retry).await.unwrap();
    log.lines();
    client.get(&server.url).send_with_retry(&retry).await.unwrap();
    assert_eq!(log.lines(), ["1 starts", "1 reused", "1 succeeds"]);
}

#[tokio::test(start_paused = true)]
async fn reuse_of_an_unobserved_connection_is_reported() {
    let (server, log) = (Server::statuses([200]).await, Log::new());
    let client = client();
    client.get(&server.url).send().await.unwrap();
    client.get(&server.url).send_with_retry(&POLICY).await.unwrap();
    let retry = RequestRetry::new(POLICY).observer(log.clone());
    client.get(&server.url).send_with_retry(&retry).await.unwrap();
    assert_eq!(log.lines(), ["1 starts", "1 reused", "1 succeeds"]);
}

#[tokio::test(start_paused = true)]
async fn failure_events_contain_the_reason() {
    struct Nowhere;
    impl Resolve for Nowhere {
        fn resolve(&self, _: Name) -> Resolving {
            Box::pin(async { Err("no such host, see https://user:secret@dns.example".into()) })
        }
    }
    let (trace, _guard) = record();
    let client = Client::builder()
        .no_proxy()
        .trace_connections()
        .dns_resolver(Arc::new(Names::around(Nowhere)))
        .build()
        .unwrap();
    client.get("http://nowhere.example/?key=secret").send_with_retry(&POLICY.attempts(1)).await.unwrap_err();
    client.get(refused().await).send_with_retry(&POLICY.attempts(1)).await.unwrap_err();
    let events: Vec<_> = trace.events().into_iter().filter(|event| event.fields.contains_key("connection")).collect();
    let texts: Vec<_> =
        events.iter().map(|event| (event.fields["connection"].as_str(), event.message.as_str())).collect();
    assert_eq!(
        texts.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(),
        ["connecting", "resolving", "resolve_failed", "connect_failed", "connecting", "connect_failed"]
    );
    assert!(texts[2].1.contains("no such host, see https://***@dns.example"), "{}", texts[2].1);
    assert!(texts[5].1.contains("Connection refused"), "{}", texts[5].1);
    assert!(!format!("{:?}", trace.events()).contains("secret"));
}

#[tokio::test(start_paused = true)]
async fn redirect_is_reported_and_the_redirect_policy_applies() {
    let (server, log) = (Server::start(redirecting()).await, Log::new());
    let retry = RequestRetry::new(POLICY).observer(log.clone());
    client().get(&server.url).send_with_retry(&retry).await.unwrap();
    assert_eq!(log.lines(), ["1 starts", "1 connecting", "1 connected", "1 redirected", "1 succeeds"]);

    let (server, log) = (Server::start(redirecting()).await, Log::new());
    let retry = RequestRetry::new(POLICY).observer(log.clone());
    let builder = client_builder().redirect(redirects(Redirects::none()));
    let response = builder.build().unwrap().get(&server.url).send_with_retry(&retry).await.unwrap();
    assert_eq!((response.status().as_u16(), server.requests()), (302, 1));

    // reqwest's limit of ten still holds.
    let server = Server::start([Reply::status(302).header("location", "/loop")]).await;
    let error = client().get(&server.url).send_with_retry(&POLICY.attempts(1)).await.unwrap_err();
    assert_eq!((error.is_redirect(), server.requests()), (true, 11));
}

fn redirecting() -> [Reply; 2] {
    [Reply::status(302).header("location", "/there?key=secret"), Reply::status(200)]
}

#[tokio::test(start_paused = true)]
async fn redirect_event_contains_the_status_and_no_secret() {
    let server = Server::start(redirecting()).await;
    let (trace, _guard) = record();
    client().get(&server.url).send_with_retry(&POLICY).await.unwrap();
    let redirected = trace
        .events()
        .into_iter()
        .find(|event| event.fields.get("connection").is_some_and(|kind| kind == "redirected"));
    let message = redirected.unwrap().message;
    assert_eq!(message, format!("attempt 1 of 3: redirected to {}there?*** with status 302", server.url));
}

#[tokio::test(start_paused = true)]
async fn client_may_be_created_inside_the_attempt() {
    let (server, log) = (Server::statuses([200]).await, Log::new());
    let mut retry = Executor::new(&POLICY).observer(&*log);
    retry.attempt(async { client().get(by_name(&server)).send().await }).await.unwrap();
    assert_eq!(log.lines()[1], "1 connecting");
}

/// Two calls run concurrently in one task. Each reports its own connection events.
#[tokio::test(start_paused = true)]
async fn concurrent_calls_report_their_own_connection_events() {
    let client = client();
    let call = async |statuses: [u16; 2]| {
        let (server, log) = (Server::statuses(statuses).await, Log::new());
        let retry = RequestRetry::new(POLICY).observer(log.clone());
        client.get(&server.url).send_with_retry(&retry).await.unwrap();
        log.lines()
    };
    let (one, two) = tokio::join!(call([503, 200]), call([200, 200]));
    assert_eq!(
        one,
        ["1 starts", "1 connecting", "1 connected", "1 503", "1 waits", "2 starts", "2 reused", "2 succeeds"]
    );
    assert_eq!(two, ["1 starts", "1 connecting", "1 connected", "1 succeeds"]);
}

/// Resolves each name to this machine, after this time.
struct Slow(Duration);

impl Resolve for Slow {
    fn resolve(&self, _: Name) -> Resolving {
        let delay = self.0;
        Box::pin(async move {
            tokio::time::sleep(delay).await;
            Here.resolve("here.example".parse().unwrap()).await
        })
    }
}

/// Makes two attempts. The first one takes over the connection of an earlier request, because that is free before its own
/// connection is ready. The pool completes the other connection `late` after its start, in or before the second attempt.
async fn two_attempts_with_a_late_connection(retry: &RequestRetry, late: Duration) {
    let server =
        Server::start([Reply::status(503).pieces(1, ms(300)), Reply::status(503), Reply::status(200).late(ms(100))])
            .await;
    let builder = client_builder().trace_connections();
    let client = builder.dns_resolver(Arc::new(Names::around(Slow(late)))).build().unwrap();
    let url = by_name(&server);
    let first = async {
        drop(client.get(&url).send().await.unwrap().bytes().await);
    };
    let second = async {
        tokio::time::sleep(late + ms(200)).await;
        client.get(&url).send_with_retry(retry).await.unwrap();
    };
    tokio::join!(first, second);
}

/// The pool completes a connection that its attempt no longer needs. The event belongs to the attempt that started it.
#[tokio::test(start_paused = true)]
async fn late_connection_belongs_to_the_attempt_that_started_it() {
    let log = Log::new();
    let retry = RequestRetry::new(POLICY).observer(log.clone());
    two_attempts_with_a_late_connection(&retry, ms(200)).await;
    let lines = log.lines();
    let connected = lines.iter().position(|line| line == "1 connected").unwrap();
    assert!(lines[..connected].contains(&"1 503".to_owned()), "{lines:?}");
    // The first attempt used the connection of the first request, so the call went on.
    assert!(lines.contains(&"2 starts".to_owned()), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn events_contain_host_addresses_and_connection() {
    let server = Server::statuses([200]).await;
    struct ConnectionEvents(Mutex<Vec<ConnectionEvent>>);
    impl Observer for ConnectionEvents {
        fn on_event(&self, event: &Event<'_>) {
            if let EventKind::Connection(event) = event.kind {
                self.0.lock().unwrap().push(event.clone());
            }
        }
    }
    let events = Arc::new(ConnectionEvents(Mutex::default()));
    let retry = RequestRetry::new(POLICY).observer(events.clone());
    client().get(by_name(&server)).send_with_retry(&retry).await.unwrap();
    let seen = events.0.lock().unwrap();
    let Some(ConnectionEvent::Resolved { host, addresses, .. }) = seen.get(2) else { panic!("{seen:?}") };
    assert_eq!((host.as_str(), addresses.len()), ("here.example", 1));
    let Some(ConnectionEvent::Connected { connection: Some(connection), .. }) = seen.get(3) else { panic!("{seen:?}") };
    assert_eq!(format!("http://{}/", connection.remote), server.url);
}

/// The event is in the span of the call, not in that of the attempt that runs at that time.
#[tokio::test(start_paused = true)]
async fn late_connection_event_is_in_the_call_span_with_the_number_of_its_attempt() {
    let (trace, _guard) = record();
    let retry = RequestRetry::new(Policy::fixed(ms(50))).name("late");
    two_attempts_with_a_late_connection(&retry, ms(200)).await;
    let connected = |event: &&Seen| event.fields.get("connection").is_some_and(|kind| kind == "connected");
    let events = trace.events();
    let event = events.iter().find(connected).unwrap();
    let span = event.span.as_ref().unwrap();
    let place = (span.name.as_str(), event.fields.get("attempt").map(String::as_str));
    assert_eq!(place, ("retry", Some("1")));
    // The second attempt runs at that time.
    let before = events.iter().take_while(|event| !connected(event));
    assert!(before.into_iter().any(|event| event.message == "attempt 2 of 3 starts"));
}
