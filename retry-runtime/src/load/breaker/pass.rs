//! The admission of the attempts of annotated functions and requests, and of hedged copies. Generated code uses these types.

use core::fmt;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use crate::classify::breaker_open::BreakerOpen;
use crate::classify::verdict::Classification;
use crate::context::{expiry, probes};
use crate::load::breaker::{Admission, Admitted, Breaker, abandon};

/// A breaker's permission for an attempt of an annotated function or of a request. It lives outside the attempt's future, so
/// that an attempt that is cut off still counts. A hedged attempt has one inside each copy.
pub struct Pass<'b>(Option<Admitted<'b>>);

impl<'b> Pass<'b> {
    /// The pass of an attempt that has not asked the breaker yet.
    #[inline]
    pub const fn none() -> Self {
        Self(None)
    }

    /// Asks the breaker to admit the attempt, unless it already has.
    ///
    /// # Errors
    ///
    /// A future to await if the attempt is not admitted at once.
    pub fn ask(&mut self, breaker: &'b Breaker) -> Result<(), WaitForAdmission<'_, 'b>> {
        if self.0.is_none() {
            match breaker.admit() {
                Ok(admitted) => self.0 = Some(admitted),
                Err(refusal) => return Err(WaitForAdmission(Box::new((self, Admission { breaker, refusal })))),
            }
        }
        self.begin();
        Ok(())
    }

    /// [`ask`](Self::ask) for a blocking function.
    ///
    /// # Errors
    ///
    /// The error of a rejected attempt.
    pub fn ask_blocking(&mut self, breaker: &'b Breaker) -> Result<(), BreakerOpen> {
        self.0 = Some(breaker.blocking_admission()?);
        self.begin();
        Ok(())
    }

    /// The attempt that is being polled has been admitted, possibly as the probe.
    #[inline]
    fn begin(&self) {
        if let Some(breaker) = self.0.as_ref().and_then(|admitted| admitted.permit.probed()) {
            probes::begin_probe_of(breaker);
        }
    }

    #[cold]
    fn dropped(&mut self) {
        match self.0.take_if(|_| expiry::is_expired()) {
            Some(admitted) => admitted.fail(None),
            None => abandon(&mut self.0),
        }
    }

    /// Counts the outcome of the attempt. A rejected attempt has nothing to count.
    pub fn settle(mut self, classification: Classification) {
        if let Some(admitted) = self.0.take() {
            admitted.settle(classification, |own| own);
        }
    }

    /// [`settle`](Self::settle) with a function that adds the server's delay which the user's code reads. It is called if the
    /// delay is needed.
    pub fn settle_with(
        mut self,
        classification: Classification,
        with_delays: impl FnOnce(Classification) -> Classification,
    ) {
        if let Some(admitted) = self.0.take() {
            admitted.settle(classification, with_delays);
        }
    }
}

/// The attempt is dropped before its end. That counts as a failure if a time limit of this call or of one around it cut the
/// attempt off, but not if a caller dropped the call or another copy won.
impl Drop for Pass<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.0.is_some() {
            self.dropped();
        }
    }
}

impl fmt::Debug for Pass<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pass")
    }
}

/// A future that waits until an attempt is admitted or rejected. If the attempt is rejected, its outcome is made from the
/// error.
///
/// Boxed as [`Admission`] is, and cold: most attempts are admitted at once.
#[must_use]
pub struct WaitForAdmission<'p, 'b>(Box<(&'p mut Pass<'b>, Admission<'b>)>);

impl Future for WaitForAdmission<'_, '_> {
    type Output = Result<(), BreakerOpen>;

    #[cold]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (pass, admission) = &mut *self.0;
        let admitted = ready!(Pin::new(admission).poll(cx));
        Poll::Ready(admitted.map(|admitted| {
            pass.0 = Some(admitted);
            pass.begin();
        }))
    }
}

impl fmt::Debug for WaitForAdmission<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WaitForAdmission")
    }
}

/// Admits or rejects the copies of a hedged attempt after the first.
pub trait AdmitsCopies {
    #[doc(hidden)]
    type Pass;

    /// Returns `None` if the copy is rejected. Never waits.
    #[doc(hidden)]
    fn ask(&self) -> Option<Self::Pass>;

    /// Keeps the permission of the copy that is added next.
    #[doc(hidden)]
    fn keep(&mut self, pass: Self::Pass);
}

/// Without a breaker, every copy is admitted.
impl AdmitsCopies for () {
    type Pass = ();

    fn ask(&self) -> Option<()> {
        Some(())
    }

    fn keep(&mut self, (): ()) {}
}

/// A breaker, which each copy asks.
#[derive(Debug)]
pub struct BreakerForCopies<'b> {
    breaker: &'b Breaker,
    next: Pass<'b>,
}

impl<'b> BreakerForCopies<'b> {
    /// For an attempt that has no copy yet.
    pub const fn of(breaker: &'b Breaker) -> Self {
        Self { breaker, next: Pass::none() }
    }

    pub(crate) fn take(&mut self) -> Pass<'b> {
        mem::replace(&mut self.next, Pass::none())
    }
}

impl<'b> AdmitsCopies for BreakerForCopies<'b> {
    type Pass = Pass<'b>;

    fn ask(&self) -> Option<Pass<'b>> {
        self.breaker.admit().ok().map(|admitted| Pass(Some(admitted)))
    }

    fn keep(&mut self, pass: Pass<'b>) {
        self.next = pass;
    }
}
