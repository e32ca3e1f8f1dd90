//! Checks that each example prints its expected output.

// The example `testing` is not listed, because it contains tests of its own.
retry_examples::prints! {
    blocking: "Connection refused", "connected: true";
    bodies: "result: 503 Service Unavailable", "result: 10000 bytes";
    body_decides: "failed: the job is running", "with an error: 42", "with on_ok: Job { state: \"done\"";
    breaker: "changed from Closed to Open", "4: Err(\"the breaker `stock` is open\")", "changed from HalfOpen to Closed", "5: Ok(10)";
    manual_loop: "call=\"push_order\"", "call=\"manual_loop::version\"", "the second order was placed: 200 OK", "the third order was rejected";
    custom_backoff: "next attempt in 500ms", "next attempt in 150ms", "result: 200 OK";
    deadline: "result: 200 OK, after", "result: no response: ";
    hedge: "copy 2 starts after 50ms", "result: response 4, in less than a second: true";
    observer: "attempts: 7", "calls_given_up: 2";
    observer_channel: "stored: fetch next attempt in 20ms", "stored 8, dropped 0", "dropped 5";
    other_parameters: "attempt 3 of 4 failed: status 500", "result: 200 OK from", "received Cache-Control: no-cache", "received X-Attempt: 4";
    own_client: "redirected to /cookies", "the cookie: session=7; authorization: Bearer of-this-example";
    own_error: "next attempt in 700ms, as the server asked", "result: Ok(\"response 3\")", "result: Err(NoSuchUser)";
    random_source: "next attempt in 223ms", "result: 200 OK";
    rate_limit: "next attempt in 1s, as the server asked", "call 5: hello";
    requests: "not idempotent", "retry{call=\"order\"}: gave up after attempt 3 of 3: no attempt is left", "first of: 200 OK";
    run_closure: "retry 3 waits between 200ms and 400ms", "result: 200 OK";
    trait_methods: "native: 200 OK after 3 requests", "async_trait: 200 OK";
}
