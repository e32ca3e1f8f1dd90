//! Quickstart: the function of the README, and an overloaded service.
//!
//! `cargo run --example quickstart` starts a server in this process, which returns 503, 503, 200.
//! `cargo run --example quickstart -- http://example.com/todo.json` calls another service. For a service behind `https`, run
//! `cargo run --example quickstart --features reqwest/default-tls -- https://jsonplaceholder.typicode.com/todos/1`.

mod terminal;

use std::env;

use reqwest::Client;
use retry_runtime::http::CheckStatus;
use retry_runtime::retry;
use retry_runtime::testing::{Reply, Server};

use crate::terminal::{Colored, GREEN};

type Error = Box<dyn std::error::Error + Send + Sync>;

#[derive(serde::Deserialize)]
struct Todo {
    title: String,
}

/// Makes three attempts, with delays of 1 s and 2 s, and retries status 503 and transient errors.
#[retry(attempts = 3, backoff = "exponential", start = "1s", on_status = [503])]
async fn todo(client: &Client, url: &str) -> Result<Todo, Error> {
    Ok(client.get(url).send().await?.check_status()?.json().await?)
}

#[tokio::main]
async fn main() {
    terminal::print_events();
    let title = r#"{ "title": "write a retry loop" }"#;
    let server = Server::start([Reply::status(503), Reply::status(503), Reply::ok(title)]);
    let url = env::args().nth(1).unwrap_or_else(|| server.url().to_owned());

    match todo(&Client::new(), &url).await {
        Ok(todo) => println!("todo: {}", Colored(GREEN, todo.title)),
        Err(error) => println!("no todo: {error}"),
    }
}
