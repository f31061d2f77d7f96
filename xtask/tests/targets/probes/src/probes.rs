//! What is asked of a target: time, files, stacks, byte order, atomics, unwinding; of C and of Rust.

use std::backtrace::Backtrace;
use std::ffi::{CString, c_char, c_int, c_void};
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::panic::{catch_unwind, panic_any};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

unsafe extern "C" {
    fn probe_time(file: *const c_char) -> c_int;
    fn probe_big_file(file: *const c_char) -> c_int;
    fn probe_stack(size_bytes: *mut u64) -> c_int;
    fn probe_order(bytes: *mut u8) -> u64;
    fn probe_atomics() -> c_int;
    #[cfg(feature = "cxx")]
    fn probe_exceptions() -> c_int;
}

unsafe extern "C-unwind" {
    fn probe_call(callback: extern "C-unwind" fn(*mut c_void), argument: *mut c_void);
}

/// 2100-01-01T00:00:00Z.
const LATER: Duration = Duration::from_secs(4_102_444_800);

type Outcome = Result<String, String>;

/// A line for each probe, and whether one is wrong. The argument is a folder that can be written in.
pub fn run() -> ExitCode {
    let folder = std::env::args_os().nth(1).unwrap_or_else(|| ".".into());
    let folder = Path::new(&folder);
    let probes: &[(&str, Outcome)] = &[
        ("time", time(&folder.join("later"))),
        ("big-file", big_file(&folder.join("big"))),
        ("stack", stack()),
        ("order", order()),
        ("atomics", atomics()),
        ("unwinding", unwinding()),
        #[cfg(feature = "cxx")]
        ("exceptions", of_c("C++", unsafe { probe_exceptions() }).map(|()| "caught".to_owned())),
    ];
    for (name, outcome) in probes {
        match outcome {
            Ok(detail) => println!("{name}: ok {detail}"),
            Err(why) => println!("{name}: WRONG {why}"),
        }
    }
    ExitCode::from(u8::from(probes.iter().any(|(_, outcome)| outcome.is_err())))
}

fn of_c(what: &str, step: c_int) -> Result<(), String> {
    if step == 0 { Ok(()) } else { Err(format!("{what}, step {step}")) }
}

fn c_path(path: &Path) -> CString {
    CString::new(path.as_os_str().as_bytes()).unwrap()
}

/// C's time, then Rust's: of a file that C has dated, of one that Rust has, and now.
fn time(file: &Path) -> Outcome {
    let text = |error: std::io::Error| error.to_string();
    of_c("C", unsafe { probe_time(c_path(file).as_ptr()) })?;
    let seen = || fs::metadata(file).and_then(|data| data.modified());
    let modified = seen().map_err(text)?;
    if modified != UNIX_EPOCH + LATER {
        return Err(format!("Rust reads {modified:?}"));
    }
    let still_later = UNIX_EPOCH + LATER + LATER;
    let file = File::options().write(true).open(file).map_err(text)?;
    file.set_modified(still_later).map_err(text)?;
    let modified = seen().map_err(text)?;
    if modified != still_later {
        return Err(format!("Rust wrote {still_later:?} and reads {modified:?}"));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|error| error.to_string())?;
    // The test may have set the clock.
    Ok(format!("{}", now.as_secs()))
}

fn big_file(path: &Path) -> Outcome {
    of_c("C", unsafe { probe_big_file(c_path(path).as_ptr()) })?;
    let place = 6 << 30;
    let written = || -> std::io::Result<(u64, String)> {
        let mut file = File::options().create(true).truncate(true).read(true).write(true).open(path)?;
        file.seek(SeekFrom::Start(place))?;
        file.write_all(b"muslin")?;
        let size = file.metadata()?.len();
        file.seek(SeekFrom::Start(place))?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        fs::remove_file(path)?;
        Ok((size, text))
    };
    match written().map_err(|error| error.to_string())? {
        (size, text) if size == place + 6 && text == "muslin" => Ok(format!("{size} bytes")),
        other => Err(format!("Rust reads {other:?}")),
    }
}

fn stack() -> Outcome {
    let mut size = 0;
    of_c("C", unsafe { probe_stack(&mut size) })?;
    let rust = std::thread::Builder::new().stack_size(3 << 20).spawn(|| deep(500)).unwrap();
    match rust.join() {
        Ok(500) => Ok(format!("{size} bytes")),
        _ => Err("a thread of Rust's".to_owned()),
    }
}

#[inline(never)]
fn deep(frames: u32) -> u32 {
    let frame = std::hint::black_box([1u8; 4096]);
    if frames == 0 { 0 } else { deep(frames - 1) + u32::from(frame[frames as usize % 4096]) }
}

fn order() -> Outcome {
    let mut bytes = [0; 8];
    let read = unsafe { probe_order(bytes.as_mut_ptr()) };
    let number = 0x0102_0304_0506_0708_u64;
    let (name, expected) = match cfg!(target_endian = "big") {
        true => ("big", [1, 2, 3, 4, 5, 6, 7, 8]),
        false => ("little", [8, 7, 6, 5, 4, 3, 2, 1]),
    };
    if bytes != expected || number.to_ne_bytes() != expected {
        return Err(format!("C writes {bytes:?}, Rust {:?}", number.to_ne_bytes()));
    }
    if read != u64::from_ne_bytes([1, 2, 3, 4, 5, 6, 7, 8]) {
        return Err(format!("C reads {read:#x}"));
    }
    Ok(name.to_owned())
}

fn atomics() -> Outcome {
    of_c("C", unsafe { probe_atomics() })?;
    static NARROW: AtomicU32 = AtomicU32::new(0);
    static PLACE: AtomicUsize = AtomicUsize::new(0);
    #[cfg(target_has_atomic = "64")]
    static WIDE: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..20_000 {
                    NARROW.fetch_add(1, Ordering::SeqCst);
                    PLACE.fetch_xor(3, Ordering::SeqCst);
                    #[cfg(target_has_atomic = "64")]
                    WIDE.fetch_add(0x1_0000_0001, Ordering::SeqCst);
                }
            });
        }
    });
    #[cfg(target_has_atomic = "64")]
    if WIDE.load(Ordering::SeqCst) != 80_000 * 0x1_0000_0001 {
        return Err(format!("Rust counts {:#x}", WIDE.load(Ordering::SeqCst)));
    }
    match (NARROW.load(Ordering::SeqCst), PLACE.load(Ordering::SeqCst)) {
        (80_000, 0) => Ok(if cfg!(target_has_atomic = "64") { "64 bits" } else { "32 bits" }.into()),
        other => Err(format!("Rust counts {other:?}")),
    }
}

static DROPPED: AtomicU32 = AtomicU32::new(0);

struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, Ordering::SeqCst);
    }
}

extern "C-unwind" fn panicking(frames: *mut c_void) {
    let _guard = Guard;
    let frames = frames as usize;
    match frames {
        0 => panic_any("muslin"),
        _ => unsafe { probe_call(panicking, (frames - 1) as *mut c_void) },
    }
}

/// A panic that unwinds through frames of C, and a backtrace that names this function.
fn unwinding() -> Outcome {
    std::panic::set_hook(Box::new(|_| {}));
    let caught = catch_unwind(|| unsafe { probe_call(panicking, 4 as *mut c_void) });
    let _ = std::panic::take_hook();
    let payload = caught.expect_err("it panics");
    if payload.downcast_ref::<&str>() != Some(&"muslin") {
        return Err("another panic".to_owned());
    }
    let dropped = DROPPED.load(Ordering::SeqCst);
    if dropped != 5 {
        return Err(format!("{dropped} of 5 values dropped"));
    }
    let trace = Backtrace::force_capture().to_string();
    match trace.contains("unwinding") {
        true => Ok(format!("{} frames", trace.lines().count())),
        false => Err(format!("a backtrace without this function:\n{trace}")),
    }
}
