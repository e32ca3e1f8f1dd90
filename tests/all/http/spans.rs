//! `http.request.resend_count`, which only attempts of HTTP requests have.

use retry_runtime::http::SendWithRetry;
use retry_runtime::{Policy, retry};

use crate::support::server::{Server, client, refused};
use crate::support::trace::{Trace, record};
use crate::support::{Attempts, Fault, SECOND};

const POLICY: Policy = Policy::fixed(SECOND);

/// The field in the span of each attempt.
fn resend_counts(seen: &Trace) -> Vec<Option<String>> {
    let spans = seen.spans().into_iter().filter(|span| span.name == "attempt");
    spans.map(|mut span| span.fields.remove("http.request.resend_count")).collect()
}

fn counted<const N: usize>(counts: [&str; N]) -> Vec<Option<String>> {
    counts.map(|count| Some(count.to_owned()).filter(|count| !count.is_empty())).into()
}

#[tokio::test(start_paused = true)]
async fn resent_requests_have_a_resend_count() {
    let (seen, _guard) = record();
    let server = Server::statuses([503, 503, 200]).await;
    client().get(&server.url).send_with_retry(&POLICY).await.unwrap();
    assert_eq!(resend_counts(&seen), counted(["", "1", "2"]));
    let (seen, _guard) = record();
    client().get(refused().await).send_with_retry(&POLICY).await.unwrap_err();
    assert_eq!(resend_counts(&seen), counted(["", "1", "2"]));
}

#[tokio::test(start_paused = true)]
async fn other_calls_have_none_until_a_failure_has_a_status() {
    #[retry(attempts = 4, start = "1s")]
    async fn call(attempts: &Attempts, status_at: u32) -> Result<u32, Fault> {
        Err(if attempts.start() == status_at { Fault::status(503) } else { Fault::TRANSIENT })
    }
    for (status_at, expected) in [(9, ["", "", "", ""]), (1, ["", "1", "2", "3"]), (2, ["", "", "2", "3"])] {
        let (seen, _guard) = record();
        call(&Attempts::new(), status_at).await.unwrap_err();
        assert_eq!(resend_counts(&seen), counted(expected), "{status_at}");
    }
}
