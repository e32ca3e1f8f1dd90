//! Secrets: each call contains a token, a user name and a password, and none of them may appear in any output.
//!
//! The test needs its own process, because it sets a global logger and a global recorder, and because `log` receives nothing
//! once `tracing` has a subscriber.

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

#[allow(dead_code, reason = "other tests use the rest")]
#[path = "../all/support/server.rs"]
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

/// The text of each output, by its name.
#[derive(Default)]
struct Outputs(BTreeMap<&'static str, String>);

impl Outputs {
    fn add(&mut self, output: &'static str, text: impl AsRef<str>) {
        let collected = self.0.entry(output).or_default();
        collected.push_str(text.as_ref());
        collected.push('\n');
    }
}

/// Records each textual form of an event.
#[derive(Default)]
struct Witness(Mutex<Outputs>);

impl Observer for Witness {
    fn on_event(&self, event: &Event<'_>) {
        let mut outputs = self.0.lock().unwrap();
        outputs.add("observer, Display", event.to_string());
        outputs.add("observer, Debug", format!("{event:?}"));
        let owned = event.into_owned();
        outputs.add("observer, OwnedEvent", format!("{owned} {owned:?}"));
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

async fn manual(witness: &Witness, client: &Client, url: &str) -> reqwest::Result<Response> {
    let mut retry = Executor::new(&POLICY).name("by hand").observer(witness);
    loop {
        let outcome = retry.attempt(client.get(url).send()).await;
        match retry.next(outcome, &Condition::new()) {
            std::ops::ControlFlow::Break(outcome) => break outcome,
            std::ops::ControlFlow::Continue(pause) => pause.await,
        }
    }
}

/// Adds all secrets to a URL such as `http://127.0.0.1:80/`.
fn secret(url: &str) -> String {
    format!("{}orders?token=t0k3n", url.replace("http://", "http://s3cr3t-user:hunter2@"))
}

/// Makes failing calls through each API, to a server with different replies and to one that refuses connections.
async fn make_calls(outputs: &mut Outputs) {
    let elsewhere = Reply::status(302).header("location", "/moved?token=t0k3n");
    let replies = [Reply::status(503), elsewhere, Reply::nothing(), Reply::json("{"), Reply::lost("{")];
    let server = Server::start(replies).await;
    let client = Client::builder().no_proxy().trace_connections().build().unwrap();
    let witness: &'static Witness = Box::leak(Box::default());
    for url in [secret(&server.url), secret(&refused().await), "http://t0k3n:hunter2@[::bad/?t0k3n".to_owned()] {
        for _ in 0..3 {
            let _ = get(witness, &client, &url).await;
            let _ = with_context(witness, &client, &url).await;
            let _ = manual(witness, &client, &url).await;
            let request = RequestRetry::new(POLICY).observer(witness);
            let _ = client.get(&url).send_with_retry(&request).await;
            let middleware = reqwest_middleware::ClientBuilder::new(client.clone()).with(request).build();
            let _ = middleware.get(&url).send().await;
        }
        let _ = blocking(witness, &url);
        let history = track(boxed(witness, &url)).history(9).await;
        outputs.add("track, history", format!("{:?}", history.failures()));
        if let Err(exhausted) = history.into_result() {
            outputs.add("track, RetryError", exhausted.to_string());
        }
    }
    for text in TEXTS {
        let _ = blocking(witness, text);
        let _ = boxed(witness, text).await;
    }
    let _ = only_debug(witness);
    for (output, text) in std::mem::take(&mut *witness.0.lock().unwrap()).0 {
        outputs.add(output, text);
    }
}

/// A logger that records each line.
struct LogRecorder;

static LOG: Mutex<String> = Mutex::new(String::new());

impl log::Log for LogRecorder {
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

async fn through_log(outputs: &mut Outputs) {
    log::set_logger(&LogRecorder).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let simulation = Simulation::new();
    simulation.run(make_calls(outputs)).await;
    outputs.add("simulation", format!("{simulation} {:?}", simulation.events()));
    log::set_max_level(log::LevelFilter::Off);
    outputs.add("log", std::mem::take(&mut *LOG.lock().unwrap()));
}

/// A writer that records the lines of `tracing-subscriber`.
struct LineWriter;

static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

impl io::Write for LineWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn through_tracing(outputs: &mut Outputs) {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let filter = tracing_subscriber::filter::Targets::new().with_target("retry", tracing::Level::TRACE);
    let subscriber = tracing_subscriber::registry()
        .with(filter)
        .with(tracing_opentelemetry::layer().with_tracer(provider.tracer("test")))
        .with(tracing_subscriber::fmt::layer().with_writer(|| LineWriter));
    let _guard = tracing::subscriber::set_default(subscriber);
    make_calls(outputs).await;
    outputs.add("tracing-subscriber, lines", String::from_utf8_lossy(&LINES.lock().unwrap()));
    outputs.add("tracing-opentelemetry, spans", format!("{:?}", exporter.get_finished_spans().unwrap()));
}

/// Metrics and reports contain no texts except for names and reasons.
async fn through_metrics_and_report(outputs: &mut Outputs) {
    let prometheus = metrics_exporter_prometheus::PrometheusBuilder::new().install_recorder().unwrap();
    make_calls(outputs).await;
    outputs.add("metrics, scraped", prometheus.render());
    let report = report();
    outputs.add("report, table", report.to_string());
    outputs.add("report, page", report.to_html());
    outputs.add("report, JSON", serde_json::to_string(&report).unwrap());
}

#[test]
fn no_output_contains_a_secret() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut outputs = Outputs::default();
    // `log` comes first, because it receives nothing once `tracing` has a subscriber.
    runtime.block_on(through_log(&mut outputs));
    runtime.block_on(through_tracing(&mut outputs));
    runtime.block_on(through_metrics_and_report(&mut outputs));
    for (output, text) in &outputs.0 {
        println!("{output}: {} lines, {} bytes", text.lines().count(), text.len());
        for secret in SECRETS {
            let leak = text.lines().find(|line| line.contains(secret));
            assert!(leak.is_none(), "{output} contains {secret}: {}", leak.unwrap_or_default());
        }
    }
    let observed = ["observer, Display", "observer, Debug", "observer, OwnedEvent", "track, history", "simulation"];
    for output in observed.into_iter().chain(["log", "tracing-subscriber, lines", "tracing-opentelemetry, spans"]) {
        assert!(
            outputs.0[output].contains("://***@127.0.0.1"),
            "{output} contains no masked URL, so it proves nothing"
        );
        assert!(outputs.0[output].contains("?***"), "{output} contains no masked query");
    }
    for output in ["metrics, scraped", "report, table", "report, page", "report, JSON"] {
        assert!(outputs.0[output].contains("secrets::boxed"), "{output} contains no call");
    }
}
