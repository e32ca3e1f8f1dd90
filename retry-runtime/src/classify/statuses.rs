//! A set of HTTP statuses, as a plain `Copy` value.

use core::fmt;
use core::ops::RangeInclusive;

const FIRST: u16 = 100;
const LAST: u16 = 599;
const BITS: u16 = u64::BITS as u16;
const WORDS: usize = (LAST - FIRST + 1).div_ceil(BITS) as usize;

/// A set of statuses from 100 to 599, with a bit for each, so that it borrows nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Statuses([u64; WORDS]);

impl Statuses {
    /// The statuses in these ranges. Panics as [`Condition::on_status`](crate::Condition::on_status) documents.
    #[track_caller]
    pub(crate) const fn of(ranges: &[RangeInclusive<u16>]) -> Self {
        let mut statuses = Self([0; WORDS]);
        let mut i = 0;
        while i < ranges.len() {
            let (first, last) = (*ranges[i].start(), *ranges[i].end());
            assert!(first <= last, "a range of statuses is empty: write the lower code first");
            assert!(first >= FIRST && last <= LAST, "a status must be between 100 and 599");
            let mut status = first;
            while status <= last {
                let is_new = !statuses.contains(status);
                assert!(is_new, "a status is listed twice: remove one of them, or write ranges that do not overlap");
                let (word, bit) = place(status);
                statuses.0[word] |= bit;
                status += 1;
            }
            i += 1;
        }
        statuses
    }

    #[inline]
    pub(crate) const fn contains(&self, status: u16) -> bool {
        if status < FIRST || status > LAST {
            return false;
        }
        let (word, bit) = place(status);
        self.0[word] & bit != 0
    }
}

/// The word and the bit of a status in the set.
const fn place(status: u16) -> (usize, u64) {
    let index = status - FIRST;
    ((index / BITS) as usize, 1 << (index % BITS))
}

/// Lists ranges: `[429..=429, 500..=599]`.
impl fmt::Debug for Statuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_list();
        let mut next = FIRST;
        while let Some(first) = (next..=LAST).find(|status| self.contains(*status)) {
            let last = (first..=LAST).take_while(|status| self.contains(*status)).last().unwrap_or(first);
            list.entry(&(first..=last));
            next = last + 1;
        }
        list.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_contains_its_ranges_and_nothing_else() {
        let single = [100..=100, 599..=599, 100..=599].map(|range| [range]);
        for ranges in [&[][..], &single[0], &single[1], &single[2], &[429..=429, 163..=164, 500..=503]] {
            let statuses = Statuses::of(ranges);
            for status in 0..=u16::MAX {
                let is_listed = ranges.iter().any(|range| range.contains(&status));
                assert_eq!(statuses.contains(status), is_listed, "{status} in {ranges:?}");
            }
        }
    }

    #[test]
    fn debug_lists_ranges() {
        assert_eq!(format!("{:?}", Statuses::of(&[500..=503, 429..=429, 504..=599])), "[429..=429, 500..=599]");
        assert_eq!(format!("{:?}", Statuses::of(&[])), "[]");
    }
}
