use retry_runtime::Policy;
use retry_runtime::http::RequestRetry;

static RETRY: RequestRetry = RequestRetry::new(Policy::new()).on_ok(|response| response.status() == 202);

fn main() {}
