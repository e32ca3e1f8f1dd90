//! Requests that a server redirects, and requests whose URL something below the retry layer changes: what the servers see.

use std::fmt::Write;

use async_trait::async_trait;
use http::Extensions;
use reqwest::{Client, ClientBuilder, Request, Response, Url};
use reqwest_middleware::{Middleware, Next};
use retry_runtime::http::{RequestRetry, SendWithRetry};
use retry_runtime::tower::TowerPolicy;
use retry_runtime::{Condition, Policy};
use tower::{ServiceBuilder, ServiceExt};

use crate::server::{Reply, Server, refused};
use crate::support::SECOND;

const POLICY: Policy = Policy::fixed(SECOND).attempts(3);

/// The shop that orders are sent to, and another server.
struct World {
    shop: Server,
    other: Server,
}

impl World {
    /// Method and target of all requests, in their order; of the other server's, its name too.
    fn wire(&self) -> String {
        let mut lines = self.shop.lines();
        lines.extend(self.other.lines().into_iter().map(|(order, line)| (order, line.replace(" /", " other/"))));
        lines.sort();
        lines.into_iter().map(|(_, line)| line).collect::<Vec<_>>().join(", ")
    }
}

/// What happens to `POST /order`.
struct Case {
    name: &'static str,
    /// Whether the shop is there.
    is_refused: bool,
    /// The shop's answers to each attempt.
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

/// A redirect; `OTHER` and `DEAD` are replaced with the URLs of these servers.
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

/// How the order is sent.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Through {
    SendWithRetry,
    Middleware,
    Tower,
}

/// Middleware, or a service, that changes the request.
struct Below(fn(&mut Request));

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

/// Sends the order, with three attempts, and gives what the servers have seen.
async fn wire(case: &Case, through: Through, client: &Client, condition: Condition) -> String {
    let other = Server::start([case.other.clone()]).await;
    let dead = refused().await;
    let attempt = case.shop.iter().map(|reply| reply.with("OTHER", &other.url).with("DEAD", &dead));
    let attempt: Vec<_> = attempt.collect();
    let replies = [attempt.clone(), attempt.clone(), attempt].concat();
    let world = World { shop: Server::start(replies).await, other };
    let base = if case.is_refused { refused().await } else { world.shop.url.clone() };
    let url = Url::parse(&base).unwrap().join("order").unwrap();
    let below = case.below;
    match through {
        Through::SendWithRetry => {
            let retry = RequestRetry::new(POLICY).condition(condition);
            let retry = retry.before_attempt(move |outgoing| below(outgoing.request_mut()));
            drop(client.post(url).body("one").send_with_retry(&retry).await);
        }
        Through::Middleware => {
            let client = reqwest_middleware::ClientBuilder::new(client.clone())
                .with(RequestRetry::new(POLICY).condition(condition))
                .with(Below(below));
            drop(client.build().post(url).body("one").send().await);
        }
        Through::Tower => {
            let policy = TowerPolicy::http(POLICY).condition(condition).cloning(Request::try_clone);
            let changed = move |mut request: Request| {
                below(&mut request);
                request
            };
            let service = ServiceBuilder::new().retry(policy).map_request(changed).service(client.clone());
            drop(service.oneshot(client.post(url).body("one").build().unwrap()).await);
        }
    }
    world.wire()
}

fn builder() -> ClientBuilder {
    Client::builder().no_proxy().pool_idle_timeout(None)
}

#[tokio::test(start_paused = true)]
async fn what_the_servers_see_of_a_post() {
    let mut table = String::new();
    let client = builder().build().unwrap();
    for case in cases() {
        for through in [Through::SendWithRetry, Through::Middleware, Through::Tower] {
            let wire = wire(&case, through, &client, Condition::new()).await;
            writeln!(table, "{} | {through:?} | {wire}", case.name).unwrap();
        }
    }
    println!("{table}");
}
