//! Checks that each example prints its expected output.

retry_examples::prints! {
    grpc: "next attempt in 500ms, as the server asked", "result: hello", "result: NotFound";
    log: "INFO  retry] next attempt in 50ms", "INFO  retry] attempt 1 of 3 failed: status 503", "result: 200 OK";
    metrics: "# TYPE retry_calls_total counter", "outcome=\"recovered\"} 2", "reason=\"permanent\",last_failure=\"404\"} 1", "retry_calls_total{name=\"order\",outcome=\"succeeded\"} 1";
    middleware: "get: 503", "signing POST /status/503", "gave up after attempt 2 of 2";
    observability: "retry call=price attempts_made=3", "  attempt attempt=2 http.request.resend_count=1", "retry_gave_up_total{name=\"order\"", "why it gave up";
    other_runtime: "attempt 3 of 3 succeeded", "result: hello";
    policies: "mail: 4 attempts, delays [1s, 5m, 1h]", "did you mean `attempts`?", "a call: attempts: 5", "a call: attempts: 1";
    report: "report::price", "\"attempts_per_call\":", "has 4 rows";
    tower_service: "attempt 3 of 3 succeeded", "a GET: 200 OK", "its method is not idempotent", "a POST: 503", "a POST with a key: 200 OK";
    connections: "resolved localhost to", "reused the connection to", "with status 302", "result: 200 OK, /get";
}
