//! Receivers: `self` in all its forms, and `Self`.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use retry_runtime::retry;

use super::{Flaky, R, assert_third};

#[derive(Default)]
struct Client {
    flaky: Flaky,
    name: String,
    seen: Vec<u32>,
}

impl Client {
    fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    // https://github.com/jaemk/cached/issues/48
    #[retry(start = "0s")]
    async fn shared(&self) -> R<&str> {
        self.flaky.attempt(())?;
        Ok(&self.name)
    }

    #[retry(start = "0s")]
    async fn shared_with_lifetime<'a>(&'a self, _other: &str) -> R<&'a str> {
        self.flaky.attempt(())?;
        Ok(&self.name)
    }

    #[retry(start = "0s")]
    async fn part_of_an_argument<'a>(&self, text: &'a str) -> R<&'a str> {
        self.flaky.attempt(&text[1..])
    }

    // https://github.com/dtolnay/async-trait/issues/11
    #[retry(start = "0s")]
    async fn exclusive(&mut self) -> R<usize> {
        self.seen.push(1);
        self.flaky.attempt(self.seen.len())
    }

    #[retry(start = "0s")]
    async fn exclusive_with_lifetime<'a>(&'a mut self, more: &'a [u32]) -> R<usize> {
        self.seen.extend(more);
        self.flaky.attempt(self.seen.len())
    }

    #[retry(start = "0s")]
    async fn owned(self, flaky: &Flaky) -> R<String> {
        flaky.attempt(self.name.clone())
    }

    // https://github.com/dtolnay/async-trait/issues/23
    #[retry(start = "0s")]
    async fn owned_mut(mut self, flaky: &Flaky) -> R<Vec<u32>> {
        self.seen.push(1);
        flaky.attempt(self.seen.clone())
    }

    #[retry(start = "0s")]
    async fn typed(self: &Self) -> R<&str> {
        self.flaky.attempt(&*self.name)
    }

    #[retry(start = "0s")]
    async fn typed_mut(self: &mut Self) -> R<usize> {
        self.seen.push(1);
        self.flaky.attempt(self.seen.len())
    }

    // https://github.com/dtolnay/async-trait/issues/210
    #[retry(start = "0s")]
    async fn counted(self: Arc<Self>) -> R<String> {
        self.flaky.attempt(self.name.clone())
    }

    #[retry(start = "0s")]
    async fn counted_and_lent(self: &Arc<Self>) -> R<Arc<Self>> {
        self.flaky.attempt(Arc::clone(self))
    }

    #[retry(start = "0s")]
    async fn counted_on_one_thread(self: Rc<Self>) -> R<String> {
        self.flaky.attempt(self.name.clone())
    }

    #[retry(start = "0s")]
    async fn boxed(self: Box<Self>) -> R<usize> {
        self.flaky.attempt(self.name.len())
    }

    #[retry(start = "0s")]
    async fn boxed_mut(mut self: Box<Self>) -> R<usize> {
        self.seen.push(1);
        self.flaky.attempt(self.seen.len())
    }

    #[retry(start = "0s")]
    async fn pinned(self: Pin<&Self>) -> R<usize> {
        self.flaky.attempt(self.get_ref().name.len())
    }

    #[retry(start = "0s")]
    async fn pinned_mut(mut self: Pin<&mut Self>) -> R<usize> {
        self.seen.push(1);
        self.as_mut().get_mut().seen.push(2);
        self.flaky.attempt(self.seen.len())
    }

    // https://github.com/dtolnay/async-trait/issues/42
    #[retry(start = "0s")]
    async fn made(flaky: &Flaky, name: &str) -> R<Self> {
        flaky.attempt(())?;
        Ok(Self::named(name))
    }

    // https://github.com/dtolnay/async-trait/issues/53
    #[retry(start = "0s")]
    async fn taken_apart(&self) -> R<(&str, usize)> {
        let Self { flaky, name, seen } = self;
        flaky.attempt((name.as_str(), seen.len()))
    }

    // https://github.com/dtolnay/async-trait/issues/87
    #[retry(start = "0s")]
    async fn taken_apart_as_argument(Self { flaky, name, .. }: &Self) -> R<&str> {
        flaky.attempt(name)
    }

    #[retry(start = "0s")]
    async fn calls_its_own(&mut self, flaky: &Flaky) -> R<usize> {
        let seen = Self::exclusive(self).await?;
        flaky.attempt(seen)
    }
}

#[tokio::test]
async fn outcome_may_borrow_from_a_shared_receiver() {
    let client = Client::named("one");
    assert_third(&client.flaky, client.shared().await, "one");
    let client = Client::named("two");
    assert_third(&client.flaky, client.shared_with_lifetime("").await, "two");
    let client = Client::default();
    assert_third(&client.flaky, client.part_of_an_argument("three").await, "hree");
}

#[tokio::test]
async fn each_attempt_may_use_an_exclusive_receiver() {
    let mut client = Client::default();
    let outcome = client.exclusive().await;
    assert_third(&client.flaky, outcome, 3_usize);
    let mut client = Client::default();
    let outcome = client.exclusive_with_lifetime(&[1, 2]).await;
    assert_third(&client.flaky, outcome, 6_usize);
}

#[tokio::test]
async fn owned_receiver_lives_through_all_attempts() {
    let flaky = Flaky::new();
    assert_third(&flaky, Client::named("one").owned(&flaky).await, "one");
    let flaky = Flaky::new();
    assert_third(&flaky, Client::default().owned_mut(&flaky).await, [1, 1, 1]);
}

#[tokio::test]
async fn typed_receiver_is_accepted() {
    let client = Client::named("one");
    assert_third(&client.flaky, client.typed().await, "one");
    let mut client = Client::default();
    let outcome = client.typed_mut().await;
    assert_third(&client.flaky, outcome, 3_usize);
}

#[tokio::test]
async fn smart_pointer_receiver_is_accepted() {
    let client = Arc::new(Client::named("one"));
    assert_third(&client.flaky, Arc::clone(&client).counted().await, "one");
    let client = Arc::new(Client::named("two"));
    let lent = client.counted_and_lent().await.map(|lent| lent.name.clone());
    assert_third(&client.flaky, lent, "two");
    let client = Rc::new(Client::named("three"));
    assert_third(&client.flaky, Rc::clone(&client).counted_on_one_thread().await, "three");
    // The call consumes the counter. Success proves that there were three attempts.
    assert_eq!(Box::new(Client::named("four")).boxed().await, Ok(4));
    assert_eq!(Box::new(Client::default()).boxed_mut().await, Ok(3));
}

#[tokio::test]
async fn pinned_receiver_is_accepted() {
    let client = Client::named("one");
    assert_third(&client.flaky, Pin::new(&client).pinned().await, 3_usize);
    let mut client = Client::default();
    let outcome = Pin::new(&mut client).pinned_mut().await;
    assert_third(&client.flaky, outcome, 6_usize);
}

#[tokio::test]
async fn self_type_is_accepted_in_outcomes_and_patterns() {
    let flaky = Flaky::new();
    assert_third(&flaky, Client::made(&flaky, "one").await.map(|client| client.name), "one");
    let client = Client::named("two");
    assert_third(&client.flaky, client.taken_apart().await, ("two", 0));
    let client = Client::named("three");
    assert_third(&client.flaky, Client::taken_apart_as_argument(&client).await, "three");
}

#[tokio::test]
async fn annotated_method_may_call_another() {
    let (flaky, mut client) = (Flaky::new(), Client::default());
    // Three attempts of the inner method within the first of the outer one, then one in each further attempt.
    assert_third(&flaky, client.calls_its_own(&flaky).await, 5_usize);
}
