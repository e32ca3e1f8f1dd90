//! A token, a user's name and a password go into every call, and must come out of none of the paths that events take.
//!
//! A program of its own: a logger and a recorder are set for all of it, and `log` hears nothing once `tracing` was set up.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::io;
use std::sync::{Mutex, PoisonError};

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use reqwest::{Client, Response};
use retry_runtime::http::connections::TraceConnections;
use retry_runtime::http::{RequestRetry, SendWithRetry};
use retry_runtime::stats::report;
use retry_runtime::testing::Simulation;
use retry_runtime::{Condition, Event, Executor, Observer, Policy, retry, track};
use tracing_subscriber::layer::SubscriberExt;

use crate::server::{Reply, Server, refused};

#[allow(dead_code, reason = "the other tests use the rest")]
#[path = "../all/server.rs"]
mod server;

const SECRETS: [&str; 3] = ["hunter2", "s3cr3t-user", "t0k3n"];
const POLICY: Policy = Policy::fixed(std::time::Duration::ZERO).attempts(2);

/// Texts in which a secret is hard to find.
const TEXTS: [&str; 8] = [
    "amqp://u1:x@h1:5672,amqp://u2:hunter2@h2:5672",
    "[https://a/,https://u:hunter2@b/]",
    "https://web.archive.org/web/https://u:hunter2@b/",
    "postgres://user:abc/hunter2@host:5432/db: invalid port number",
    "redis://:abc/hunter2@host:6379",
    r"https:\/\/u:hunter2@h\/p",
    "https://u:a \"<hunter2@h/p?q=a \"<t0k3n",
    "https://app/cb#access_token=t0k3n",
];

/// The name of each path, with what came out of it.
#[derive(Default)]
struct Paths(BTreeMap<&'static str, String>);

impl Paths {
    fn add(&mut self, path: &'static str, said: impl AsRef<str>) {
        let text = self.0.entry(path).or_default();
        text.push_str(said.as_ref());
        text.push('\n');
    }
}

/// Writes down what an observer can see of an event.
#[derive(Default)]
struct Witness(Mutex<Paths>);

impl Observer for Witness {
    fn on_event(&self, event: &Event<'_>) {
        let mut paths = self.0.lock().unwrap();
        paths.add("observer, Display", event.to_string());
        paths.add("observer, Debug", format!("{event:?}"));
        let owned = event.into_owned();
        paths.add("observer, OwnedEvent", format!("{owned} {owned:?}"));
    }
}

#[retry(policy = POLICY, observer = witness)]
async fn get(witness: &Witness, client: &Client, url: &str) -> reqwest::Result<Response> {
    client.get(url).send().await
}

#[retry(policy = POLICY, observer = witness)]
async fn with_context(witness: &Witness, client: &Client, url: &str) -> anyhow::Result<String> {
    use anyhow::Context;
    let response = client.get(url).send().await.with_context(|| format!("<{url}> does not answer"))?;
    Ok(response.error_for_status()?.json().await?)
}

#[retry(policy = POLICY, observer = witness)]
async fn boxed(witness: &Witness, url: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
    Err(io::Error::other(format!("no route to \"{url}\"")).into())
}

#[retry(blocking, policy = POLICY, observer = witness)]
fn only_debug(witness: &Witness) -> Result<(), reqwest::Url> {
    Err("https://s3cr3t-user:hunter2@h/p?t0k3n#t0k3n".parse().unwrap())
}

#[retry(blocking, policy = POLICY, observer = witness)]
fn blocking(witness: &Witness, url: &str) -> Result<(), String> {
    Err(format!("{url}: busy"))
}

async fn by_hand(witness: &Witness, client: &Client, url: &str) -> reqwest::Result<Response> {
    let mut retry = Executor::new(&POLICY).name("by hand").observer(witness);
    loop {
        let outcome = retry.attempt(client.get(url).send()).await;
        match retry.next(outcome, &Condition::new()) {
            std::ops::ControlFlow::Break(outcome) => break outcome,
            std::ops::ControlFlow::Continue(pause) => pause.await,
        }
    }
}

/// `http://127.0.0.1:80/` with all that is to be kept.
fn secret(url: &str) -> String {
    format!("{}orders?token=t0k3n", url.replace("http://", "http://s3cr3t-user:hunter2@"))
}

/// Everything that fails, at a server that answers in many ways and at one that does not.
async fn story(paths: &mut Paths) {
    let elsewhere = Reply::status(302).header("location", "/moved?token=t0k3n");
    let replies = [Reply::status(503), elsewhere, Reply::nothing(), Reply::json("{"), Reply::lost("{")];
    let server = Server::start(replies).await;
    let client = Client::builder().no_proxy().trace_connections().build().unwrap();
    let witness: &'static Witness = Box::leak(Box::default());
    for url in [secret(&server.url), secret(&refused().await), "http://t0k3n:hunter2@[::bad/?t0k3n".to_owned()] {
        for _ in 0..3 {
            let _ = get(witness, &client, &url).await;
            let _ = with_context(witness, &client, &url).await;
            let _ = by_hand(witness, &client, &url).await;
            let request = RequestRetry::new(POLICY).observer(witness);
            let _ = client.get(&url).send_with_retry(&request).await;
            let middleware = reqwest_middleware::ClientBuilder::new(client.clone()).with(request).build();
            let _ = middleware.get(&url).send().await;
        }
        let _ = blocking(witness, &url);
        let history = track(boxed(witness, &url)).history(9).await;
        paths.add("retried, history", format!("{:?}", history.failures()));
        if let Err(exhausted) = history.into_result() {
            paths.add("retried, Exhausted", exhausted.to_string());
        }
    }
    for text in TEXTS {
        let _ = blocking(witness, text);
        let _ = boxed(witness, text).await;
    }
    let _ = only_debug(witness);
    for (path, said) in std::mem::take(&mut *witness.0.lock().unwrap()).0 {
        paths.add(path, said);
    }
}

/// Writes down what `log` is told.
struct Logged;

static LOG: Mutex<String> = Mutex::new(String::new());

impl log::Log for Logged {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.target().starts_with("retry")
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            let mut log = LOG.lock().unwrap_or_else(PoisonError::into_inner);
            writeln!(log, "{} {} {}", record.level(), record.target(), record.args()).unwrap();
        }
    }

    fn flush(&self) {}
}

async fn through_log(paths: &mut Paths) {
    log::set_logger(&Logged).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let simulation = Simulation::new();
    simulation.run(story(paths)).await;
    paths.add("rehearsal", format!("{simulation} {:?}", simulation.events()));
    log::set_max_level(log::LevelFilter::Off);
    paths.add("log", std::mem::take(&mut *LOG.lock().unwrap()));
}

/// The lines of a terminal.
struct Terminal;

static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

impl io::Write for Terminal {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn through_tracing(paths: &mut Paths) {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let filter = tracing_subscriber::filter::Targets::new().with_target("retry", tracing::Level::TRACE);
    let subscriber = tracing_subscriber::registry()
        .with(filter)
        .with(tracing_opentelemetry::layer().with_tracer(provider.tracer("test")))
        .with(tracing_subscriber::fmt::layer().with_writer(|| Terminal));
    let _guard = tracing::subscriber::set_default(subscriber);
    story(paths).await;
    paths.add("tracing-subscriber, lines", String::from_utf8_lossy(&LINES.lock().unwrap()));
    paths.add("tracing-opentelemetry, spans", format!("{:?}", exporter.get_finished_spans().unwrap()));
}

/// What is counted has no texts but names and reasons, and is not to get any.
async fn through_numbers(paths: &mut Paths) {
    let prometheus = metrics_exporter_prometheus::PrometheusBuilder::new().install_recorder().unwrap();
    story(paths).await;
    paths.add("metrics, scraped", prometheus.render());
    let report = report();
    paths.add("report, table", report.to_string());
    paths.add("report, page", report.to_html());
    paths.add("report, JSON", serde_json::to_string(&report).unwrap());
}

#[test]
fn no_secret_leaves_by_any_path() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut paths = Paths::default();
    // First, for `log` hears of nothing afterwards.
    runtime.block_on(through_log(&mut paths));
    runtime.block_on(through_tracing(&mut paths));
    runtime.block_on(through_numbers(&mut paths));
    for (path, said) in &paths.0 {
        println!("{path}: {} lines, {} bytes", said.lines().count(), said.len());
        for secret in SECRETS {
            let leak = said.lines().find(|line| line.contains(secret));
            assert!(leak.is_none(), "{path} tells of {secret}: {}", leak.unwrap_or_default());
        }
    }
    let observed = ["observer, Display", "observer, Debug", "observer, OwnedEvent", "retried, history", "rehearsal"];
    for path in observed.into_iter().chain(["log", "tracing-subscriber, lines", "tracing-opentelemetry, spans"]) {
        assert!(paths.0[path].contains("://***@127.0.0.1"), "{path} says nothing of a URL, so it proves nothing");
        assert!(paths.0[path].contains("?***"), "{path} says nothing of a query");
    }
    for path in ["metrics, scraped", "report, table", "report, page", "report, JSON"] {
        assert!(paths.0[path].contains("secrets::boxed"), "{path} says nothing of a call");
    }
}
