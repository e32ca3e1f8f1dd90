//! Each example prints what it is there to show.

// Not `testing`, which is tests itself.
retry_examples::prints! {
    blocking: "Connection refused", "connected: true";
    bodies: "result: 503 Service Unavailable", "result: 10000 bytes";
    body_decides: "failed: the job is running", "with an error: 42", "with on_ok: Job { state: \"done\"";
    breaker: "was Closed and is Open", "4: Err(\"the breaker `stock` is open\")", "was HalfOpen and is Closed", "5: Ok(10)";
    by_hand: "name=\"push_order\"", "name=\"by_hand::version\"", "the second order is placed: 200 OK", "the third order is refused";
    custom_backoff: "next attempt in 500ms", "next attempt in 150ms", "result: 200 OK";
    deadline: "result: 200 OK, after", "result: no answer: ";
    hedge: "copy 2 starts after 50ms", "result: answer 4, in less than a second: true";
    observer: "attempts: 7", "calls_given_up: 2";
    observer_channel: "stored: fetch next attempt in 20ms", "stored 8, dropped 0", "dropped 5";
    other_parameters: "attempt 3 of 4 failed: status 500", "result: 200 OK from", "sent Cache-Control: no-cache", "sent X-Attempt: 4";
    own_client: "sent on to /cookies", "the cookie: session=7; authorization: Bearer of-this-example";
    own_error: "next attempt in 700ms, as the server asked", "result: Ok(\"answer 3\")", "result: Err(NoSuchUser)";
    random_source: "next attempt in 223ms", "result: 200 OK";
    rate_limit: "next attempt in 1s, as the server asked", "call 5: here you are";
    requests: "not idempotent", "retry{name=\"order\"}: gave up after attempt 3 of 3: no attempt is left", "first of: 200 OK";
    run_closure: "retry 3 waits between 200ms and 400ms", "result: 200 OK";
    trait_methods: "native: 200 OK after 3 requests", "async_trait: 200 OK";
}
