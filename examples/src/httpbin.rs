//! The part of httpbin that the examples ask for.

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

/// The base URL of an httpbin: the first argument of the program, or else that of a small one in this process.
/// `cargo run -p retry-examples --example own_client -- http://127.0.0.1:8080` asks the one on that port.
///
/// Ours answers `/status/503,503,200` with one status after the other, of which the last repeats; httpbin picks one
/// at random each time.
///
/// # Errors
///
/// When there is no free port.
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
    crate::start(router.with_state(Asked::default())).await
}

/// How often each list of statuses was asked for.
type Asked = Arc<Mutex<HashMap<String, usize>>>;

async fn status(State(asked): State<Asked>, Path(codes): Path<String>) -> Response {
    let parsed: Result<Vec<_>, _> = codes.split(',').map(|code| StatusCode::from_bytes(code.as_bytes())).collect();
    let Ok(statuses) = parsed else { return StatusCode::BAD_REQUEST.into_response() };
    let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
    let number = asked.entry(codes).or_default();
    *number += 1;
    (statuses[statuses.len().min(*number) - 1], format!("answer {number}")).into_response()
}

/// Says back what it is told.
async fn anything(method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let headers: Map<String, Value> = headers.iter().map(|(name, value)| (title(name), text(value).into())).collect();
    json_answer(&json!({
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
    json_answer(&json!({}))
}

async fn cookies(headers: HeaderMap) -> Response {
    let sent = headers.get(COOKIE).map(text).unwrap_or_default();
    let cookies: Map<String, Value> =
        sent.split("; ").filter_map(|cookie| cookie.split_once('=')).map(|(k, v)| (k.into(), v.into())).collect();
    json_answer(&json!({ "cookies": cookies }))
}

async fn set_cookie(Path((name, value)): Path<(String, String)>) -> impl IntoResponse {
    (StatusCode::FOUND, [(SET_COOKIE, format!("{name}={value}; Path=/")), (LOCATION, "/cookies".to_owned())])
}

async fn stream_bytes(Path(number): Path<usize>) -> Response {
    let chunks = (0..number.min(100 * 1024)).step_by(10 * 1024).map(move |sent| (number - sent).min(10 * 1024));
    Body::from_stream(stream::iter(chunks.map(|size| Ok::<_, Infallible>(vec![b'x'; size])))).into_response()
}

/// `?numbytes=10&duration=2&delay=0&code=200`, which are also what is taken for what is left out.
async fn drip(RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let number = |key, otherwise: f32| {
        let value = query.split('&').filter_map(|pair| pair.split_once('=')).find(|(k, _)| *k == key);
        value.and_then(|(_, value)| value.parse().ok()).unwrap_or(otherwise).clamp(0.0, 10_000.0)
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

fn json_answer(json: &Value) -> Response {
    ([(CONTENT_TYPE, "application/json")], json.to_string()).into_response()
}

fn text(value: &axum::http::HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

/// `Cache-Control`, as httpbin writes it.
fn title(name: &HeaderName) -> String {
    let words = name.as_str().split('-').map(|word| word[..1].to_uppercase() + &word[1..]);
    words.collect::<Vec<_>>().join("-")
}
