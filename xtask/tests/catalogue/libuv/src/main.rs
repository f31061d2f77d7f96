//! Runs an event loop with a timer and work on other threads, of the functions of libuv itself.

use std::cell::RefCell;
use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::sync::atomic::{AtomicU32, Ordering};

/// A structure of libuv, which says how large it is.
type Memory = *mut c_void;

const UV_TIMER: c_int = 13;
const UV_WORK: c_int = 7;

#[link(name = "uv", kind = "static")]
unsafe extern "C" {
    fn uv_version_string() -> *const c_char;
    fn uv_handle_type_name(kind: c_int) -> *const c_char;
    fn uv_handle_size(kind: c_int) -> usize;
    fn uv_req_size(kind: c_int) -> usize;
    fn uv_loop_size() -> usize;
    fn uv_loop_init(uv_loop: Memory) -> c_int;
    fn uv_loop_close(uv_loop: Memory) -> c_int;
    fn uv_run(uv_loop: Memory, mode: c_int) -> c_int;
    fn uv_timer_init(uv_loop: Memory, timer: Memory) -> c_int;
    fn uv_timer_start(timer: Memory, call: extern "C" fn(Memory), after: u64, every: u64) -> c_int;
    fn uv_close(handle: Memory, call: Option<extern "C" fn(Memory)>);
    fn uv_queue_work(
        uv_loop: Memory,
        request: Memory,
        work: extern "C" fn(Memory),
        after: extern "C" fn(Memory, c_int),
    ) -> c_int;
    fn uv_strerror(error: c_int) -> *const c_char;
    fn uv_ip4_addr(address: *const c_char, port: c_int, to: Memory) -> c_int;
    fn uv_available_parallelism() -> c_uint;
}

thread_local! {
    /// What happened on the thread of the loop, in order.
    static HAPPENED: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

static WORK: AtomicU32 = AtomicU32::new(0);

extern "C" fn on_timer(timer: Memory) {
    HAPPENED.with_borrow_mut(|happened| happened.push("timer"));
    if HAPPENED.with_borrow(|happened| happened.iter().filter(|it| **it == "timer").count() == 3) {
        // SAFETY: the timer lives as long as the loop.
        unsafe { uv_close(timer, Some(on_close)) };
    }
}

extern "C" fn on_close(_timer: Memory) {
    HAPPENED.with_borrow_mut(|happened| happened.push("closed"));
}

extern "C" fn work(_request: Memory) {
    WORK.fetch_add(1, Ordering::SeqCst);
}

extern "C" fn after_work(_request: Memory, status: c_int) {
    assert_eq!(status, 0);
    HAPPENED.with_borrow_mut(|happened| happened.push("worked"));
}

/// Memory for a structure, aligned for all of them. It stays until the program ends.
fn memory(size: usize) -> Memory {
    Vec::leak(vec![0u128; size.div_ceil(16)]).as_mut_ptr().cast()
}

fn text(text: *const c_char) -> &'static str {
    // SAFETY: libuv's constant texts.
    unsafe { CStr::from_ptr(text) }.to_str().unwrap()
}

pub fn main() {
    // SAFETY: structures have the sizes that libuv says, and live to the end.
    unsafe {
        assert_eq!(text(uv_version_string()), std::env::var("MUSLIN_VERSION").unwrap());
        assert_eq!(text(uv_handle_type_name(UV_TIMER)), "timer");

        let uv_loop = memory(uv_loop_size());
        assert_eq!(uv_loop_init(uv_loop), 0);
        let timer = memory(uv_handle_size(UV_TIMER));
        assert_eq!(uv_timer_init(uv_loop, timer), 0);
        assert_eq!(uv_timer_start(timer, on_timer, 1, 1), 0);
        for _ in 0..8 {
            let request = memory(uv_req_size(UV_WORK));
            assert_eq!(uv_queue_work(uv_loop, request, work, after_work), 0);
        }
        assert_eq!(uv_run(uv_loop, 0), 0, "until nothing is left to do");
        assert_eq!(uv_loop_close(uv_loop), 0);

        let error = uv_ip4_addr(c"300.0.0.1".as_ptr(), 80, memory(128));
        assert_eq!(text(uv_strerror(error)), "invalid argument");
        assert!(uv_available_parallelism() > 0);
    }
    assert_eq!(WORK.load(Ordering::SeqCst), 8);
    HAPPENED.with_borrow(|happened| {
        let count = |name| happened.iter().filter(|it| **it == name).count();
        assert_eq!((count("timer"), count("closed"), count("worked")), (3, 1, 8), "{happened:?}");
    });
}
