//! The randomness of a delay. The formulas are those of `retry_spec::schedule`.

use core::time::Duration;

use retry_spec::keywords;
use retry_spec::schedule::Bounds;

use crate::util::host::random;

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
    /// Uniform in `[d, d + extra]`, never above the cap, where a delay has no jitter. The extra time is longer than zero.
    Plus(Duration),
}

impl Jitter {
    /// `d` with the jitter on it; `random` is asked only where there is any.
    #[inline]
    pub(crate) fn apply(self, d: Duration, cap: Duration, random: fn() -> f64) -> Duration {
        // Before the conversion, because a schedule that is written has no jitter by default.
        match self {
            Self::None => d,
            _ => keywords::Jitter::from(self).apply(d, cap, random),
        }
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
            Jitter::Plus(extra) => Self::Plus(extra),
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
            keywords::Jitter::Plus(extra) => Self::Plus(extra),
        }
    }
}

/// The standard random source: the thread's generator of `fastrand`, uniform in `[0, 1)`. It is not cryptographic: a delay
/// need not be secret.
pub(crate) fn thread_random() -> f64 {
    random()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::env;
    use std::process::Command;
    use std::thread;

    use super::*;

    fn draw() -> [u64; 4] {
        [(); 4].map(|()| thread_random().to_bits())
    }

    #[test]
    fn threads_draw_different_numbers() {
        let drawn: HashSet<_> = (0..64).map(|_| thread::spawn(draw).join().unwrap()).collect();
        assert_eq!(drawn.len(), 64);
    }

    #[test]
    fn processes_draw_different_numbers() {
        const IS_CHILD: &str = "RETRY_RUNTIME_TEST_DRAWS";
        if env::var_os(IS_CHILD).is_some() {
            println!("{:?}", draw());
            return;
        }
        let name = "policy::jitter::tests::processes_draw_different_numbers";
        let outputs: HashSet<_> = (0..4)
            .map(|_| {
                let mut test = Command::new(env::current_exe().unwrap());
                let output = test.args(["--exact", name, "--nocapture"]).env(IS_CHILD, "").output().unwrap();
                let output = String::from_utf8(output.stdout).unwrap();
                output.lines().find(|line| line.contains('[')).unwrap().to_owned()
            })
            .collect();
        assert_eq!(outputs.len(), 4);
    }
}
