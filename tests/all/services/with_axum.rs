//! The layer in a server of axum, over a real connection.

use std::io;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use bytes::Bytes;
use futures_util::stream;
use reqwest::{Client, Response};
use retry_runtime::http::SendWithRetry;
use retry_runtime::server::{Caller, CallerLayer};
use retry_runtime::{Deadline, Policy, retry};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::support::server::{Reply, Server, client};
use crate::support::{SECOND, ms};

const TIME_LEFT: &str = "x-envoy-expected-rq-timeout-ms";
const TRUSTING: CallerLayer = CallerLayer::new().trust_callers();
const POLICY: Policy = Policy::fixed(Duration::from_millis(20)).attempts(3);

/// Starts a server, and returns its URL without the slash at its end.
async fn serve(app: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

async fn fetch(client: &Client, url: &str, time_left: Option<&str>) -> Response {
    let request = client.get(url);
    let request = time_left.into_iter().fold(request, |request, left| request.header(TIME_LEFT, left));
    request.send().await.unwrap()
}

async fn text(response: Response) -> String {
    response.text().await.unwrap()
}

#[tokio::test]
async fn handler_learns_about_its_caller() {
    async fn page(caller: Caller) -> String {
        let left = caller.time_left().map(|left| left <= SECOND * 5 && left > SECOND * 4);
        format!("{left:?} {:?}", caller.attempt())
    }
    let url = serve(Router::new().route("/", get(page)).layer(TRUSTING)).await;
    let request = client().get(&url).header(TIME_LEFT, "5000").header("x-envoy-attempt-count", "2");
    assert_eq!(text(request.send().await.unwrap()).await, "Some(true) Some(2)");
    assert_eq!(text(fetch(&client(), &url, None).await).await, "None None");
}

#[tokio::test]
async fn extractor_names_the_missing_layer() {
    let optional = get(async |caller: Option<Caller>| format!("{}", caller.is_some()));
    let app = Router::new().route("/", get(async |_: Caller| "page")).route("/optional", optional);
    let url = serve(app).await;
    let response = fetch(&client(), &url, None).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let expected = "the extractor `Caller` needs the layer `retry_runtime::server::CallerLayer` around this route";
    assert_eq!(text(response).await, expected);
    assert_eq!(text(fetch(&client(), &format!("{url}/optional"), None).await).await, "false");
}

#[tokio::test]
async fn requests_of_a_handler_end_with_its_caller() {
    let below = Server::start([Reply::silence()]).await;
    let page = get(async |State(below): State<String>| match client().get(below).send_with_retry(&POLICY).await {
        Ok(_) => (StatusCode::OK, String::new()),
        Err(error) => (StatusCode::GATEWAY_TIMEOUT, error.is_timeout().to_string()),
    });
    let url = serve(Router::new().route("/", page).layer(TRUSTING).with_state(below.url.clone())).await;
    let start = Instant::now();
    let response = fetch(&client(), &url, Some("150")).await;
    let took = start.elapsed();
    assert_eq!(response.status(), StatusCode::GATEWAY_TIMEOUT);
    // The next attempt of the caller may have a faster service below.
    assert!(!response.headers().contains_key("x-retries-exhausted"));
    assert_eq!((text(response).await.as_str(), below.requests()), ("true", 1));
    assert!(took >= ms(149) && took < SECOND * 5, "{took:?}");
}

/// Requests of one connection, one after the other: each has the deadline and the mark of its own.
#[tokio::test]
async fn nothing_leaks_between_the_requests_of_a_connection() {
    #[retry(attempts = 2, start = "1ms")]
    async fn load(fails: bool) -> io::Result<()> {
        if fails { Err(io::Error::other("no")) } else { Ok(()) }
    }
    let fails = get(async || {
        let _ = load(true).await;
        StatusCode::SERVICE_UNAVAILABLE
    });
    let left = || async { (StatusCode::INTERNAL_SERVER_ERROR, format!("{}", Deadline::current().is_some())) };
    let url = serve(Router::new().route("/fails", fails).route("/left", get(left)).layer(TRUSTING)).await;
    let client = client();
    let (fails, left) = (format!("{url}/fails"), format!("{url}/left"));
    for _ in 0..3 {
        let response = fetch(&client, &fails, Some("60000")).await;
        assert!(response.headers().contains_key("x-retries-exhausted"));
        for (time_left, expected) in [(None, "false"), (Some("60000"), "true"), (None, "false")] {
            let response = fetch(&client, &left, time_left).await;
            assert!(!response.headers().contains_key("x-retries-exhausted"));
            assert_eq!(text(response).await, expected);
        }
    }
}

#[tokio::test]
async fn requests_at_the_same_time_have_their_own_deadlines() {
    let page = get(async || {
        sleep(ms(5)).await;
        format!("{}", Deadline::current().map_or(0, |deadline| deadline.remaining().as_secs() / 100))
    });
    let url = serve(Router::new().route("/", page).layer(TRUSTING)).await;
    let client = client();
    let mut requests = JoinSet::new();
    for number in 0..50_u64 {
        let (client, url) = (client.clone(), url.clone());
        requests.spawn(async move {
            let left = (number * 100 + 50) * 1000;
            (number, text(fetch(&client, &url, Some(&left.to_string())).await).await)
        });
    }
    while let Some(done) = requests.join_next().await {
        let (number, seen) = done.unwrap();
        assert_eq!(seen, number.to_string());
    }
}

/// Each chunk of the body is a request to the service below. The third one hangs.
#[tokio::test]
async fn streaming_body_ends_with_its_caller() {
    let below = Server::start([Reply::status(200), Reply::status(200), Reply::silence()]).await;
    let page = get(async |State(below): State<String>| {
        let chunks = stream::unfold(client(), move |client| {
            let below = below.clone();
            async move {
                let chunk = client.get(below).send_with_retry(&POLICY).await.map(|_| Bytes::from_static(b"x"));
                Some((chunk, client))
            }
        });
        Body::from_stream(chunks)
    });
    let url = serve(Router::new().route("/", page).layer(TRUSTING).with_state(below.url.clone())).await;
    let start = Instant::now();
    let mut response = fetch(&client(), &url, Some("300")).await;
    let mut received = 0;
    while let Ok(Some(chunk)) = response.chunk().await {
        received += chunk.len();
    }
    let took = start.elapsed();
    assert_eq!((received, below.requests()), (2, 3));
    assert!(took >= ms(299) && took < SECOND * 5, "{took:?}");
}

#[tokio::test]
async fn spawned_task_of_a_handler_takes_the_deadline_with_it() {
    let below = Server::start([Reply::silence()]).await;
    let page = get(async |State(below): State<String>, caller: Caller| {
        let send = async move { client().get(below).send_with_retry(&POLICY).await.is_err() };
        let task = tokio::spawn(caller.deadline().unwrap().scope(send));
        task.await.unwrap().to_string()
    });
    let url = serve(Router::new().route("/", page).layer(TRUSTING).with_state(below.url.clone())).await;
    assert_eq!(text(fetch(&client(), &url, Some("100")).await).await, "true");
}

/// The deadline is handed on from service to service, by a header that the client's hook adds.
#[tokio::test]
async fn second_service_sees_the_time_that_the_first_has_left() {
    let last = get(async |caller: Caller| format!("{:?}", caller.time_left().unwrap() < ms(5000)));
    let last = serve(Router::new().route("/", last).layer(TRUSTING)).await;
    let first = get(async |State(last): State<String>| {
        let left = Deadline::current().unwrap().remaining().as_millis().to_string();
        text(fetch(&client(), &last, Some(&left)).await).await
    });
    let first = serve(Router::new().route("/", first).layer(TRUSTING).with_state(last)).await;
    assert_eq!(text(fetch(&client(), &first, Some("5000")).await).await, "true");
}
