//! Rust's own allocator is mimalloc, through the crate `mimalloc`: threads that hand memory to each
//! other, at every alignment.

use std::ffi::{c_int, c_void};

#[path = "../../allocating.rs"]
mod allocating;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

unsafe extern "C" {
    fn mi_version() -> c_int;
    fn mi_is_in_heap_region(memory: *const c_void) -> bool;
}

fn main() {
    // SAFETY: it only returns a number.
    let number = unsafe { mi_version() };
    let version = format!("{}.{}.{}", number / 10_000, number / 100 % 100, number % 100);
    assert_eq!(version, std::env::var("MUSLIN_VERSION").unwrap());

    let text = String::from("the allocator's own");
    let local = 0;
    // SAFETY: it only compares addresses.
    unsafe {
        assert!(mi_is_in_heap_region(text.as_ptr().cast()));
        assert!(!mi_is_in_heap_region((&raw const local).cast()), "the stack is not the heap");
    }
    allocating::at_every_alignment();
    allocating::between_threads();
}
