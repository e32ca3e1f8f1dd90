//! Output in color if stdout is a terminal, unless the variable `NO_COLOR` is set. Otherwise the output is plain text.

use std::env;
use std::fmt::{self, Debug, Display};
use std::io::{self, IsTerminal};
use std::sync::LazyLock;

use tracing_subscriber::field::MakeExt;
use tracing_subscriber::fmt::format::debug_fn;
use tracing_subscriber::fmt::time::uptime;

const BOLD: u8 = 1;
const DIM: u8 = 2;
const RED: u8 = 31;
pub(crate) const GREEN: u8 = 32;
const CYAN: u8 = 36;

static HAS_COLORS: LazyLock<bool> =
    LazyLock::new(|| io::stdout().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()));

/// A text in a color, if the output has colors.
pub(crate) struct Colored<T>(pub(crate) u8, pub(crate) T);

impl<T: Display> Display for Colored<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(color, text) = self;
        if *HAS_COLORS { write!(f, "\u{1b}[{color}m{text}\u{1b}[0m") } else { text.fmt(f) }
    }
}

/// Prints all events, with the time since the start.
pub(crate) fn print_events() {
    let fields = debug_fn(|out, field, value| match field.name() {
        "message" => write!(out, "{}", message(value)),
        "attempt" => write!(out, "{}={}", field, Colored(BOLD, format!("{value:?}"))),
        _ => write!(out, "{}{value:?}", Colored(DIM, format!("{field}="))),
    });
    tracing_subscriber::fmt().with_timer(uptime()).with_ansi(*HAS_COLORS).fmt_fields(fields.delimited(" ")).init();
}

fn message(text: &dyn Debug) -> Colored<String> {
    let text = format!("{text:?}");
    let color = match &text {
        text if text.contains("succeeded") => GREEN,
        text if text.starts_with("next attempt") => CYAN,
        _ => RED,
    };
    Colored(color, text)
}
