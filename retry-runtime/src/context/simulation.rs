//! The current simulation, whose future is being polled: a test that runs calls without their delays.

use core::mem::ManuallyDrop;
use core::time::Duration;
use std::sync::Arc;

use crate::context::thread::{CONTEXT, Context, Field, Scope};
use crate::context::values::Simulated;

pub(crate) fn current() -> Option<Arc<dyn Simulated>> {
    CONTEXT.with(|context| (**context.simulation.borrow()).clone())
}

#[inline(always)]
pub(crate) fn is_on() -> bool {
    CONTEXT.with(|context| context.simulation.borrow().is_some())
}

/// The simulation's limit on the attempts of a call, if it has one.
pub(crate) fn max_attempts() -> Option<u32> {
    current().and_then(|simulation| simulation.max_attempts())
}

/// The random source to use instead of the policy's, in a simulation.
pub(crate) fn random_source() -> Option<fn() -> f64> {
    is_on().then_some(|| current().map_or(0.0, |simulation| simulation.random()))
}

pub(crate) fn skips_delays() -> bool {
    current().is_some_and(|simulation| simulation.skips_delays())
}

/// The delay to sleep instead of this one: zero in a simulation that skips delays.
pub(crate) fn shortened(delay: Duration) -> Duration {
    if skips_delays() { Duration::ZERO } else { delay }
}

/// A guard that makes a simulation the current one until it is dropped.
pub(crate) struct SimulationScope(#[allow(dead_code, reason = "restores on drop")] Scope<SimulationField>);

impl SimulationScope {
    pub(crate) fn new(simulation: Arc<dyn Simulated>) -> Self {
        Self(Scope::new(Some(simulation)))
    }
}

struct SimulationField;

impl Field for SimulationField {
    type Value = Option<Arc<dyn Simulated>>;

    fn replace(context: &Context, value: Self::Value) -> Self::Value {
        ManuallyDrop::into_inner(context.simulation.replace(ManuallyDrop::new(value)))
    }
}
