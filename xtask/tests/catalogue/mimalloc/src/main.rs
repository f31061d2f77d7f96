//! Rust's own allocator is mimalloc, through the crate `mimalloc`: threads that hand memory to each
//! other, at every alignment.

use std::alloc::{Layout, alloc, dealloc, realloc};
use std::ffi::{c_int, c_void};
use std::sync::mpsc;

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
    alignments();
    between_threads();
}

fn alignments() {
    for power in 0..=16 {
        let layout = Layout::from_size_align(100, 1 << power).unwrap();
        // SAFETY: the layout is that of the allocation, and writes stay inside it.
        unsafe {
            let memory = alloc(layout);
            assert!(
                !memory.is_null() && memory.addr().is_multiple_of(layout.align()),
                "{layout:?}"
            );
            memory.write_bytes(power, layout.size());
            let memory = realloc(memory, layout, 100_000);
            assert!(memory.addr().is_multiple_of(layout.align()));
            assert!((0..100).all(|at| memory.add(at).read() == power), "the bytes came along");
            dealloc(memory, Layout::from_size_align(100_000, layout.align()).unwrap());
        }
    }
}

/// What one thread allocates another one frees.
fn between_threads() {
    let (sender, receiver) = mpsc::channel::<Vec<usize>>();
    let total: usize = std::thread::scope(|scope| {
        for thread in 0..4 {
            let sender = sender.clone();
            scope.spawn(move || {
                for length in 0..2000 {
                    sender.send(vec![thread; length]).unwrap();
                }
            });
        }
        drop(sender);
        receiver.into_iter().map(|numbers| numbers.into_iter().sum::<usize>()).sum()
    });
    assert_eq!(total, (1 + 2 + 3) * (0..2000).sum::<usize>());
}
