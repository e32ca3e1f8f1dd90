//! The fleets, and what happens to their Redis servers and processes.

use std::io::Write as _;
use std::net::TcpListener;
use std::ops::Range;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use redis::Client;

use crate::counts::{Clock, Totals};
use crate::member::Arguments;
use crate::redis_server::{RedisServer, directory, signal};
use crate::{END, KEY};

/// The processes that are suspended or killed.
pub(crate) const TROUBLED: Range<usize> = 0..10;
const MOST_MEMBERS: usize = 60;

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    /// The standard budget in each process.
    Standard,
    /// A local budget with its own capacity.
    Fixed,
    Leased,
    /// A leased budget, and no server at its address.
    LeasedWithoutRedis,
}

impl Kind {
    pub(crate) fn is_local(self) -> bool {
        matches!(self, Self::Standard | Self::Fixed)
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Action {
    KillRedis,
    StartRedis,
    SuspendRedis,
    ResumeRedis,
    /// Deletes all keys.
    FlushAll,
    /// Fills the memory with other keys until the end, so that Redis evicts some.
    FillMemory,
    SuspendMembers,
    ResumeMembers,
    KillMembers,
    /// Starts as many processes as have been killed.
    ReplaceMembers,
}

pub(crate) struct Fleet {
    pub(crate) name: &'static str,
    pub(crate) members: usize,
    pub(crate) kind: Kind,
    /// The share of attempts that fail before the outage. Without failures, no process holds a lease when it begins.
    pub(crate) percent: u32,
    /// The actions, each with its second.
    pub(crate) actions: &'static [(f64, Action)],
}

const LEASED: Fleet = Fleet { name: "leased", members: 50, kind: Kind::Leased, percent: 0, actions: &[] };

pub(crate) const FLEETS: &[Fleet] = &[
    Fleet { name: "one process, standard budget", members: 1, kind: Kind::Standard, ..LEASED },
    Fleet { name: "standard budgets", kind: Kind::Standard, ..LEASED },
    Fleet { name: "local budgets of 500 tokens", kind: Kind::Fixed, ..LEASED },
    LEASED,
    Fleet {
        name: "leased, Redis killed and restarted",
        actions: &[(6.0, Action::KillRedis), (7.0, Action::StartRedis)],
        ..LEASED
    },
    Fleet {
        name: "leased, Redis suspended for 3 s",
        actions: &[(2.8, Action::SuspendRedis), (5.8, Action::ResumeRedis)],
        ..LEASED
    },
    Fleet { name: "leased, no Redis", kind: Kind::LeasedWithoutRedis, ..LEASED },
    Fleet { name: "leased, FLUSHALL twice", actions: &[(6.0, Action::FlushAll), (9.0, Action::FlushAll)], ..LEASED },
    Fleet { name: "leased, keys evicted", actions: &[(2.5, Action::FillMemory)], ..LEASED },
    Fleet { name: "leased, 10 % failed before", percent: 10, ..LEASED },
    Fleet {
        name: "leased, 10 processes suspended",
        percent: 20,
        actions: &[(2.9, Action::SuspendMembers), (13.5, Action::ResumeMembers)],
        ..LEASED
    },
    Fleet {
        name: "leased, 10 processes killed",
        percent: 20,
        actions: &[(2.9, Action::KillMembers), (4.0, Action::ReplaceMembers)],
        ..LEASED
    },
];

/// The counts of a fleet after its end.
pub(crate) struct Outcome {
    pub(crate) fleet: &'static Fleet,
    pub(crate) totals: Totals,
    /// How often the pool was created.
    pub(crate) lives: u64,
    /// The tokens of the pool at the end.
    pub(crate) pool: Option<u64>,
}

impl Fleet {
    pub(crate) fn does(&self, action: Action) -> bool {
        self.actions.iter().any(|(_, other)| *other == action)
    }

    pub(crate) fn run(&'static self, root: &Path, start: &Barrier) -> Outcome {
        let directory = directory(root, self.name);
        std::fs::create_dir_all(&directory).unwrap();
        let counts = directory.join("counts");
        Totals::create(&counts, MOST_MEMBERS);
        let redis = (self.kind == Kind::Leased).then(|| RedisServer::start(directory.clone()));
        let budget = match &redis {
            Some(redis) => redis.address(),
            None if self.kind == Kind::Standard => "standard".to_owned(),
            None if self.kind == Kind::Fixed => "fixed".to_owned(),
            // A port without a server.
            None => format!("redis://{}/", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()),
        };
        let spare = if self.does(Action::ReplaceMembers) { TROUBLED.len() } else { 0 };
        let member = |member| {
            let counts = counts.to_str().unwrap().to_owned();
            // A process alone makes the calls of 50.
            let calls_per_second = 1000.0 / self.members as f64;
            spawn(&Arguments { counts, member, percent: self.percent, calls_per_second, budget: budget.clone() })
        };
        let members = (0..self.members + spare).map(member).collect();
        start.wait();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let mut run = Run { start: now.as_millis() as u64 + 1000, redis, members, lives: 1 };
        run.begin(0..self.members);
        run.take_actions(self);
        let pool = run.end();
        Outcome { fleet: self, totals: Totals::read(&counts), lives: run.lives, pool }
    }
}

fn spawn(arguments: &Arguments) -> Child {
    let program = std::env::current_exe().unwrap();
    Command::new(program).args(arguments.to_vec()).stdin(Stdio::piped()).spawn().unwrap()
}

/// A fleet that runs.
struct Run {
    /// The milliseconds since 1970 at which it starts.
    start: u64,
    redis: Option<RedisServer>,
    members: Vec<Child>,
    lives: u64,
}

impl Run {
    /// Lets processes begin.
    fn begin(&mut self, members: Range<usize>) {
        for member in &mut self.members[members] {
            writeln!(member.stdin.take().unwrap(), "{}", self.start).unwrap();
        }
    }

    fn take_actions(&mut self, fleet: &Fleet) {
        let clock = Clock::of(self.start);
        thread::scope(|scope| {
            let mut evictions = None;
            for &(second, action) in fleet.actions {
                clock.sleep_until(second);
                if action == Action::FillMemory {
                    let client = self.redis().client();
                    evictions = Some(scope.spawn(move || fill_memory(&client, clock)));
                } else {
                    self.take_action(action, fleet);
                }
            }
            clock.sleep_until(END as f64);
            self.lives += evictions.map_or(0, |evictions| evictions.join().unwrap());
        });
    }

    fn redis(&mut self) -> &mut RedisServer {
        self.redis.as_mut().unwrap()
    }

    fn take_action(&mut self, action: Action, fleet: &Fleet) {
        match action {
            Action::KillRedis => self.redis().kill(),
            Action::StartRedis => {
                assert!(self.redis().restart(), "Redis does not start again");
                self.lives += 1;
            }
            Action::SuspendRedis => self.redis().signal("STOP"),
            Action::ResumeRedis => self.redis().signal("CONT"),
            Action::FlushAll => {
                redis::cmd("FLUSHALL").exec(&mut self.redis().connection()).unwrap();
                self.lives += 1;
            }
            Action::SuspendMembers => self.signal_members("STOP"),
            Action::ResumeMembers => self.signal_members("CONT"),
            Action::KillMembers => self.signal_members("KILL"),
            Action::ReplaceMembers => self.begin(fleet.members..fleet.members + TROUBLED.len()),
            Action::FillMemory => unreachable!(),
        }
    }

    fn signal_members(&self, name: &str) {
        self.members[TROUBLED].iter().for_each(|member| signal(name, member));
    }

    /// Waits for all processes, which return their leases. Returns the tokens in the pool.
    fn end(&mut self) -> Option<u64> {
        for member in &mut self.members {
            let status = member.wait().unwrap();
            // Without a code if it was killed.
            assert!(status.success() || status.code().is_none(), "a process of the fleet failed: {status}");
        }
        let redis = self.redis.as_ref()?;
        redis::cmd("GET").arg(KEY).query(&mut redis.connection()).unwrap()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        for member in &mut self.members {
            let _ = member.kill();
            let _ = member.wait();
        }
    }
}

/// Writes other keys until the end. Returns the number of times that the pool was evicted.
fn fill_memory(client: &Client, clock: Clock) -> u64 {
    let mut writer = client.get_connection().unwrap();
    let info: String = redis::cmd("INFO").arg("memory").query(&mut writer).unwrap();
    let used = info.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap();
    let limit = used.parse::<u64>().unwrap() + 4_000_000;
    let settings = ["maxmemory-policy", "allkeys-lru", "maxmemory", &limit.to_string(), "notify-keyspace-events", "Ee"];
    redis::cmd("CONFIG").arg("SET").arg(&settings).exec(&mut writer).unwrap();

    let mut reader = client.get_connection().unwrap();
    let mut events = reader.as_pubsub();
    events.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
    events.subscribe("__keyevent@0__:evicted").unwrap();
    let mut evictions = 0;
    let mut other = 0;
    while clock.seconds() < END as f64 {
        // As many at a time as the memory holds several times. Redis rounds the time of the last use to seconds, so the pool counts as
        // old as they are. Slower writes evict only each other.
        for _ in 0..500 {
            other += 1;
            // An error is an answer too: there may be nothing left to evict.
            let _ = redis::cmd("SET").arg(format!("other:{other}")).arg("x".repeat(20_000)).exec(&mut writer);
        }
        while let Ok(event) = events.get_message() {
            evictions += u64::from(event.get_payload::<String>().unwrap() == KEY);
        }
        thread::sleep(Duration::from_secs(2));
    }
    evictions
}
