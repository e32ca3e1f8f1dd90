//! What happens on the wire, for the attempt that caused it.

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

use crate::server::{Reply, Server, refused};
use crate::support::{SECOND, ms};
use crate::trace::{Seen, record};

const POLICY: Policy = Policy::fixed(SECOND);

/// Finds every name at this machine.
struct Here;

impl Resolve for Here {
    fn resolve(&self, _: Name) -> Resolving {
        Box::pin(async { Ok(Box::new([SocketAddr::from(([127, 0, 0, 1], 0))].into_iter()) as Addrs) })
    }
}

fn client() -> Client {
    let builder = Client::builder().no_proxy().pool_idle_timeout(None);
    builder.trace_connections().dns_resolver(Arc::new(Names::around(Here))).build().unwrap()
}

/// The server by a name that has to be resolved.
fn named(server: &Server) -> String {
    server.url.replace("127.0.0.1", "here.example")
}

/// `1 connected`: what happened, and for which attempt. Of failures the status.
#[derive(Default)]
struct Story(Mutex<Vec<String>>);

impl Story {
    fn new() -> Arc<Self> {
        Arc::default()
    }

    fn lines(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Observer for Story {
    fn on_event(&self, event: &Event<'_>) {
        let what = match event.kind {
            EventKind::AttemptStarted => "starts".to_owned(),
            EventKind::AttemptFailed { status, .. } => status.map_or("fails".to_owned(), |status| status.to_string()),
            EventKind::Waiting { .. } => "waits".to_owned(),
            EventKind::Connection(what) => what.as_str().to_owned(),
            EventKind::Succeeded => "succeeds".to_owned(),
            _ => "ends".to_owned(),
        };
        self.0.lock().unwrap().push(format!("{} {what}", event.attempt));
    }
}

/// Two attempts on one connection.
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
async fn two_attempts_on_one_connection() {
    let (server, story) = (Server::statuses([503, 200]).await, Story::new());
    let retry = RequestRetry::new(POLICY).observer(story.clone());
    client().get(named(&server)).send_with_retry(&retry).await.unwrap();
    assert_eq!(story.lines(), ONE_CONNECTION);
}

#[tokio::test(start_paused = true)]
async fn in_an_annotated_function() {
    #[retry(policy = POLICY, observer = story)]
    async fn fetch(client: &Client, url: &str, story: &Story) -> reqwest::Result<Response> {
        client.get(url).send().await
    }
    let (server, story) = (Server::statuses([503, 200]).await, Story::new());
    fetch(&client(), &named(&server), &story).await.unwrap();
    assert_eq!(story.lines(), ONE_CONNECTION);
}

#[tokio::test(start_paused = true)]
async fn in_a_loop_by_hand() {
    let (server, story) = (Server::statuses([503, 200]).await, Story::new());
    let (client, url) = (client(), named(&server));
    let mut retry = Executor::new(&POLICY).observer(&*story);
    loop {
        let outcome = retry.attempt(client.get(&url).send()).await;
        match retry.next(outcome, &Condition::new()) {
            ControlFlow::Break(_) => break,
            ControlFlow::Continue(pause) => pause.await,
        }
    }
    assert_eq!(story.lines(), ONE_CONNECTION);
}

#[tokio::test(start_paused = true)]
async fn in_the_middleware() {
    let (server, story) = (Server::statuses([503, 200]).await, Story::new());
    let retry = RequestRetry::new(POLICY).observer(story.clone());
    let client = reqwest_middleware::ClientBuilder::new(client()).with(retry).build();
    client.get(named(&server)).send().await.unwrap();
    assert_eq!(story.lines(), ONE_CONNECTION);
}

#[tokio::test(start_paused = true)]
async fn a_connection_of_an_earlier_call_is_used_again() {
    let (server, story) = (Server::statuses([200]).await, Story::new());
    let retry = RequestRetry::new(POLICY).observer(story.clone());
    let client = client();
    client.get(&server.url).send_with_retry(&retry).await.unwrap();
    story.lines();
    client.get(&server.url).send_with_retry(&retry).await.unwrap();
    assert_eq!(story.lines(), ["1 starts", "1 reused", "1 succeeds"]);
}

#[tokio::test(start_paused = true)]
async fn a_connection_of_a_request_without_observer_is_reused() {
    let (server, story) = (Server::statuses([200]).await, Story::new());
    let client = client();
    client.get(&server.url).send().await.unwrap();
    client.get(&server.url).send_with_retry(&POLICY).await.unwrap();
    let retry = RequestRetry::new(POLICY).observer(story.clone());
    client.get(&server.url).send_with_retry(&retry).await.unwrap();
    assert_eq!(story.lines(), ["1 starts", "1 reused", "1 succeeds"]);
}

#[tokio::test(start_paused = true)]
async fn what_fails_says_why() {
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
    let wire: Vec<_> = trace.events().into_iter().filter(|event| event.fields.contains_key("connection")).collect();
    let said: Vec<_> = wire.iter().map(|event| (event.fields["connection"].as_str(), event.message.as_str())).collect();
    assert_eq!(
        said.iter().map(|(wire, _)| *wire).collect::<Vec<_>>(),
        ["connecting", "resolving", "resolve_failed", "connect_failed", "connecting", "connect_failed"]
    );
    assert!(said[2].1.contains("no such host, see https://***@dns.example"), "{}", said[2].1);
    assert!(said[5].1.contains("Connection refused"), "{}", said[5].1);
    assert!(!format!("{:?}", trace.events()).contains("secret"));
}

#[tokio::test(start_paused = true)]
async fn a_redirect_is_told_and_decided_as_before() {
    let (server, story) = (Server::start(redirecting()).await, Story::new());
    let retry = RequestRetry::new(POLICY).observer(story.clone());
    client().get(&server.url).send_with_retry(&retry).await.unwrap();
    assert_eq!(story.lines(), ["1 starts", "1 connecting", "1 connected", "1 redirected", "1 succeeds"]);

    let (server, story) = (Server::start(redirecting()).await, Story::new());
    let retry = RequestRetry::new(POLICY).observer(story.clone());
    let builder = Client::builder().no_proxy().pool_idle_timeout(None).redirect(redirects(Redirects::none()));
    let response = builder.build().unwrap().get(&server.url).send_with_retry(&retry).await.unwrap();
    assert_eq!((response.status().as_u16(), server.requests()), (302, 1));

    // reqwest's limit of ten still holds.
    let server = Server::start([Reply::status(302).header("location", "/again")]).await;
    let error = client().get(&server.url).send_with_retry(&POLICY.attempts(1)).await.unwrap_err();
    assert_eq!((error.is_redirect(), server.requests()), (true, 11));
}

fn redirecting() -> [Reply; 2] {
    [Reply::status(302).header("location", "/there?key=secret"), Reply::status(200)]
}

#[tokio::test(start_paused = true)]
async fn a_redirect_shows_no_secret_and_its_status() {
    let server = Server::start(redirecting()).await;
    let (trace, _guard) = record();
    client().get(&server.url).send_with_retry(&POLICY).await.unwrap();
    let redirected = trace
        .events()
        .into_iter()
        .find(|event| event.fields.get("connection").is_some_and(|wire| wire == "redirected"));
    let message = redirected.unwrap().message;
    assert_eq!(message, format!("attempt 1 of 3: sent to {}there?*** by status 302", server.url));
}

#[tokio::test(start_paused = true)]
async fn a_client_may_be_set_up_by_the_call_itself() {
    let (server, story) = (Server::statuses([200]).await, Story::new());
    let mut retry = Executor::new(&POLICY).observer(&*story);
    retry.attempt(async { client().get(named(&server)).send().await }).await.unwrap();
    assert_eq!(story.lines()[1], "1 connecting");
}

/// Two calls at once, in one task: what happens for one is not said by the other.
#[tokio::test(start_paused = true)]
async fn calls_at_the_same_time_are_kept_apart() {
    let client = client();
    let call = async |statuses: [u16; 2]| {
        let (server, story) = (Server::statuses(statuses).await, Story::new());
        let retry = RequestRetry::new(POLICY).observer(story.clone());
        client.get(&server.url).send_with_retry(&retry).await.unwrap();
        story.lines()
    };
    let (one, two) = tokio::join!(call([503, 200]), call([200, 200]));
    assert_eq!(
        one,
        ["1 starts", "1 connecting", "1 connected", "1 503", "1 waits", "2 starts", "2 reused", "2 succeeds"]
    );
    assert_eq!(two, ["1 starts", "1 connecting", "1 connected", "1 succeeds"]);
}

/// Finds every name at this machine, after so long.
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

/// Two attempts. The first one takes the connection of an earlier request, which is free before its own is made: the pool
/// makes that all the same, after so long, while the second attempt runs or before.
async fn two_attempts_with_a_late_connection(retry: &RequestRetry, late: Duration) {
    let server =
        Server::start([Reply::status(503).pieces(1, ms(300)), Reply::status(503), Reply::status(200).late(ms(100))])
            .await;
    let builder = Client::builder().no_proxy().pool_idle_timeout(None).trace_connections();
    let client = builder.dns_resolver(Arc::new(Names::around(Slow(late)))).build().unwrap();
    let url = named(&server);
    let first = async {
        drop(client.get(&url).send().await.unwrap().bytes().await);
    };
    let second = async {
        tokio::time::sleep(late + ms(200)).await;
        client.get(&url).send_with_retry(retry).await.unwrap();
    };
    tokio::join!(first, second);
}

/// The pool goes on to make a connection that another request's made needless: it is the attempt's that asked for it.
#[tokio::test(start_paused = true)]
async fn a_connection_that_the_pool_makes_by_itself_is_the_attempts_that_asked_for_it() {
    let story = Story::new();
    let retry = RequestRetry::new(POLICY).observer(story.clone());
    two_attempts_with_a_late_connection(&retry, ms(200)).await;
    let lines = story.lines();
    let connected = lines.iter().position(|line| line == "1 connected").unwrap();
    assert!(lines[..connected].contains(&"1 503".to_owned()), "{lines:?}");
    // It took the connection of the first request, and the pool's new one after that.
    assert!(lines.contains(&"2 starts".to_owned()), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn each_event_says_when_it_happened() {
    let server = Server::statuses([200]).await;
    struct Ends(Mutex<Vec<ConnectionEvent>>);
    impl Observer for Ends {
        fn on_event(&self, event: &Event<'_>) {
            if let EventKind::Connection(what) = event.kind {
                self.0.lock().unwrap().push(what.clone());
            }
        }
    }
    let ends = Arc::new(Ends(Mutex::default()));
    let retry = RequestRetry::new(POLICY).observer(ends.clone());
    client().get(named(&server)).send_with_retry(&retry).await.unwrap();
    let seen = ends.0.lock().unwrap();
    let Some(ConnectionEvent::Resolved { host, addresses, .. }) = seen.get(2) else { panic!("{seen:?}") };
    assert_eq!((host.as_str(), addresses.len()), ("here.example", 1));
    let Some(ConnectionEvent::Connected { connection: Some(connection), .. }) = seen.get(3) else { panic!("{seen:?}") };
    assert_eq!(format!("http://{}/", connection.remote), server.url);
}

/// Its event is part of the call, not of the attempt that runs when it comes.
#[tokio::test(start_paused = true)]
async fn a_late_connection_event_is_in_the_span_of_the_call_with_the_number_of_its_attempt() {
    let (trace, _guard) = record();
    let retry = RequestRetry::new(Policy::fixed(ms(50))).name("late");
    two_attempts_with_a_late_connection(&retry, ms(200)).await;
    let connected = |event: &&Seen| event.fields.get("connection").is_some_and(|wire| wire == "connected");
    let events = trace.events();
    let event = events.iter().find(connected).unwrap();
    let span = event.span.as_ref().unwrap();
    let place = (span.name.as_str(), event.fields.get("attempt").map(String::as_str));
    assert_eq!(place, ("retry", Some("1")));
    // The attempt that runs then is the second one.
    let before = events.iter().take_while(|event| !connected(event));
    assert!(before.into_iter().any(|event| event.message == "attempt 2 of 3 starts"));
}
