//! A short list of delays that a policy owns, for lists that are only known at run time.

use core::fmt::{self, Debug, Formatter};
use core::time::Duration;

use retry_spec::invalid::MAX_OWNED_DELAYS;

/// The copy of a short list of delays. A policy is `Copy`, so it cannot own an allocation, and leaking each list of a
/// configuration that is loaded again and again would be a leak. In nanoseconds, because a `Duration` is twice as large.
#[derive(Clone, Copy)]
pub(crate) struct OwnedDelays {
    nanos: [u64; MAX_OWNED_DELAYS],
    /// From 1 to [`MAX_OWNED_DELAYS`].
    len: u8,
}

impl OwnedDelays {
    /// Copies the first [`MAX_OWNED_DELAYS`] delays of a list that is not empty. A delay above 584 years is cut to that.
    pub(crate) const fn copy_of(delays: &[Duration]) -> Self {
        let mut copy = Self { nanos: [0; MAX_OWNED_DELAYS], len: 0 };
        while (copy.len as usize) < MAX_OWNED_DELAYS && (copy.len as usize) < delays.len() {
            let nanos = delays[copy.len as usize].as_nanos();
            copy.nanos[copy.len as usize] = if nanos > u64::MAX as u128 { u64::MAX } else { nanos as u64 };
            copy.len += 1;
        }
        copy
    }

    /// The delay for retry `n`, from 1. The last one repeats.
    pub(crate) fn get(&self, n: u32) -> Duration {
        let last = usize::from(self.len).saturating_sub(1);
        Duration::from_nanos(self.nanos[(n as usize).saturating_sub(1).min(last)])
    }

    pub(crate) const fn first(&self) -> Duration {
        Duration::from_nanos(self.nanos[0])
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Duration> + '_ {
        self.nanos[..usize::from(self.len)].iter().copied().map(Duration::from_nanos)
    }
}

impl Debug for OwnedDelays {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
