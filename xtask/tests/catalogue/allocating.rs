//! What an allocator has to do well, asked of whichever Rust allocates with.

use std::alloc::{Layout, alloc, dealloc, realloc};
use std::sync::mpsc;

/// Memory at every alignment, which keeps its bytes when it grows.
pub fn at_every_alignment() {
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
pub fn between_threads() {
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
