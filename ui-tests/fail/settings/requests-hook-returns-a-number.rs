use retry_runtime::Policy;
use retry_runtime::http::RequestRetry;

fn main() {
    let _retry = RequestRetry::new(Policy::new()).on_retry(|retrying| retrying.attempt().number());
}
