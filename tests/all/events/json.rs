//! Log lines in JSON, as tracing-subscriber writes them.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use ::tracing::Instrument;
use ::tracing::subscriber::set_default;
use retry_runtime::retry;
use serde_json::{Value, json};

use crate::support::trace::record;
use crate::support::{Attempts, Fault};

#[derive(Clone, Default)]
struct Text(Arc<Mutex<Vec<u8>>>);

impl Write for Text {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[retry(attempts = 2, start = "1s", name = "charge")]
async fn charge(attempts: &Attempts) -> Result<u32, Fault> {
    attempts.succeed_at(3, Fault::status(503))
}

#[tokio::test(start_paused = true)]
async fn each_line_has_the_spans_of_the_call_and_around_it() {
    // Its dispatchers enable the events on all threads.
    let (_seen, _guard) = record();
    let text = Text::default();
    let writer = text.clone();
    let subscriber = tracing_subscriber::fmt().json().with_writer(move || writer.clone()).finish();
    let guard = set_default(subscriber);
    charge(&Attempts::new()).instrument(::tracing::info_span!("order", id = 7)).await.unwrap_err();
    drop(guard);
    let text = String::from_utf8(text.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (order, call) = (json!({ "name": "order", "id": 7 }), json!({ "name": "retry", "call": "charge" }));
    let of_attempt = |number| json!([order, call, { "name": "attempt", "attempt": number }]);
    let spans: Vec<_> =
        lines.iter().map(|line| (line["fields"]["message"].as_str().unwrap(), &line["spans"])).collect();
    assert_eq!(spans[0], ("attempt 1 of 2 failed: fault", &of_attempt(1)));
    assert_eq!(spans[1], ("next attempt in 1s", &json!([order, call])));
    assert_eq!(spans[3], ("gave up after attempt 2 of 2: no attempt is left", &json!([order, call])));
}
