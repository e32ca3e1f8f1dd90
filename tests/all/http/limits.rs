//! Budgets and breakers of requests: one for a client, or one for each host.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use reqwest::{Client, Url};
use reqwest_middleware::ClientBuilder;
use retry_runtime::breaker::{BreakerOpen, BreakerState};
use retry_runtime::http::{PerHost, RequestRetry, SendFirstOf, SendWithRetry};
use retry_runtime::{Breaker, Budget, Condition, OnError, Policy};
use tokio::time::sleep;

use crate::support::server::{Reply, Server, client};
use crate::support::{Nowhere, Recorder, SECOND, timed};

const POLICY: Policy = Policy::fixed(SECOND);

/// Opens after one failure, for ten seconds.
fn quick() -> Breaker {
    Breaker::new().name("quick").minimum_attempts(1).open_for(SECOND * 10)
}

/// The `BreakerOpen` in the chain of an error.
fn rejection<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e BreakerOpen> {
    let mut link = Some(error);
    while let Some(error) = link {
        if let Some(open) = error.downcast_ref() {
            return Some(open);
        }
        link = error.source();
    }
    None
}

fn url(server: &Server) -> Url {
    server.url.parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_shared_budget_pays_instead_of_that_of_the_policy() {
    static OF_POLICY: Budget = Budget::new().capacity(500);
    let one_retry = Arc::new(Budget::new().capacity(5).timeout_cost(5).success_gain(0));
    let retry = RequestRetry::new(POLICY.budget(|| &OF_POLICY)).budget(one_retry.clone());
    let server = Server::statuses([503]).await;
    client().get(&server.url).send_with_retry(&retry).await.unwrap();
    assert_eq!((server.requests(), one_retry.tokens(), OF_POLICY.tokens()), (2, 0, 500));
    let with_middleware = ClientBuilder::new(client()).with(retry.clone()).build();
    with_middleware.get(&server.url).send().await.unwrap();
    with_middleware.send_first_of(&retry, [with_middleware.get(&server.url)]).await.unwrap();
    assert_eq!((server.requests(), one_retry.refusals()), (4, 3));
    let unlimited = RequestRetry::new(POLICY).budget(Arc::new(Budget::new().capacity(500)));
    client().get(&server.url).send_with_retry(&unlimited).await.unwrap();
    assert_eq!(server.requests(), 7);
}

#[tokio::test(start_paused = true)]
async fn successes_give_tokens_back() {
    let budget = Arc::new(Budget::new().capacity(500));
    let retry = RequestRetry::new(POLICY).budget(budget.clone());
    let server = Server::statuses([503, 503, 503, 503, 200]).await;
    client().get(&server.url).send_with_retry(&retry).await.unwrap();
    assert_eq!(budget.tokens(), 490);
    client().get(&server.url).send_with_retry(&retry).await.unwrap();
    assert_eq!(budget.tokens(), 490);
    client().get(&server.url).send_with_retry(&retry).await.unwrap();
    assert_eq!(budget.tokens(), 491);
}

/// Owned, in an `Arc`, and in a `static`, as the attribute takes them.
#[tokio::test(start_paused = true)]
async fn a_budget_and_a_breaker_may_be_in_a_static() {
    static BUDGET: Budget = Budget::new().capacity(500);
    static BREAKER: Breaker = Breaker::new().name("static").minimum_attempts(1);
    let settings = [
        RequestRetry::new(POLICY).budget(&BUDGET).breaker(&BREAKER),
        RequestRetry::new(POLICY).budget(Arc::new(Budget::new())).breaker(Arc::new(quick())),
    ];
    for retry in &settings {
        let server = Server::statuses([503]).await;
        let error = client().get(&server.url).send_with_retry(retry).await.unwrap_err();
        assert!(rejection(&error).is_some());
    }
    assert_eq!((BUDGET.tokens(), BREAKER.state()), (495, BreakerState::Open));
}

#[tokio::test(start_paused = true)]
async fn a_rejected_attempt_is_not_sent_and_its_error_names_the_breaker_and_the_url() {
    let breaker = Arc::new(quick());
    let retry = RequestRetry::new(POLICY).breaker(breaker.clone());
    let server = Server::statuses([503]).await;
    // The breaker opens with the first failure, and without a deadline, a rejected attempt is not retried.
    let error = client().get(&server.url).send_with_retry(&retry).await.unwrap_err();
    assert_eq!((rejection(&error).unwrap().name(), server.requests()), ("quick", 1));
    assert_eq!((error.url().unwrap().as_str(), breaker.state()), (server.url.as_str(), BreakerState::Open));
    let with_middleware = ClientBuilder::new(client()).with(retry.clone()).build();
    let reqwest_middleware::Error::Reqwest(error) = with_middleware.get(&server.url).send().await.unwrap_err() else {
        panic!("an error of another middleware");
    };
    assert!(rejection(&error).is_some());
    let error = client().send_first_of(&retry, [client().get(&server.url)]).await.unwrap_err();
    assert!(rejection(&error).is_some());
    assert_eq!(server.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn with_a_deadline_a_rejected_attempt_waits_for_the_breaker_also_a_post() {
    let breaker = Arc::new(quick());
    let retry = RequestRetry::new(POLICY.deadline(SECOND * 60)).breaker(breaker.clone());
    let server = Server::statuses([503, 200]).await;
    client()
        .get(&server.url)
        .send_with_retry(&RequestRetry::new(POLICY.attempts(1)).breaker(breaker.clone()))
        .await
        .unwrap();
    let request = client().post(&server.url).body("order").send_with_retry(&retry);
    let (outcome, took) = timed(request).await;
    assert_eq!((outcome.unwrap().status().as_u16(), took), (200, SECOND * 10));
    assert_eq!(breaker.state(), BreakerState::Closed);
}

/// Sends one request whose reply is this one. Returns the state of the breaker, which opens with one failure.
async fn state_after(reply: Reply, retry: impl FnOnce(RequestRetry) -> RequestRetry) -> BreakerState {
    let breaker = Arc::new(quick());
    let retry = retry(RequestRetry::new(POLICY.attempts(1)).breaker(breaker.clone()));
    let server = Server::start([reply]).await;
    let _ = client().get(&server.url).send_with_retry(&retry).await;
    breaker.state()
}

#[tokio::test(start_paused = true)]
async fn a_breaker_counts_what_may_be_the_fault_of_the_service() {
    for (status, state) in [(200, BreakerState::Closed), (404, BreakerState::Closed), (503, BreakerState::Open)] {
        assert_eq!(state_after(Reply::status(status), |retry| retry).await, state, "{status}");
    }
    assert_eq!(state_after(Reply::nothing(), |retry| retry).await, BreakerState::Open);
    // The service works, whatever the caller retries.
    assert_eq!(state_after(Reply::status(200), |retry| retry.on_ok(|_| true)).await, BreakerState::Closed);
    let never = Condition::new().on_status(&[]).on_error(OnError::Never);
    assert_eq!(state_after(Reply::status(503), |retry| retry.condition(never)).await, BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_is_cut_off_counts_and_a_dropped_one_does_not() {
    let breaker = Arc::new(quick());
    let server = Server::start([Reply::silence()]).await;
    let patient = RequestRetry::new(POLICY.attempts(1)).breaker(breaker.clone());
    tokio::time::timeout(SECOND, client().get(&server.url).send_with_retry(&patient)).await.unwrap_err();
    assert_eq!(breaker.state(), BreakerState::Closed);
    let limited = RequestRetry::new(POLICY.attempts(1).attempt_timeout(SECOND)).breaker(breaker.clone());
    client().get(&server.url).send_with_retry(&limited).await.unwrap_err();
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_probe_makes_room_for_the_next_one() {
    let breaker = Arc::new(quick());
    let server = Server::start([Reply::status(503), Reply::silence(), Reply::status(200)]).await;
    let retry = RequestRetry::new(POLICY.attempts(1)).breaker(breaker.clone());
    client().get(&server.url).send_with_retry(&retry).await.unwrap();
    sleep(SECOND * 10).await;
    tokio::time::timeout(SECOND, client().get(&server.url).send_with_retry(&retry)).await.unwrap_err();
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    assert_eq!(client().get(&server.url).send_with_retry(&retry).await.unwrap().status(), 200);
    assert_eq!(breaker.state(), BreakerState::Closed);
}

mod per_host {
    use super::*;

    fn standard() -> PerHost {
        PerHost::new().budget(|| Budget::new().capacity(500)).breaker(quick)
    }

    #[tokio::test(start_paused = true)]
    async fn each_host_has_its_own_budget_and_breaker() {
        let hosts = standard();
        let retry = RequestRetry::new(POLICY).per_host(hosts.clone());
        let (down, up) = (Server::statuses([503]).await, Server::statuses([503, 200]).await);
        client().get(&down.url).send_with_retry(&retry).await.unwrap_err();
        assert_eq!(hosts.breaker_of(&url(&down)).unwrap().state(), BreakerState::Open);
        assert_eq!(hosts.budget_of(&url(&down)).unwrap().tokens(), 495);
        // The other host is not affected.
        let only_budget = PerHost::new().budget(|| Budget::new().capacity(500));
        let retry = RequestRetry::new(POLICY).per_host(only_budget.clone());
        assert_eq!(client().get(&up.url).send_with_retry(&retry).await.unwrap().status(), 200);
        assert!(only_budget.breaker_of(&url(&up)).is_none() && hosts.breaker_of(&url(&up)).is_none());
        assert_eq!((only_budget.budget_of(&url(&up)).unwrap().tokens(), hosts.hosts()), (500, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn hosts_work_in_the_middleware_and_in_send_first_of() {
        let hosts = standard();
        let retry = RequestRetry::new(POLICY).per_host(hosts.clone());
        let (down, up) = (Server::statuses([503]).await, Server::statuses([200]).await);
        let with_middleware = ClientBuilder::new(client()).with(retry.clone()).build();
        with_middleware.get(&down.url).send().await.unwrap_err();
        assert_eq!((down.requests(), hosts.hosts()), (1, 1));
        assert_eq!(with_middleware.get(&up.url).send().await.unwrap().status(), 200);
        let error = client().send_first_of(&retry, [client().get(&down.url)]).await.unwrap_err();
        assert_eq!((rejection(&error).is_some(), down.requests()), (true, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_rejection_by_one_host_does_not_delay_a_request_to_another() {
        let hosts = standard();
        let (down, up) = (Server::statuses([503]).await, Server::statuses([200]).await);
        let retry = RequestRetry::new(POLICY.attempts(4)).per_host(hosts.clone());
        client().get(&down.url).send_with_retry(&retry).await.unwrap_err();
        for policy in [POLICY, POLICY.deadline(SECOND * 60)] {
            let retry = RequestRetry::new(policy).per_host(hosts.clone());
            let mirrors = [&down, &up].map(|server| client().post(&server.url).body("order"));
            let (outcome, took) = timed(client().send_first_of(&retry, mirrors)).await;
            assert_eq!((outcome.unwrap().status().as_u16(), took), (200, SECOND));
        }
        assert_eq!((down.requests(), up.requests()), (1, 2));
        // The predicate of the user decides about this error as about others.
        let never = retry.on_error(|_| false);
        let mirrors = [&down, &up].map(|server| client().get(&server.url));
        client().send_first_of(&never, mirrors).await.unwrap_err();
        assert_eq!((down.requests(), up.requests()), (1, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_retry_at_another_host_is_paid_for_by_the_host_that_failed() {
        let hosts = PerHost::new().budget(|| Budget::new().capacity(500));
        let retry = RequestRetry::new(POLICY.attempts(4)).per_host(hosts.clone());
        let (one, two) = (Server::statuses([503]).await, Server::statuses([503, 200]).await);
        let tokens = |server| hosts.budget_of(&url(server)).unwrap().tokens();
        client().send_first_of(&retry, [&one, &two].map(|server| client().get(&server.url))).await.unwrap();
        // `one` has paid for the first retry, which failed. `two` has paid for the second, which succeeded.
        assert_eq!((tokens(&one), tokens(&two)), (495, 500));
        let server = Server::statuses([503, 200]).await;
        let retry = RequestRetry::new(POLICY).per_host(hosts.clone()).before_attempt({
            let other = url(&one);
            move |outgoing| {
                if outgoing.attempt().number() == 1 {
                    *outgoing.request_mut().url_mut() = other.clone();
                }
            }
        });
        client().get(&server.url).send_with_retry(&retry).await.unwrap();
        // Its last retry failed too, and went to `server`, which has paid for the one that succeeded.
        assert_eq!((tokens(&one), tokens(&server)), (490, 500));
    }

    #[tokio::test(start_paused = true)]
    async fn a_retry_that_is_dropped_is_paid_back_by_the_host() {
        let hosts = PerHost::new().budget(|| Budget::new().capacity(500));
        let retry = RequestRetry::new(POLICY).per_host(hosts.clone());
        let server = Server::statuses([503]).await;
        let call = client().get(&server.url).send_with_retry(&retry);
        tokio::time::timeout(SECOND / 2, call).await.unwrap_err();
        assert_eq!(hosts.budget_of(&url(&server)).unwrap().tokens(), 500);
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_is_a_scheme_a_name_and_a_port() {
        let hosts = PerHost::new().budget(Budget::new);
        let retry = RequestRetry::new(POLICY.attempts(1)).per_host(hosts.clone());
        let nowhere = Client::builder().no_proxy().dns_resolver(Arc::new(Nowhere)).build().unwrap();
        for (url, count) in [
            ("http://one.example/a", 1),
            ("http://ONE.example:80/b?c#d", 1),
            ("http://user:secret@one.example", 1),
            ("https://one.example", 2),
            ("http://one.example:443", 3),
            ("http://two.example", 4),
        ] {
            nowhere.get(url).send_with_retry(&retry).await.unwrap_err();
            assert_eq!(hosts.hosts(), count, "{url}");
        }
    }

    /// A client for which each name is a host that does not exist.
    async fn ask(hosts: &PerHost, names: impl IntoIterator<Item = String>) {
        let retry = RequestRetry::new(POLICY.attempts(1)).per_host(hosts.clone());
        let nowhere = Client::builder().no_proxy().dns_resolver(Arc::new(Nowhere)).build().unwrap();
        for name in names {
            nowhere.get(format!("http://{name}/")).send_with_retry(&retry).await.unwrap_err();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_number_of_hosts_is_bounded() {
        for (hosts, limit) in [(PerHost::new(), 1000), (PerHost::new().limit(3), 3), (PerHost::new().limit(1), 1)] {
            let hosts = hosts.budget(Budget::new);
            ask(&hosts, (0..1100).map(|number| format!("host-{number}.example"))).await;
            assert_eq!(hosts.hosts(), limit);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn long_names_take_no_memory() {
        let hosts = PerHost::new().budget(Budget::new);
        let name = "a.".repeat(10_000);
        ask(&hosts, [format!("{name}one"), format!("{name}two"), format!("{name}one")]).await;
        assert_eq!(hosts.hosts(), 2);
        // Redirects to other hosts are followed inside the attempt, and do not count as hosts.
        let server = Server::start([Reply::status(302).header("location", "http://127.0.0.2:1/")]).await;
        let retry = RequestRetry::new(POLICY.attempts(1)).per_host(hosts.clone());
        client().get(&server.url).send_with_retry(&retry).await.unwrap_err();
        assert_eq!((hosts.hosts(), hosts.budget_of(&url(&server)).is_some()), (3, true));
    }

    #[tokio::test(start_paused = true)]
    async fn the_least_recently_used_host_makes_room_but_not_one_that_is_down() {
        let hosts = standard().limit(3);
        let (down, up) = (Server::statuses([503]).await, Server::statuses([200]).await);
        let retry = RequestRetry::new(POLICY.attempts(1)).per_host(hosts.clone());
        client().get(&down.url).send_with_retry(&retry).await.unwrap();
        client().get(&up.url).send_with_retry(&retry).await.unwrap();
        let is_kept = |server| hosts.breaker_of(&url(server)).is_some();
        // A 404 is not the fault of its host, so the breakers stay closed.
        let others = [Server::statuses([404]).await, Server::statuses([404]).await, Server::statuses([404]).await];
        client().get(&others[0].url).send_with_retry(&retry).await.unwrap();
        client().get(&up.url).send_with_retry(&retry).await.unwrap();
        client().get(&others[1].url).send_with_retry(&retry).await.unwrap();
        assert_eq!((is_kept(&up), is_kept(&others[0]), is_kept(&down)), (true, false, true));
        for other in &others {
            client().get(&other.url).send_with_retry(&retry).await.unwrap();
        }
        assert_eq!((is_kept(&up), is_kept(&down), hosts.hosts()), (false, true, 3));
        // All breakers are open: now the oldest of them goes.
        ask(&hosts, ["one.example", "two.example", "three.example"].map(str::to_owned)).await;
        assert_eq!((is_kept(&down), hosts.hosts()), (false, 3));
    }

    #[tokio::test(start_paused = true)]
    async fn hosts_take_precedence_over_the_shared_ones() {
        let (shared, budget) = (Arc::new(quick()), Arc::new(Budget::new().capacity(500)));
        let base = RequestRetry::new(POLICY).breaker(shared.clone()).budget(budget.clone());
        let server = Server::statuses([503]).await;
        let own_breaker = base.clone().per_host(PerHost::new().breaker(Breaker::new));
        client().get(&server.url).send_with_retry(&own_breaker).await.unwrap();
        assert_eq!((shared.state(), budget.tokens(), server.requests()), (BreakerState::Closed, 490, 3));
        let own_budget = base.per_host(PerHost::new().budget(|| Budget::new().capacity(500)));
        client().get(&server.url).send_with_retry(&own_budget).await.unwrap_err();
        assert_eq!((shared.state(), budget.tokens(), server.requests()), (BreakerState::Open, 490, 4));
    }

    #[tokio::test(start_paused = true)]
    async fn a_function_that_panics_leaves_the_hosts_usable() {
        let calls = Arc::new(AtomicU32::new(0));
        let count = calls.clone();
        let hosts = PerHost::new().budget(move || match count.fetch_add(1, Ordering::Relaxed) {
            0 => panic!("no budget"),
            _ => Budget::new(),
        });
        let retry = RequestRetry::new(POLICY).per_host(hosts.clone());
        let server = Server::statuses([200]).await;
        let (request, of_task) = (client().get(&server.url), retry.clone());
        assert!(tokio::spawn(async move { request.send_with_retry(&of_task).await }).await.unwrap_err().is_panic());
        client().get(&server.url).send_with_retry(&retry).await.unwrap();
        client().get(&server.url).send_with_retry(&retry).await.unwrap();
        assert_eq!((calls.load(Ordering::Relaxed), hosts.hosts(), server.requests()), (2, 1, 2));
    }

    #[test]
    fn hosts_with_neither_a_budget_nor_a_breaker_are_an_error() {
        let panic = std::panic::catch_unwind(|| RequestRetry::new(POLICY).per_host(PerHost::new())).unwrap_err();
        assert!(panic.downcast_ref::<&str>().unwrap().contains("give it `.budget(Budget::new)`"));
        assert!(std::panic::catch_unwind(|| PerHost::new().limit(0)).is_err());
    }

    #[test]
    fn many_threads_share_the_hosts() {
        let hosts = standard().limit(4);
        let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        std::thread::scope(|scope| {
            for thread in 0..4_u32 {
                let hosts = &hosts;
                let names = (0..100).map(move |number| format!("host-{}.example", (number + thread) % 10));
                scope.spawn(move || runtime().block_on(ask(hosts, names)));
            }
        });
        assert_eq!(hosts.hosts(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn events_name_the_breaker_that_rejects() {
        let recorder = Recorder::new();
        let retry = RequestRetry::new(POLICY).per_host(standard()).observer(recorder.clone());
        let server = Server::statuses([503]).await;
        client().get(&server.url).send_with_retry(&retry).await.unwrap_err();
        let lines = recorder.lines().join("\n");
        assert!(lines.contains("the breaker `quick` is open") && lines.ends_with("2/3 GaveUp(Permanent)"), "{lines}");
    }
}
