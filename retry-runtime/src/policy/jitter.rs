//! Randomness put on a delay, inside the cap.

use core::time::Duration;

use crate::policy::backoff::{Bounds, scale};

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
    pub(crate) fn apply(self, d: Duration, cap: Duration, random: fn() -> f64) -> Duration {
        match self {
            Self::None => d,
            Self::Full => between(Duration::ZERO, d, random()),
            Self::Equal => between(d / 2, d, random()),
            // At once, for to and from floating point is most of what it costs.
            Self::Share(p) => {
                let (least, most) = (1.0 - p, 1.0 + p);
                let most = if d.is_zero() { most } else { most.min(cap.as_secs_f64() / d.as_secs_f64()) };
                // Rounding may lead out of the bounds by a hair.
                scale(d, (least + (most - least) * within_one(random())).min(most)).min(cap)
            }
        }
    }

    pub(crate) fn bounds(self, d: Bounds, cap: Duration) -> Bounds {
        match self {
            Self::None => d,
            Self::Full => Bounds { min: Duration::ZERO, max: d.max },
            Self::Equal => Bounds { min: d.min / 2, max: d.max },
            Self::Share(p) => Bounds { min: scale(d.min, 1.0 - p), max: scale(d.max, 1.0 + p).min(cap) },
        }
    }
}

/// The point at `share` of the way from `low` to `high`, never outside of them, whatever `share` is.
pub(crate) fn between(low: Duration, high: Duration, share: f64) -> Duration {
    let width = high.saturating_sub(low);
    low.saturating_add(scale(width, within_one(share)).min(width))
}

/// A random source of the user's may break its promise: NaN and negatives become 0.
fn within_one(share: f64) -> f64 {
    if share > 0.0 { share.min(1.0) } else { 0.0 }
}

/// The standard random source: `rand`'s thread generator, uniform in `[0, 1)`.
pub(crate) fn thread_random() -> f64 {
    rand::random()
}
