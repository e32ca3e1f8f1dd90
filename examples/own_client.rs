//! Can I keep my own client, with its headers and cookies?
//!
//! Yes: the function calls what you like. A cookie that a failed attempt brought is sent by the next one.
//!
//! `cargo run --example own_client`

use std::error::Error;

use axum::extract::Request;
use axum::response::IntoResponse;
use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
use reqwest::{Client, StatusCode};
use retry_runtime::retry;

struct Api {
    client: Client,
    url: String,
}

impl Api {
    fn new(url: String) -> reqwest::Result<Self> {
        let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static("Bearer of-this-example"))]);
        let client = Client::builder().default_headers(headers).cookie_store(true).build()?;
        Ok(Self { client, url })
    }

    #[retry(backoff = "fixed", start = "100ms")]
    async fn get(&self) -> reqwest::Result<String> {
        self.client.get(&self.url).send().await?.error_for_status()?.text().await
    }
}

/// Is busy until the client comes back with the cookie that it was given.
async fn answer(request: Request) -> impl IntoResponse {
    let sent = |name: HeaderName| match request.headers().get(name) {
        Some(value) => value.to_str().unwrap_or("something else").to_owned(),
        None => "nothing".to_owned(),
    };
    let cookie = sent(COOKIE);
    println!("the server is sent the cookie: {cookie}; authorization: {}", sent(AUTHORIZATION));
    let status = if cookie == "session=7" { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(SET_COOKIE, "session=7")], "welcome back")
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = retry_examples::serve(|_, request| answer(request)).await?;

    println!("result: {}", Api::new(url)?.get().await?);
    Ok(())
}
