//! An app whose build scripts bind headers with the published bindgen: for the target all of ISO C and
//! some of the kernel, for this machine a few. Each header that is read must be one below the store.

/// The end of its Cargo.toml.
pub const MANIFEST: &str = r#"
[features]
default = ["host"]
host = ["dep:hosty"]
[dependencies]
libc = "0.2"
[build-dependencies]
bindgen = { version = "0.72", default-features = false, features = ["runtime"] }
hosty = { path = "hosty", optional = true }
"#;

/// Its main file: what was bound has the sizes that Rust's libc crate knows.
pub const MAIN: &str = r##"
#[allow(warnings)]
mod bound {
    include!(concat!(env!("OUT_DIR"), "/bound.rs"));
}
macro_rules! same {
    ($($name:ident)*) => { $(
        let [ours, libc] = [size_of::<bound::$name>(), size_of::<libc::$name>()];
        assert_eq!(ours, libc, stringify!($name));
        assert_eq!(align_of::<bound::$name>(), align_of::<libc::$name>(), stringify!($name));
    )* };
}
fn main() {
    // glibc's `rusage`, `sched_param` and `sysinfo` have other sizes.
    same!(addrinfo msghdr pthread_attr_t pthread_cond_t pthread_mutex_t pthread_rwlock_t rusage
        sched_param sem_t sigaction siginfo_t sockaddr_storage stat sysinfo timespec tm);
    assert_eq!((size_of::<bound::fpos_t>(), size_of::<bound::sched_param>()), (16, 48));
    let vectors = [size_of::<bound::__m128i>(), size_of::<bound::__m256>(), size_of::<bound::__m512d>()];
    assert_eq!(vectors, [16, 32, 64]);
    let mut seen: bound::stat = unsafe { std::mem::zeroed() };
    assert_eq!(unsafe { bound::stat(c"/".as_ptr(), &mut seen) }, 0);
    assert_eq!(seen.st_mode & libc::S_IFMT, libc::S_IFDIR);
}
"##;

/// Its other files.
pub const FILES: [(&str, &str); 5] = [
    (
        "build.rs",
        r##"
mod sentinel;
const HEADERS: &str = "assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal \
    stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string tgmath threads time uchar \
    wchar wctype \
    linux/bpf linux/fs linux/futex linux/if_packet linux/input linux/io_uring linux/limits linux/netlink \
    linux/perf_event linux/seccomp linux/types linux/uinput \
    immintrin x86intrin \
    netdb pthread sched semaphore sys/resource sys/socket sys/stat sys/sysinfo";
fn main() {
    #[cfg(feature = "host")]
    assert_eq!(
        [hosty::bound::MINOR as usize, size_of::<hosty::bound::sched_param>()],
        [17, 4],
        "not the headers of the glibc that is linked with"
    );
    let lines = HEADERS.split_whitespace().map(|it| format!("#include <{it}.h>\n"));
    // glibc has it, and musl has not.
    let other = "#if __has_include(<execinfo.h>)\n#error a header of glibc\n#endif\n".to_owned();
    let text: String = lines.chain([other]).collect();
    sentinel::bind(&text, "generic-musl");
}
"##,
    ),
    (
        "sentinel.rs",
        r##"
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
#[derive(Debug, Default)]
struct Sentinel(Arc<Mutex<Vec<String>>>);
impl bindgen::callbacks::ParseCallbacks for Sentinel {
    fn include_file(&self, name: &str) {
        self.0.lock().unwrap().push(name.to_owned());
    }
}
/// Binds a header, which must see those below the store and no others, and some of one folder.
pub fn bind(header: &str, folder: &str) {
    let out = PathBuf::from(std::env::var("OUT_DIR").unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let bindings = bindgen::Builder::default()
        .header_contents("all.h", header)
        .parse_callbacks(Box::new(Sentinel(seen.clone())))
        .generate()
        .unwrap();
    bindings.write_to_file(out.join("bound.rs")).unwrap();
    let cc = std::env::var("CC_x86_64_unknown_linux_musl").unwrap();
    let entries = Path::new(&cc).ancestors().nth(4).unwrap();
    let seen = seen.lock().unwrap();
    assert!(seen.len() > 5, "{seen:?}");
    let strange: Vec<_> = seen.iter().filter(|it| !Path::new(it).starts_with(entries)).collect();
    assert!(strange.is_empty(), "{strange:?} are not below {}", entries.display());
    assert!(seen.iter().any(|it| it.contains(folder)), "none of {folder} in {seen:?}");
}
"##,
    ),
    (
        "hosty/Cargo.toml",
        r##"
[package]
name = "hosty"
version = "0.1.0"
edition = "2024"
[build-dependencies]
bindgen = { version = "0.72", default-features = false, features = ["runtime"] }
"##,
    ),
    (
        "hosty/src/lib.rs",
        r##"
#![allow(warnings)]
pub mod bound {
    include!(concat!(env!("OUT_DIR"), "/bound.rs"));
}
"##,
    ),
    (
        "hosty/build.rs",
        r##"
#[path = "../sentinel.rs"]
mod sentinel;
const HEADER: &str = "\
#include <features.h>
enum { MINOR = __GLIBC_MINOR__ };
#include <stdio.h>
#include <sched.h>
#include <linux/fs.h>
#include <immintrin.h>
";
fn main() {
    sentinel::bind(HEADER, "generic-glibc");
}
"##,
    ),
];
