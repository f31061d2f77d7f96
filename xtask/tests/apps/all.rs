//! An app whose C++ asserts all that is asked of a C++ runtime.

use std::ffi::{CString, c_char, c_int};

unsafe extern "C-unwind" {
    fn globals() -> c_int;
    fn exceptions() -> c_int;
    fn streams() -> c_int;
    fn threads() -> c_int;
    fn files(folder: *const c_char) -> c_int;
    fn words() -> c_int;
    #[cfg(panic = "unwind")]
    fn through(callback: extern "C-unwind" fn()) -> c_int;
    #[cfg(panic = "unwind")]
    fn gone() -> c_int;
    #[cfg(panic = "unwind")]
    fn throws();
    #[cfg(panic = "unwind")]
    fn catches(between: extern "C-unwind" fn()) -> c_int;
}

fn main() {
    unsafe {
        assert_eq!(globals(), 0);
        assert_eq!(exceptions(), 0);
        assert_eq!(streams(), 0);
        assert_eq!(threads(), 0);
        assert_eq!(words(), 0);
        assert_eq!(std::thread::spawn(|| exceptions()).join().unwrap(), 0);
    }
    // An empty root, in which `dist` tries it too, has none.
    let temp = std::env::temp_dir();
    if temp.exists() {
        let folder = temp.join(format!("muslin-cxx-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let place = CString::new(folder.to_str().unwrap()).unwrap();
        assert_eq!(unsafe { files(place.as_ptr()) }, 0);
        std::fs::remove_dir_all(&folder).unwrap();
    }
    #[cfg(panic = "unwind")]
    both_ways();
    println!("all is well");
}

/// Panics and exceptions pass frames of the other language: one unwinder knows both.
#[cfg(panic = "unwind")]
fn both_ways() {
    use std::sync::atomic::{AtomicBool, Ordering};

    static DROPPED: AtomicBool = AtomicBool::new(false);
    struct Guard;
    impl Drop for Guard {
        fn drop(&mut self) {
            DROPPED.store(true, Ordering::SeqCst);
        }
    }
    extern "C-unwind" fn panics() {
        panic!("through C++");
    }
    extern "C-unwind" fn between() {
        let _guard = Guard;
        unsafe { throws() };
    }
    let before = unsafe { gone() };
    let caught = std::panic::catch_unwind(|| unsafe { through(panics) });
    assert_eq!(caught.unwrap_err().downcast_ref::<&str>(), Some(&"through C++"));
    assert_eq!(unsafe { gone() }, before + 1, "a destructor of C++ was left out");
    assert_eq!(unsafe { catches(between) }, 0);
    assert!(DROPPED.load(Ordering::SeqCst), "a destructor of Rust was left out");
    assert!(std::panic::catch_unwind(|| panic!("still")).is_err());
}
