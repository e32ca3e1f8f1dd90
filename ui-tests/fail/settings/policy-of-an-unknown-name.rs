use retry_runtime::{Policy, retry};

retry_runtime::policies! {
    static POLICIES { billing: Policy::new(), search: Policy::new() }
}

#[retry(policy = POLICIES.biling)]
async fn bill() -> Option<()> { None }

#[retry(policy = POLICIES.orders)]
async fn order() -> Option<()> { None }

fn main() {}
