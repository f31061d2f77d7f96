//! Rust's own allocator is jemalloc, through the crate `tikv-jemallocator`: threads that hand memory to
//! each other, at every alignment, counted by jemalloc itself.

use std::ffi::{CStr, c_char};
use std::ptr::null_mut;

use tikv_jemalloc_sys as jemalloc;

#[path = "../../allocating.rs"]
mod allocating;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// What jemalloc answers to a question.
fn told<T: Copy>(name: &CStr, mut answer: T) -> Result<T, i32> {
    let mut size = size_of::<T>();
    // SAFETY: there is room for an answer of that size, which is compared.
    let error = unsafe {
        let to = (&raw mut answer).cast();
        jemalloc::mallctl(name.as_ptr(), to, &mut size, null_mut(), 0)
    };
    if error == 0 { Ok(answer) } else { Err(error) }
}

fn main() {
    let version = told::<*const c_char>(c"version", null_mut()).unwrap();
    // SAFETY: a constant text.
    let version = unsafe { CStr::from_ptr(version) }.to_str().unwrap();
    let wanted = format!("{}-", std::env::var("MUSLIN_VERSION").unwrap());
    assert!(version.starts_with(&wanted), "{version}");
    assert_eq!(told(c"opt.background_thread", true), Ok(false));
    assert_eq!(told(c"config.stats", true), Ok(false), "as the crate has it without a feature");
    assert_eq!(told(c"no.such.thing", 0u32), Err(2));

    // SAFETY: the text's memory is the allocator's.
    unsafe {
        let text = String::from("the allocator's own");
        let usable = jemalloc::malloc_usable_size(text.as_ptr().cast_mut().cast());
        assert!(usable >= text.len() && usable <= 32, "{usable}");
        assert_eq!(jemalloc::nallocx(33, 0), 48, "the next larger of its sizes");
    }
    allocating::at_every_alignment();
    allocating::between_threads();
    assert!(told(c"arenas.narenas", 0u32).unwrap() >= 1);
}
