use retry_runtime::Policy;
use retry_runtime::http::RequestRetry;
use retry_runtime::propagation::Propagation;

static RETRY: RequestRetry = RequestRetry::new(Policy::new())
    .propagate(Propagation::new().time_left_header("x-left").attempt_header("x-left"));

fn main() {
    let _ = &RETRY;
}
