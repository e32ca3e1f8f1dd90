//! Custom clients: using your own client, with its headers and cookies.
//!
//! The function can call any client, and the client follows redirects. Every attempt sends the cookies of earlier calls.
//!
//! `cargo run -p retry-examples --example own_client`

use std::collections::HashMap;
use std::error::Error;

use reqwest::Client;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use retry_runtime::http::CheckStatus;
use retry_runtime::retry;
use serde::Deserialize;

struct Api {
    client: Client,
    base: String,
}

/// The request as httpbin received it.
#[derive(Deserialize)]
struct Echo {
    headers: HashMap<String, String>,
}

impl Api {
    fn new(base: String) -> reqwest::Result<Self> {
        let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static("Bearer of-this-example"))]);
        let client = Client::builder().default_headers(headers).cookie_store(true).build()?;
        Ok(Self { client, base })
    }

    /// Logs in. The response sets a cookie and redirects to `/cookies`, which echoes the cookies that it receives.
    #[retry(backoff = "fixed", start = "100ms")]
    async fn log_in(&self) -> reqwest::Result<String> {
        let response = self.client.get(format!("{}/cookies/set/session/7", self.base)).send().await?;
        Ok(response.url().path().to_owned())
    }

    #[retry(backoff = "fixed", start = "100ms", bind = attempt)]
    async fn headers(&self) -> Result<HashMap<String, String>, Box<dyn Error + Send + Sync>> {
        let path = attempt.pick(&["/status/503", "/status/503", "/anything"]);
        let response = self.client.get(format!("{}{path}", self.base)).send().await?;
        Ok(response.check_status()?.json::<Echo>().await?.headers)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    retry_examples::print_logs();
    let api = Api::new(retry_examples::httpbin().await?)?;

    println!("logged in and redirected to {}", api.log_in().await?);
    let headers = api.headers().await?;
    println!("attempt 3 sent the cookie: {}; authorization: {}", headers["Cookie"], headers["Authorization"]);
    Ok(())
}
