//! An allocator that counts.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

static CALLS: AtomicUsize = AtomicUsize::new(0);
static ASKED: AtomicUsize = AtomicUsize::new(0);
static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static COUNTING: Counting = Counting;

struct Counting;

// SAFETY: the system's allocator does all the work; counting touches no memory of its.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(block, layout) }
    }
}

fn count(size: usize) {
    CALLS.fetch_add(1, Relaxed);
    ASKED.fetch_add(size, Relaxed);
    PEAK.fetch_max(LIVE.fetch_add(size, Relaxed) + size, Relaxed);
}

/// What `f` asks of the heap.
pub(crate) struct Use {
    pub(crate) allocations: usize,
    pub(crate) bytes: usize,
    /// The most that was live at once, above what was live before.
    pub(crate) peak: usize,
}

pub(crate) fn during(f: impl FnOnce()) -> Use {
    let (calls, asked, live) = (CALLS.load(Relaxed), ASKED.load(Relaxed), LIVE.load(Relaxed));
    PEAK.store(live, Relaxed);
    f();
    Use {
        allocations: CALLS.load(Relaxed) - calls,
        bytes: ASKED.load(Relaxed) - asked,
        peak: PEAK.load(Relaxed) - live,
    }
}
