//! A payment service that fails.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::processes::Story;

/// One request for a charge.
struct Request {
    customer: String,
    key: String,
    at: Instant,
}

pub(crate) struct Api {
    pub(crate) address: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Api {
    pub(crate) fn start(story: Story) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = requests.clone();
        thread::spawn(move || {
            // Kept open, so that their clients wait.
            let mut unanswered = Vec::new();
            for mut stream in listener.incoming().map_while(Result::ok) {
                let (customer, key) = read(&stream);
                let mut seen = seen.lock().unwrap();
                seen.push(Request { customer: customer.clone(), key, at: Instant::now() });
                let number = seen.iter().filter(|request| request.customer == customer).count();
                let reply = reply(&customer, number);
                story.tell(
                    "service",
                    &format!("POST /charges/{customer}: {}", reply.unwrap_or("no answer").replace("\r\n", ", ")),
                );
                match reply {
                    Some(reply) => write!(stream, "HTTP/1.0 {reply}\r\n\r\n").unwrap(),
                    None => unanswered.push(stream),
                }
            }
        });
        Self { address, requests }
    }

    /// The requests of this customer came after these delays in seconds, and were all for the same charge.
    #[track_caller]
    pub(crate) fn assert_delays(&self, customer: &str, delays: &[u64]) {
        let requests = self.requests.lock().unwrap();
        let requests: Vec<&Request> = requests.iter().filter(|request| request.customer == customer).collect();
        assert!(requests.iter().all(|request| request.key == requests[0].key), "{customer} would pay twice");
        let waited: Vec<Duration> = requests.windows(2).map(|pair| pair[1].at - pair[0].at).collect();
        assert_eq!(waited.len(), delays.len(), "{customer}: {waited:?}");
        for (waited, delay) in waited.iter().zip(delays) {
            // Later by up to a second, because of whole seconds, and by the interval of the worker's polls.
            let delay = Duration::from_secs(*delay);
            let latest = delay + Duration::from_secs(4);
            assert!((delay..latest).contains(waited), "{customer} after {delay:?}: {waited:?}");
        }
    }
}

/// The customer and the idempotency key of a request.
fn read(stream: &TcpStream) -> (String, String) {
    let lines = BufReader::new(stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let lines: Vec<String> = lines.collect();
    let customer = lines[0].split(['/', ' ']).nth(3).unwrap().to_owned();
    let key = lines.iter().find_map(|line| line.strip_prefix("Idempotency-Key: ")).unwrap();
    (customer, key.to_owned())
}

/// The reply to request `number` for a customer; `None` for no answer.
fn reply(customer: &str, number: usize) -> Option<&'static str> {
    match (customer, number) {
        ("ada", 1) | ("eve", _) => Some("503 Service Unavailable"),
        ("ada", 2) => Some("429 Too Many Requests\r\nRetry-After: 6"),
        ("bob", _) => Some("422 Unprocessable Content"),
        ("zoe", 1) => None,
        _ => Some("201 Created"),
    }
}
