//! Checks of header names, at compile time if the names are constants.

/// Panics unless the name is a valid name of a header, in lower case.
#[track_caller]
pub(super) const fn check(name: &str) {
    let bytes = name.as_bytes();
    assert!(!bytes.is_empty(), "the name of a header must not be empty: write a name such as `x-time-left-ms`");
    let mut at = 0;
    while at < bytes.len() {
        assert!(
            !bytes[at].is_ascii_uppercase(),
            "write the name of the header in lower case, because HTTP/2 and gRPC send no other names"
        );
        assert!(
            is_token(bytes[at]),
            "the name of a header may contain only letters, digits and `-`, such as `x-time-left-ms`"
        );
        at += 1;
    }
    assert!(
        !ends_with(bytes, b"-bin"),
        "the name of a header must not end with `-bin`, because gRPC reserves such names for binary values"
    );
}

/// Panics if the two names are equal.
#[track_caller]
pub(super) const fn check_differ(one: &str, other: &str) {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    assert!(
        one.len() != other.len() || !ends_with(one, other),
        "two headers have the same name: give each of them a name of its own"
    );
}

/// True for the characters of a token (RFC 9110 §5.6.2) in lower case.
const fn is_token(byte: u8) -> bool {
    matches!(
        byte,
        b'a'..=b'z' | b'0'..=b'9'
            | b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
    )
}

const fn ends_with(bytes: &[u8], end: &[u8]) -> bool {
    if bytes.len() < end.len() {
        return false;
    }
    let start = bytes.len() - end.len();
    let mut at = 0;
    while at < end.len() {
        if bytes[start + at] != end[at] {
            return false;
        }
        at += 1;
    }
    true
}
