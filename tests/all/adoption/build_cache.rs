//! A build cache starts its server, and then polls until the server accepts connections. If the time runs out, the error has the
//! kind `TimedOut`.

use std::io::{self, ErrorKind};

use super::{Server, assert_same, run_of};

type Host = Server<Result<&'static str, ErrorKind>>;

fn connect_to_server(host: &Host, port: u16) -> io::Result<&'static str> {
    host.reply(format_args!("connect to {port}")).map_err(io::Error::from)
}

mod before {
    use std::iter::repeat_n;
    use std::time::Duration;

    use super::super::crates_of_today::retry;
    use super::*;

    pub(super) fn connect_with_retry(host: &Host, port: u16) -> io::Result<&'static str> {
        tracing::trace!("connect_with_retry({port})");
        match retry(repeat_n(Duration::from_millis(500), 10), || connect_to_server(host, port)) {
            Ok(connection) => Ok(connection),
            Err(error) => Err(io::Error::new(ErrorKind::TimedOut, format!("connection to server timed out: {error}"))),
        }
    }
}

mod after {
    use retry_runtime::retrying;

    use super::super::sleep;
    use super::*;

    pub(super) fn connect_with_retry(host: &Host, port: u16) -> io::Result<&'static str> {
        retrying!(blocking, attempts = 11, backoff = "fixed", start = "500ms", on_error = "any", sleep = sleep, || {
            connect_to_server(host, port)
        })
        .map_err(|error| io::Error::new(ErrorKind::TimedOut, format!("connection to server timed out: {error}")))
    }
}

#[test]
fn it_connects_as_soon_as_the_server_is_ready() {
    let [before, after] = [before::connect_with_retry, after::connect_with_retry].map(|connect| {
        let host = Server::new([Err(ErrorKind::ConnectionRefused), Err(ErrorKind::PermissionDenied), Ok("connection")]);
        run_of(&connect(&host, 4226), &host.log)
    });
    let notes = ["0ns connect to 4226", "500ms connect to 4226", "1s connect to 4226"];
    assert_same(&before, &after, r#"Ok("connection")"#, &notes);
}

#[test]
fn it_times_out_after_five_seconds() {
    let [before, after] = [before::connect_with_retry, after::connect_with_retry].map(|connect| {
        let host = Server::new([Err(ErrorKind::ConnectionRefused); 11]);
        run_of(&connect(&host, 4226).map_err(|error| (error.kind(), error.to_string())), &host.log)
    });
    assert_eq!(before, after);
    assert_eq!(after.0, r#"Err((TimedOut, "connection to server timed out: connection refused"))"#);
    assert_eq!((after.1.len(), after.1.last().unwrap().as_str()), (11, "5s connect to 4226"));
}
