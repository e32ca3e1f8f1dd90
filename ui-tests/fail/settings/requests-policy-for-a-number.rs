use retry_runtime::Policy;
use retry_runtime::http::RequestRetry;

fn main() {
    let _retry = RequestRetry::new(Policy::new()).policy_for(|request| request.url().path().len());
}
