//! The randomness of a delay. The formulas are those of `retry_spec::schedule`.

use core::time::Duration;

use retry_spec::keywords;
use retry_spec::schedule::Bounds;

/// Randomness put on a computed delay `d`, so that clients that failed together do not come back together.
///
/// Jitter is put on after the cap and stays inside it. "Full" and "equal" are those of the AWS Architecture
/// Blog, *Exponential Backoff And Jitter* (2015).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Jitter {
    /// Exactly `d`.
    #[default]
    None,
    /// Uniform in `[0, d]`.
    Full,
    /// Uniform in `[d/2, d]`.
    Equal,
    /// Uniform in `[d·(1−p), d·(1+p)]`, never above the cap; `p` is above 0 and at most 1.
    Share(f64),
}

impl Jitter {
    /// `d` with the jitter on it; `random` is asked only where there is any.
    #[inline]
    pub(crate) fn apply(self, d: Duration, cap: Duration, random: fn() -> f64) -> Duration {
        keywords::Jitter::from(self).apply(d, cap, random)
    }

    pub(crate) fn bounds(self, d: Bounds, cap: Duration) -> Bounds {
        keywords::Jitter::from(self).bounds(d, cap)
    }
}

/// The formulas of the specification work on its own type, so that this one can gain variants.
impl From<Jitter> for keywords::Jitter {
    #[inline(always)]
    fn from(jitter: Jitter) -> Self {
        match jitter {
            Jitter::None => Self::None,
            Jitter::Full => Self::Full,
            Jitter::Equal => Self::Equal,
            Jitter::Share(share) => Self::Share(share),
        }
    }
}

#[cfg(feature = "serde")]
impl From<keywords::Jitter> for Jitter {
    fn from(jitter: keywords::Jitter) -> Self {
        match jitter {
            keywords::Jitter::None => Self::None,
            keywords::Jitter::Full => Self::Full,
            keywords::Jitter::Equal => Self::Equal,
            keywords::Jitter::Share(share) => Self::Share(share),
        }
    }
}

/// The standard random source: `rand`'s thread generator, uniform in `[0, 1)`.
pub(crate) fn thread_random() -> f64 {
    rand::random()
}
