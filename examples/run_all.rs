//! Every example ends by itself, well, and prints what it is there to show.

use std::env::{self, consts::EXE_SUFFIX};
use std::process::Command;

/// `cargo test` puts this test into `deps` and the examples beside that.
fn output_of(example: &str) -> String {
    let test = env::current_exe().expect("the path of this test");
    let directory = test.ancestors().nth(2).expect("the directory of the profile").join("examples");
    let output = Command::new(directory.join(format!("{example}{EXE_SUFFIX}")))
        .env_remove("RUST_LOG")
        .output()
        .unwrap_or_else(|error| panic!("`cargo test -p retry-examples` builds the examples: {error}"));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(output.status.success(), "{example}: {}\n{text}{}", output.status, String::from_utf8_lossy(&output.stderr));
    text
}

macro_rules! prints {
    ($($example:ident: $($line:literal),+;)*) => {$(
        #[test]
        fn $example() {
            let text = output_of(stringify!($example));
            $(assert!(text.contains($line), "no line has `{}`:\n{text}", $line);)+
        }
    )*};
}

// Not `storm`, which takes half a minute without optimisation: the tests of the library part assert its figures. Nor `testing`, which is
// tests itself.
prints! {
    quickstart: "attempt 1 of 3 failed: status 503", "next attempt in 2s", "result: 200 OK, answer 3", "text: answer 4";
    blocking: "Connection refused", "connected: true";
    bodies: "result: 503 Service Unavailable", "result: 10000 bytes";
    body_decides: "failed: the job is running", "with an error: 42", "with on_ok: Job { state: \"done\"";
    breaker: "was Closed and is Open", "4: Err(\"the breaker `stock` is open\")", "was HalfOpen and is Closed", "5: Ok(10)";
    by_hand: "name=\"push_order\"", "name=\"by_hand::version\"", "the second order is placed: 200 OK", "the third order is refused";
    custom_backoff: "next attempt in 500ms", "next attempt in 150ms", "result: 200 OK";
    deadline: "result: 200 OK, after", "result: no answer: ";
    grpc: "next attempt in 500ms, as the server asked", "result: hello", "result: NotFound";
    hedge: "copy 2 starts after 50ms", "result: answer 4, in less than a second: true";
    log: "INFO  retry] next attempt in 50ms", "INFO  retry] attempt 1 of 3 failed: status 503", "result: 200 OK";
    metrics: "# TYPE retry_calls_total counter", "outcome=\"recovered\"} 2", "reason=\"permanent\",last_failure=\"404\"} 1", "retry_calls_total{name=\"order\",outcome=\"succeeded\"} 1";
    middleware: "get: 503", "signs POST /status/503", "gave up after attempt 2 of 2";
    observability: "retry name=price attempts_made=3", "  attempt attempt=2 http.request.resend_count=1", "retry_gave_up_total{name=\"order\"", "why it gave up";
    observer: "attempts: 7", "calls_given_up: 2";
    observer_channel: "stored: fetch next attempt in 20ms", "stored 8, dropped 0", "dropped 5";
    other_parameters: "attempt 3 of 4 failed: status 500", "result: 200 OK from", "sent Cache-Control: no-cache", "sent X-Attempt: 4";
    other_runtime: "attempt 3 of 3 succeeded", "result: hello";
    own_client: "sent on to /cookies", "the cookie: session=7; authorization: Bearer of-this-example";
    own_error: "next attempt in 700ms, as the server asked", "result: Ok(\"answer 3\")", "result: Err(NoSuchUser)";
    policies: "mail: 4 attempts, delays [1s, 5m, 1h]", "did you mean `attempts`?", "a call: attempts: 5", "a call: attempts: 1";
    random_source: "next attempt in 223ms", "result: 200 OK";
    rate_limit: "next attempt in 1s, as the server asked", "call 5: here you are";
    report: "report::price", "\"amplification\":", "has 4 rows";
    requests: "not idempotent", "gave up after attempt 3 of 3: no attempt is left name=\"order\"", "first of: 200 OK";
    run_closure: "retry 3 waits between 200ms and 400ms", "result: 200 OK";
    tower_service: "attempt 3 of 3 succeeded", "a GET: 200 OK", "its method is not idempotent", "a POST: 503", "a POST with a key: 200 OK";
    trait_methods: "native: 200 OK after 3 requests", "async_trait: 200 OK";
    wire: "resolved localhost to", "used again", "by status 302", "result: 200 OK, /get";
}
