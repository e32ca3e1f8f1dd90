// The longest chain of calls within rustc's default recursion limit of 128, if each body is one `.await`. In a chain of plain `async`
// functions it is 28, and with `?` in each body 13.

use std::sync::atomic::{AtomicU32, Ordering};

use retry_runtime::retry;

macro_rules! chain {
    ($last:ident) => {
        #[retry(start = "0s")]
        async fn $last(text: &str, calls: &AtomicU32) -> Result<String, String> {
            tokio::task::yield_now().await;
            if calls.fetch_add(1, Ordering::Relaxed) < 2 { Err(text.to_owned()) } else { Ok(text.to_owned()) }
        }
    };
    ($first:ident $next:ident $($rest:ident)*) => {
        #[retry(start = "0s")]
        async fn $first(text: &str, calls: &AtomicU32) -> Result<String, String> {
            $next(text, calls).await
        }
        chain!($next $($rest)*);
    };
}

chain!(a b c d e f g h i j k l m n o p q r s t u v w);

static CALLS: AtomicU32 = AtomicU32::new(0);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let outcome = tokio::spawn(async { a("text", &CALLS).await }).await.unwrap();
    assert_eq!(outcome, Ok("text".to_owned()));
    assert_eq!(CALLS.load(Ordering::Relaxed), 3);
}
