//! Trait methods: native `async fn`, `#[async_trait]`, and methods that return a future.

use std::fmt::Display;
use std::pin::Pin;

use async_trait::async_trait;
use retry_runtime::retry;

use super::{Flaky, R, assert_third};

#[derive(Default)]
struct Disk {
    flaky: Flaky,
    reads: u32,
}

// https://github.com/dcchut/async-recursion/issues/47
trait Load {
    const MAX_ATTEMPTS: u32;
    type Row;

    async fn load(&self, id: &str) -> R<Self::Row>;

    async fn generic<T: Into<String>, const N: usize>(&self, make: impl Fn() -> T) -> R<[String; N]>;

    async fn made() -> R<Self>
    where
        Self: Sized;

    #[retry(start = "0s", attempts = Self::MAX_ATTEMPTS)]
    async fn by_default(&mut self, flaky: &Flaky) -> R<u32> {
        let n = self.count();
        flaky.attempt(n)
    }

    #[retry(start = "0s")]
    async fn by_default_if_sized(self, flaky: &Flaky) -> R<Self>
    where
        Self: Sized + Clone,
    {
        flaky.attempt(self.clone())
    }

    fn count(&mut self) -> u32;
}

static MADE: Flaky = Flaky::new();

impl Load for Disk {
    const MAX_ATTEMPTS: u32 = 3;
    type Row = usize;

    #[retry(start = "0s")]
    async fn load(&self, id: &str) -> R<Self::Row> {
        self.flaky.attempt(id.len())
    }

    #[retry(start = "0s")]
    async fn generic<T: Into<String>, const N: usize>(&self, make: impl Fn() -> T) -> R<[String; N]> {
        self.flaky.attempt(())?;
        Ok([(); N].map(|()| make().into()))
    }

    #[retry(start = "0s")]
    async fn made() -> R<Self> {
        MADE.attempt(Self::default())
    }

    fn count(&mut self) -> u32 {
        self.reads += 1;
        self.reads
    }
}

impl Load for u32 {
    const MAX_ATTEMPTS: u32 = 4;
    type Row = Self;

    #[retry(start = "0s")]
    async fn load(&self, _: &str) -> R<Self> {
        Ok(*self)
    }

    async fn generic<T: Into<String>, const N: usize>(&self, make: impl Fn() -> T) -> R<[String; N]> {
        Ok([(); N].map(|()| make().into()))
    }

    async fn made() -> R<Self> {
        Ok(1)
    }

    fn count(&mut self) -> u32 {
        *self += 1;
        *self
    }
}

#[tokio::test]
async fn native_async_trait_methods_retry() {
    let disk = Disk::default();
    assert_third(&disk.flaky, disk.load("id").await, 2_usize);
    let disk = Disk::default();
    assert_third(&disk.flaky, disk.generic::<&str, 2>(|| "a").await, ["a".to_owned(), "a".to_owned()]);
    assert_third(&MADE, Disk::made().await.map(|disk| disk.reads), 0_u32);
}

#[tokio::test]
async fn default_trait_methods_retry() {
    let flaky = Flaky::new();
    assert_third(&flaky, Disk::default().by_default(&flaky).await, 3_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, 7_u32.by_default_if_sized(&flaky).await, 7_u32);
}

/// A trait that works as a trait object.
#[async_trait]
trait Store: Send + Sync {
    async fn read(&self, id: &str) -> R<String>;

    async fn write(&mut self, flaky: &Flaky, text: String) -> Result<usize, Box<dyn std::error::Error + Send + Sync>>;

    async fn any<T>(&self, value: T) -> R<T>
    where
        Self: Sized,
        T: Clone + Send + Sync + 'static;

    #[retry(start = "0s")]
    async fn length(&self, flaky: &Flaky) -> R<usize> {
        let text = self.read("id").await?;
        flaky.attempt(text.len())
    }
}

// https://github.com/tokio-rs/tracing/issues/399, https://github.com/tokio-rs/tracing/issues/1219
#[async_trait]
impl Store for Disk {
    #[retry(start = "0s")]
    async fn read(&self, id: &str) -> R<String> {
        self.flaky.attempt(id.to_owned())
    }

    #[retry(start = "0s")]
    async fn write(&mut self, flaky: &Flaky, text: String) -> Result<usize, Box<dyn std::error::Error + Send + Sync>> {
        self.reads += 1;
        flaky.attempt(())?;
        let number: usize = text.parse()?;
        Ok(number + self.reads as usize)
    }

    #[retry(start = "0s")]
    async fn any<T>(&self, value: T) -> R<T>
    where
        T: Clone + Send + Sync + 'static,
    {
        self.flaky.attempt(value.clone())
    }
}

#[tokio::test]
async fn async_trait_methods_retry() {
    let disk = Disk::default();
    let store: &dyn Store = &disk;
    assert_third(&disk.flaky, sendable(store.read("id")).await, "id");
    let (flaky, mut disk) = (Flaky::new(), Disk::default());
    assert_third(&flaky, disk.write(&flaky, "4".to_owned()).await, 7_usize);
    let disk = Disk::default();
    assert_third(&disk.flaky, disk.any('a').await, 'a');
    let (flaky, disk) = (Flaky::new(), Disk::default());
    assert_third(&flaky, disk.length(&flaky).await, 2_usize);
}

/// Checks that a future is `Send`, and runs it.
async fn sendable<F: Future + Send>(future: F) -> F::Output {
    future.await
}

#[async_trait(?Send)]
trait Local {
    async fn read(self: Box<Self>, shown: &dyn Display, flaky: &Flaky) -> R<String>;

    async fn patterns(&self, (a, b): (u32, u32), mut n: u32) -> R<u32>;
}

#[async_trait(?Send)]
impl Local for Disk {
    #[retry(start = "0s")]
    async fn read(self: Box<Self>, shown: &dyn Display, flaky: &Flaky) -> R<String> {
        let text = std::rc::Rc::new(shown.to_string());
        tokio::task::yield_now().await;
        flaky.attempt(format!("{text}{}", self.reads))
    }

    #[retry(start = "0s")]
    async fn patterns(&self, (a, b): (u32, u32), mut n: u32) -> R<u32> {
        n += 1;
        self.flaky.attempt(a + b + n)
    }
}

#[tokio::test]
async fn async_trait_methods_without_send_retry() {
    let flaky = Flaky::new();
    assert_third(&flaky, Box::new(Disk::default()).read(&"a", &flaky).await, "a0");
    let disk = Disk::default();
    assert_third(&disk.flaky, disk.patterns((1, 2), 0).await, 6_u32);
}

trait Fetch {
    fn fetch(&self, id: u32) -> impl Future<Output = R<u32>> + Send;

    fn boxed<'a>(&'a self, text: &'a str) -> Pin<Box<dyn Future<Output = R<&'a str>> + Send + 'a>>;

    #[retry(start = "0s")]
    fn by_default(&self, flaky: &Flaky) -> impl Future<Output = R<u32>> + Send
    where
        Self: Sync,
    {
        async move {
            let n = self.fetch(1).await?;
            flaky.attempt(n)
        }
    }
}

struct Native(Flaky);
struct Returned(Flaky);

impl Fetch for Native {
    #[retry(start = "0s")]
    async fn fetch(&self, id: u32) -> R<u32> {
        self.0.attempt(id)
    }

    #[retry(start = "0s")]
    fn boxed<'a>(&'a self, text: &'a str) -> Pin<Box<dyn Future<Output = R<&'a str>> + Send + 'a>> {
        Box::pin(async move { self.0.attempt(text) })
    }
}

impl Fetch for Returned {
    #[retry(start = "0s")]
    fn fetch(&self, id: u32) -> impl Future<Output = R<u32>> + Send {
        async move {
            self.0.attempt(())?;
            Ok(id)
        }
    }

    #[retry(start = "0s")]
    fn boxed<'a>(&'a self, text: &'a str) -> Pin<Box<dyn Future<Output = R<&'a str>> + Send + 'a>> {
        Box::pin(async {
            let text = text.trim();
            self.0.attempt(text)
        })
    }
}

#[tokio::test]
async fn trait_methods_that_return_a_future_retry() {
    let native = Native(Flaky::new());
    assert_third(&native.0, native.fetch(7).await, 7_u32);
    let native = Native(Flaky::new());
    assert_third(&native.0, native.boxed("a").await, "a");
    let returned = Returned(Flaky::new());
    assert_third(&returned.0, returned.fetch(7).await, 7_u32);
    let returned = Returned(Flaky::new());
    assert_third(&returned.0, returned.boxed(" a ").await, "a");
    let flaky = Flaky::new();
    assert_third(&flaky, Native(Flaky::new()).by_default(&flaky).await, 1_u32);
}

/// An extension trait, implemented for all types that implement `Fetch`.
trait Fetched: Fetch + Sync {
    #[retry(start = "0s")]
    async fn twice(&self, flaky: &Flaky) -> R<u32> {
        let sum = self.fetch(1).await? + self.fetch(2).await?;
        flaky.attempt(sum)
    }
}

impl<T: Fetch + Sync + ?Sized> Fetched for T {}

#[tokio::test]
async fn extension_trait_methods_retry() {
    let (flaky, native) = (Flaky::new(), Native(Flaky::new()));
    assert_third(&flaky, native.twice(&flaky).await, 3_u32);
}
