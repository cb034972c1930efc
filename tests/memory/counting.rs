//! An allocator that counts what is asked for and what is held.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static TOTAL: AtomicUsize = AtomicUsize::new(0);
static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
/// The same where memory that grows is held once, as if it always grew in its place.
static PEAK_IN_PLACE: AtomicUsize = AtomicUsize::new(0);

fn more(bytes: usize) {
    TOTAL.fetch_add(bytes, SeqCst);
    PEAK.fetch_max(HELD.fetch_add(bytes, SeqCst) + bytes, SeqCst);
}

fn see_in_place() {
    PEAK_IN_PLACE.fetch_max(HELD.load(SeqCst), SeqCst);
}

// SAFETY: all is left to the system's allocator; only numbers are kept beside.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        more(layout.size());
        see_in_place();
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        more(layout.size());
        see_in_place();
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), SeqCst);
        unsafe { System.dealloc(pointer, layout) }
    }

    /// The old and the new memory are both held until one is copied to the other.
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        more(size);
        HELD.fetch_sub(layout.size(), SeqCst);
        see_in_place();
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// Held by a test for as long as it counts, so that no other test allocates meanwhile.
pub fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What `run` gives, and the most bytes that were allocated beyond those held before.
pub fn peak_of<T>(run: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.load(SeqCst);
    PEAK.store(before, SeqCst);
    let result = run();
    (result, PEAK.load(SeqCst) - before)
}

/// The bytes asked for in all by `work`, and the most held at once, memory that grows held once.
pub fn bytes_of<T>(work: impl FnOnce() -> T) -> (usize, usize) {
    let (total, held) = (TOTAL.load(SeqCst), HELD.load(SeqCst));
    PEAK_IN_PLACE.store(held, SeqCst);
    drop(work());
    (TOTAL.load(SeqCst) - total, PEAK_IN_PLACE.load(SeqCst) - held)
}
