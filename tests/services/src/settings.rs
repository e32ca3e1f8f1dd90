//! The command line of a service.

use std::fmt;

/// The protocol of a service, and of the calls that it makes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Protocol {
    /// axum and reqwest, on HTTP/1.1.
    Http,
    /// tonic on both sides.
    Grpc,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "http",
            Self::Grpc => "grpc",
        })
    }
}

/// The settings of one service.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The protocol.
    pub protocol: Protocol,
    /// True if the service has the layer that reads its caller's deadline, and sends its own deadline to the next service.
    pub coordinated: bool,
    /// The URL of the next service. The last service of a chain has none.
    pub next: Option<String>,
}

impl Settings {
    /// Reads the command line: `http|grpc [--coordinated] [--next URL]`.
    ///
    /// # Errors
    ///
    /// Returns a message for the user if the command line has another form.
    pub fn from_arguments(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let protocol = match arguments.next().as_deref() {
            Some("http") => Protocol::Http,
            Some("grpc") => Protocol::Grpc,
            other => return Err(format!("expected `http` or `grpc`, found {other:?}")),
        };
        let mut settings = Self { protocol, coordinated: false, next: None };
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--coordinated" => settings.coordinated = true,
                "--next" => settings.next = Some(arguments.next().ok_or("expected a URL after `--next`")?),
                other => return Err(format!("expected `--coordinated` or `--next`, found `{other}`")),
            }
        }
        Ok(settings)
    }
}
