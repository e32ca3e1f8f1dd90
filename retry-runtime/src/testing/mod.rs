#![doc = include_str!("guide.md")]

mod record;
mod script;
#[cfg(feature = "testing-server")]
mod server;
mod simulation;

pub use self::script::Script;
#[cfg(feature = "testing-server")]
pub use self::server::{Reply, Server};
pub use self::simulation::{SimulatedFuture, Simulation, simulate};
