//! "Did you mean": finds the allowed word that is nearest to a misspelled one. The measure is that of rustc.

/// The end of a message about an unknown word: ``did you mean `start`?``, or the list of allowed words if none is near and none begins
/// with it.
#[must_use]
pub fn suggest(word: &str, allowed: &[&str]) -> String {
    advice(word, allowed, "")
}

/// [`suggest`] for words that are written as strings.
#[must_use]
pub fn suggest_quoted(word: &str, allowed: &[&str]) -> String {
    advice(word, allowed, "\"")
}

/// Returns `true` if the word may be a typo of an allowed one. The beginning of one does not count: it may be a word of its own.
#[must_use]
pub fn is_near(word: &str, allowed: &[&str]) -> bool {
    nearest(word, allowed).is_some()
}

fn advice(word: &str, allowed: &[&str], quote: &str) -> String {
    match nearest(word, allowed) {
        Some(near) => format!("did you mean `{quote}{near}{quote}`?"),
        None => match completions(word, allowed).as_slice() {
            [] => format!("expected {}", one_of(allowed, quote)),
            longer => format!("did you mean {}?", one_of(longer, quote)),
        },
    }
}

/// The nearest word, if `word` may be a typo of it.
fn nearest<'a>(word: &str, allowed: &[&'a str]) -> Option<&'a str> {
    let length = word.chars().count();
    let limit = length.max(3) / 3;
    // The distance is at least the difference in length. Words that differ more are skipped, because computing the distance
    // takes memory in proportion to the product of the lengths, and a file may contain a very long word.
    let similar_length = allowed.iter().filter(|known| length.abs_diff(known.chars().count()) <= limit);
    let distances = similar_length.map(|known| (distance(word, known), *known));
    let (found, near) = distances.min_by_key(|(found, _)| *found)?;
    (found <= limit).then_some(near)
}

/// The words that begin with `word`.
fn completions<'a>(word: &str, allowed: &[&'a str]) -> Vec<&'a str> {
    allowed.iter().copied().filter(|known| !word.is_empty() && known.starts_with(word)).collect()
}

/// `` `a`, `b` or `c` ``
fn one_of(words: &[&str], quote: &str) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{quote}{word}{quote}`")).collect();
    match quoted.as_slice() {
        [] => "nothing".to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// The number of edits between two words. An edit inserts, deletes or replaces a character, or swaps two neighbors.
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut rows = vec![(0..=to.len()).collect::<Vec<usize>>()];
    for i in 1..=from.len() {
        let mut row = vec![i];
        for j in 1..=to.len() {
            let substitution = rows[i - 1][j - 1] + usize::from(from[i - 1] != to[j - 1]);
            let mut best = substitution.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[from.len()][to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 3] = ["attempts", "backoff", "start"];

    #[test]
    fn a_typo_suggests_the_nearest_word() {
        assert_eq!(suggest("atempts", &KEYS), "did you mean `attempts`?");
        assert_eq!(suggest("attemtps", &KEYS), "did you mean `attempts`?");
        assert_eq!(suggest("strat", &KEYS), "did you mean `start`?");
        assert_eq!(suggest("back_off", &KEYS), "did you mean `backoff`?");
    }

    #[test]
    fn a_prefix_suggests_the_words_that_begin_with_it() {
        const KEYS: [&str; 5] = ["attempts", "on_status", "on_ok", "on_retry", "max_delay"];
        assert_eq!(suggest("on", &KEYS), "did you mean `on_status`, `on_ok` or `on_retry`?");
        assert_eq!(suggest("max", &KEYS), "did you mean `max_delay`?");
        assert_eq!(suggest("attempt", &["attempts", "attempt_timeout"]), "did you mean `attempts`?");
        assert_eq!(suggest_quoted("exp", &["fixed", "exponential"]), "did you mean `\"exponential\"`?");
        assert_eq!(suggest("", &["one", "two"]), "expected `one` or `two`");
    }

    #[test]
    fn a_distant_word_gets_the_list() {
        assert_eq!(suggest("colour", &KEYS), "expected `attempts`, `backoff` or `start`");
        assert_eq!(suggest("x", &["only"]), "expected `only`");
        assert_eq!(suggest(&"x".repeat(10_000_000), &["only"]), "expected `only`");
    }

    #[test]
    fn edits_are_counted() {
        for (from, to, edits) in [("", "", 0), ("", "ab", 2), ("ab", "ba", 1), ("abc", "adc", 1), ("abcd", "bcd", 1)] {
            assert_eq!(distance(from, to), edits, "{from} {to}");
        }
    }
}
