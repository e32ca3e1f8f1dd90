//! Choices that the bytes of an input make.

use std::borrow::Cow;
use std::time::Duration;

use arbitrary::Unstructured;

/// The bytes as text. Fuzzers cut characters into pieces, which are replaced.
pub fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// The rest of an input. At its end, each choice is the first one.
pub struct Input<'a>(Unstructured<'a>);

impl<'a> Input<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(Unstructured::new(bytes))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn any<T: arbitrary::Arbitrary<'a> + Default>(&mut self) -> T {
        self.0.arbitrary().unwrap_or_default()
    }

    /// A number from 0 to `most`.
    pub fn up_to(&mut self, most: usize) -> usize {
        // One byte for each choice, so that a mutation of it changes no other choice.
        let wide = if most > 255 { self.any::<u32>() as usize } else { self.any::<u8>() as usize };
        wide % (most + 1)
    }

    pub fn one_of<'t, T: ?Sized>(&mut self, choices: &[&'t T]) -> &'t T {
        choices[self.up_to(choices.len() - 1)]
    }

    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.up_to(choices.len() - 1)]
    }

    /// True in one of `n` cases.
    pub fn one_in(&mut self, n: u8) -> bool {
        self.any::<u8>() % n == n - 1
    }

    /// A duration of any magnitude.
    pub fn duration(&mut self) -> Duration {
        let number = u64::from(self.any::<u16>());
        match self.any::<u8>() % 8 {
            0 => Duration::from_millis(number),
            1 => Duration::from_secs(number),
            2 => Duration::from_micros(number),
            3 => Duration::from_nanos(number),
            4 => Duration::from_nanos(self.any()),
            5 => Duration::from_millis(self.any()),
            6 => Duration::MAX.saturating_sub(Duration::from_nanos(number)),
            _ => Duration::from_secs(number % 100),
        }
    }

    /// At most this many bytes.
    pub fn bytes(&mut self, most: usize) -> &'a [u8] {
        let length = self.up_to(most).min(self.0.len());
        self.0.bytes(length).unwrap_or_default()
    }

    pub fn rest(self) -> &'a [u8] {
        self.0.take_rest()
    }
}
