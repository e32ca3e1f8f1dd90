//! Splits Rust source into tokens: enough to find paths, and to leave out what only looks like one.

/// An identifier, a number or a piece of punctuation. `::` is one token.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
}

impl Token {
    pub(crate) fn is(&self, text: &str) -> bool {
        self.text == text
    }

    pub(crate) fn is_identifier(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
    }
}

/// The tokens of `source`. Comments, lifetimes, strings and characters are left out.
pub(crate) fn tokens(source: &str) -> Vec<Token> {
    let mut reader = Reader { chars: source.chars().collect(), at: 0, line: 1 };
    let mut tokens = Vec::new();
    while let Some(c) = reader.peek(0) {
        let line = reader.line;
        let text = match c {
            '/' if reader.peek(1) == Some('/') => reader.skip_line_comment(),
            '/' if reader.peek(1) == Some('*') => reader.skip_block_comment(),
            '"' => reader.skip_string(),
            '\'' => reader.skip_character_or_lifetime(),
            c if c.is_alphabetic() || c == '_' => reader.word(),
            c if c.is_ascii_digit() => Some(reader.take_while(|c| c.is_alphanumeric() || c == '_')),
            ':' if reader.peek(1) == Some(':') => {
                reader.skip(2);
                Some("::".to_owned())
            }
            c => {
                reader.skip(1);
                (!c.is_whitespace()).then(|| c.to_string())
            }
        };
        tokens.extend(text.map(|text| Token { text, line }));
    }
    tokens
}

struct Reader {
    chars: Vec<char>,
    at: usize,
    line: usize,
}

impl Reader {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn skip(&mut self, count: usize) {
        for _ in 0..count {
            if self.peek(0) == Some('\n') {
                self.line += 1;
            }
            self.at += 1;
        }
    }

    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> String {
        let start = self.at;
        while self.peek(0).is_some_and(&belongs) {
            self.skip(1);
        }
        self.chars[start..self.at].iter().collect()
    }

    fn skip_line_comment(&mut self) -> Option<String> {
        self.take_while(|c| c != '\n');
        None
    }

    /// Block comments nest.
    fn skip_block_comment(&mut self) -> Option<String> {
        let mut depth = 0;
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some('/'), Some('*')) => depth += 1,
                (Some('*'), Some('/')) => depth -= 1,
                (Some(_), _) => {
                    self.skip(1);
                    continue;
                }
                (None, _) => return None,
            }
            self.skip(2);
            if depth == 0 {
                return None;
            }
        }
    }

    fn skip_string(&mut self) -> Option<String> {
        self.skip(1);
        while let Some(c) = self.peek(0) {
            self.skip(if c == '\\' { 2 } else { 1 });
            if c == '"' {
                break;
            }
        }
        None
    }

    /// Skips the rest of a raw string, from its first `#` or `"`.
    fn skip_raw_string(&mut self) -> Option<String> {
        let hashes = self.take_while(|c| c == '#').len();
        self.skip(1);
        while let Some(c) = self.peek(0) {
            let ends = c == '"' && (1..=hashes).all(|ahead| self.peek(ahead) == Some('#'));
            self.skip(if ends { 1 + hashes } else { 1 });
            if ends {
                break;
            }
        }
        None
    }

    fn skip_character_or_lifetime(&mut self) -> Option<String> {
        let is_character = self.peek(1) == Some('\\') || self.peek(2) == Some('\'');
        self.skip(if self.peek(1) == Some('\\') { 3 } else { 1 });
        if is_character {
            self.take_while(|c| c != '\'');
            self.skip(1);
        } else {
            self.take_while(|c| c.is_alphanumeric() || c == '_');
        }
        None
    }

    /// Takes an identifier, or skips the string that begins with one, such as `br"…"`.
    fn word(&mut self) -> Option<String> {
        let word = self.take_while(|c| c.is_alphanumeric() || c == '_');
        match (word.as_str(), self.peek(0), self.peek(1)) {
            ("r" | "br" | "cr", Some('"'), _) | ("r" | "br" | "cr", Some('#'), Some('"' | '#')) => {
                self.skip_raw_string()
            }
            ("r", Some('#'), _) => {
                self.skip(1);
                self.word()
            }
            ("b" | "c", Some('"'), _) => self.skip_string(),
            ("b", Some('\''), _) => self.skip_character_or_lifetime(),
            _ => Some(word),
        }
    }
}
