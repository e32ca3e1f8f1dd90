//! The number of calls that the last of three services receives when it fails, and everybody makes three attempts.

use retry_services::{Caller, Protocol};

use crate::process::Chain;

async fn calls(protocol: Protocol, coordinated: bool) -> [usize; 3] {
    let chain = Chain::start(protocol, coordinated);
    let caller = Caller::new(protocol, chain.url(), coordinated).unwrap();
    caller.call("fail", "request").await.unwrap_err();
    let calls = chain.calls();
    let coordinated = if coordinated { "with" } else { "without" };
    println!("{protocol} {coordinated:>7} coordination: calls of the three services {calls:?}");
    calls
}

#[tokio::test]
async fn attempts_multiply_without_coordination() {
    for protocol in [Protocol::Http, Protocol::Grpc] {
        assert_eq!(calls(protocol, false).await, [3, 9, 27]);
    }
}

#[tokio::test]
async fn only_the_last_caller_retries_with_coordination() {
    for protocol in [Protocol::Http, Protocol::Grpc] {
        assert_eq!(calls(protocol, true).await, [1, 1, 3]);
    }
}
