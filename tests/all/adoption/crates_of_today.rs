//! The retry crates that today's forms use, reduced to the functions that they call.

use std::time::Duration;

/// `retry`: blocking.
pub(super) fn retry<T, E>(
    delays: impl IntoIterator<Item = Duration>,
    mut operation: impl FnMut() -> Result<T, E>,
) -> Result<T, E> {
    let mut delays = delays.into_iter();
    loop {
        match (operation(), delays.next()) {
            (Err(_), Some(delay)) => super::sleep(delay),
            (outcome, _) => return outcome,
        }
    }
}

/// `backoff`: the operation classifies its errors.
pub(super) mod backoff {
    use std::time::Duration;

    pub(crate) enum Error<E> {
        Permanent(E),
        Transient(E),
    }

    pub(crate) async fn retry<T, E>(
        delays: impl IntoIterator<Item = Duration>,
        mut operation: impl AsyncFnMut() -> Result<T, Error<E>>,
    ) -> Result<T, E> {
        let mut delays = delays.into_iter();
        loop {
            match operation().await {
                Ok(value) => return Ok(value),
                Err(Error::Permanent(error)) => return Err(error),
                Err(Error::Transient(error)) => match delays.next() {
                    Some(delay) => tokio::time::sleep(delay).await,
                    None => return Err(error),
                },
            }
        }
    }
}

/// `backon`: a closure, a predicate and a notification.
pub(super) mod backon {
    use std::time::Duration;

    pub(crate) trait Retryable<A>: FnMut() -> A + Sized {
        fn retry<D>(self, delays: D) -> Retry<Self, D> {
            Retry { operation: self, delays }
        }
    }

    impl<F: FnMut() -> A, A: Future> Retryable<A> for F {}

    pub(crate) struct Retry<F, D> {
        operation: F,
        delays: D,
    }

    pub(crate) struct When<F, D, P> {
        retry: Retry<F, D>,
        predicate: P,
    }

    impl<F, D> Retry<F, D> {
        pub(crate) fn when<P>(self, predicate: P) -> When<F, D, P> {
            When { retry: self, predicate }
        }
    }

    impl<F, D, P> When<F, D, P> {
        pub(crate) async fn notify<A, T, E>(mut self, mut notify: impl FnMut(&E, Duration)) -> Result<T, E>
        where
            F: FnMut() -> A,
            A: Future<Output = Result<T, E>>,
            D: Iterator<Item = Duration>,
            P: FnMut(&E) -> bool,
        {
            loop {
                match (self.retry.operation)().await {
                    Err(error) if (self.predicate)(&error) => {
                        let Some(delay) = self.retry.delays.next() else { return Err(error) };
                        notify(&error, delay);
                        tokio::time::sleep(delay).await;
                    }
                    outcome => return outcome,
                }
            }
        }
    }
}
