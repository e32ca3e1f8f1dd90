//! The part of httpbin that the examples use.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{env, io};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use futures_util::stream;
use serde_json::{Map, Value, json};
use tokio::time::sleep;

/// Returns the base URL of an httpbin: the first argument of the program, or by default a small server in this process.
/// `cargo run -p retry-examples --example own_client -- http://127.0.0.1:8080` uses the httpbin on that port.
///
/// For `/status/503,503,200`, this server returns the statuses in order and repeats the last one. The real httpbin picks
/// a random status for each request.
///
/// # Errors
///
/// Returns an error if no port is free.
pub async fn httpbin() -> io::Result<String> {
    if let Some(url) = env::args().nth(1) {
        return Ok(url.trim_end_matches('/').to_owned());
    }
    let router = Router::new()
        .route("/status/{codes}", any(status))
        .route("/anything", any(anything))
        .route("/get", get(anything))
        .route("/redirect/{times}", get(redirect))
        .route("/delay/{seconds}", any(delay))
        .route("/cookies", get(cookies))
        .route("/cookies/set/{name}/{value}", get(set_cookie))
        .route("/stream-bytes/{number}", get(stream_bytes))
        .route("/drip", get(drip));
    crate::start(router.with_state(Requested::default())).await
}

/// The number of requests for each list of statuses.
type Requested = Arc<Mutex<HashMap<String, usize>>>;

async fn status(State(requested): State<Requested>, Path(codes): Path<String>) -> Response {
    let parsed: Result<Vec<_>, _> = codes.split(',').map(|code| StatusCode::from_bytes(code.as_bytes())).collect();
    let Ok(statuses) = parsed else { return StatusCode::BAD_REQUEST.into_response() };
    let mut requested = requested.lock().unwrap_or_else(PoisonError::into_inner);
    let number = requested.entry(codes).or_default();
    *number += 1;
    (statuses[statuses.len().min(*number) - 1], format!("response {number}")).into_response()
}

/// Echoes the request.
async fn anything(method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let headers: Map<String, Value> = headers.iter().map(|(name, value)| (title(name), text(value).into())).collect();
    json_response(&json!({
        "method": method.as_str(),
        "url": uri.to_string(),
        "headers": headers,
        "data": String::from_utf8_lossy(&body),
        "json": serde_json::from_slice::<Value>(&body).ok(),
    }))
}

async fn redirect(Path(times): Path<u32>) -> impl IntoResponse {
    let next = if times > 1 { format!("/redirect/{}", times - 1) } else { "/get".to_owned() };
    (StatusCode::FOUND, [(LOCATION, next)])
}

async fn delay(Path(seconds): Path<f32>) -> Response {
    sleep(Duration::from_secs_f32(seconds.clamp(0.0, 10.0))).await;
    json_response(&json!({}))
}

async fn cookies(headers: HeaderMap) -> Response {
    let sent = headers.get(COOKIE).map(text).unwrap_or_default();
    let cookies: Map<String, Value> =
        sent.split("; ").filter_map(|cookie| cookie.split_once('=')).map(|(k, v)| (k.into(), v.into())).collect();
    json_response(&json!({ "cookies": cookies }))
}

async fn set_cookie(Path((name, value)): Path<(String, String)>) -> impl IntoResponse {
    (StatusCode::FOUND, [(SET_COOKIE, format!("{name}={value}; Path=/")), (LOCATION, "/cookies".to_owned())])
}

async fn stream_bytes(Path(number): Path<usize>) -> Response {
    let chunks = (0..number.min(100 * 1024)).step_by(10 * 1024).map(move |sent| (number - sent).min(10 * 1024));
    Body::from_stream(stream::iter(chunks.map(|size| Ok::<_, Infallible>(vec![b'x'; size])))).into_response()
}

/// Accepts `?numbytes=10&duration=2&delay=0&code=200`, which are also the defaults.
async fn drip(RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let number = |key, default: f32| {
        let value = query.split('&').filter_map(|pair| pair.split_once('=')).find(|(k, _)| *k == key);
        value.and_then(|(_, value)| value.parse().ok()).unwrap_or(default).clamp(0.0, 10_000.0)
    };
    let bytes = number("numbytes", 10.0).max(1.0);
    let pause = Duration::from_secs_f32(number("duration", 2.0) / bytes);
    sleep(Duration::from_secs_f32(number("delay", 0.0))).await;

    let drops = stream::unfold(bytes as u32, move |left| async move {
        sleep(pause).await;
        (left > 0).then(|| (Ok::<_, Infallible>("*"), left - 1))
    });
    let status = StatusCode::from_u16(number("code", 200.0) as u16).unwrap_or(StatusCode::BAD_REQUEST);
    (status, [(CONTENT_LENGTH, (bytes as u32).to_string())], Body::from_stream(drops)).into_response()
}

fn json_response(json: &Value) -> Response {
    ([(CONTENT_TYPE, "application/json")], json.to_string()).into_response()
}

fn text(value: &axum::http::HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

/// Formats a name as httpbin does: `Cache-Control`.
fn title(name: &HeaderName) -> String {
    let words = name.as_str().split('-').map(|word| word[..1].to_uppercase() + &word[1..]);
    words.collect::<Vec<_>>().join("-")
}
