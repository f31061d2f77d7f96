//! Undefined symbols: what each known one means.

use super::origin::Origin;
use super::{Context, between, how_to_get};

/// Why a symbol is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The names that musl 1.2.4 dropped: `open64` and its like.
    LargeFile,
    /// glibc's checked functions: `__memcpy_chk`.
    Fortified,
    /// glibc's C23 variants: `__isoc23_strtol`.
    IsoC23,
    /// `getcontext` and its like.
    Ucontext,
    /// `backtrace` from `<execinfo.h>`.
    Execinfo,
    /// The re-entrant resolver: `res_ninit`.
    Resolver,
    /// Other things that only glibc has.
    GlibcOnly,
    /// The C++ runtime.
    Cxx,
    /// Atomics that the CPU does not have.
    Atomic,
    /// libgcc's knowledge of the CPU.
    CpuModel,
    /// libgcc's unwinder, made for glibc.
    GlibcUnwinder,
    /// Any unwinder.
    Unwinder,
    /// Things that every libc has.
    Libc,
    /// The library of this name has it.
    In(&'static str),
}

/// Crates whose old versions call names that musl dropped, the first version that does not, and
/// where that is written.
const LARGE_FILE_FIXES: &[(&str, &str)] = &[
    // https://github.com/rust-random/getrandom/pull/326
    ("getrandom", "0.2.9"),
    // https://github.com/rust-lang/libc/pull/2935, https://github.com/rust-lang/compiler-team/issues/887
    ("libc", "0.2.146"),
];

/// With `64` behind them: musl 1.2.3 had them, musl 1.2.4 has not
/// (https://github.com/rust-lang/libc/issues/2934); `fcntl64` it never had.
const LARGE_FILE: &str = "aio_cancel aio_error aio_fsync aio_read aio_return aio_suspend aio_write \
    alphasort creat fallocate fgetpos fopen freopen fseeko fsetpos fstat fstatat fstatfs fstatvfs \
    ftello ftruncate ftw getdents getrlimit glob globfree lio_listio lockf lseek lstat mkostemp \
    mkostemps mkstemp mkstemps mmap nftw open openat posix_fadvise posix_fallocate pread preadv \
    prlimit pwrite pwritev readdir readdir_r scandir sendfile setrlimit stat statfs statvfs tmpfile \
    truncate versionsort __fxstat __fxstatat __lxstat __xstat fcntl";

/// In glibc and not in musl.
const GLIBC_ONLY: &str = "argp_parse canonicalize_file_name error error_at_line fts_open fts_read \
    fts_close gnu_get_libc_version mallinfo mallinfo2 malloc_info malloc_trim mallopt obstack_free \
    _obstack_begin _obstack_newchunk rawmemchr __rawmemchr rpmatch strfry \
    register_printf_function __register_atfork __libc_single_threaded";

/// In every musl: if one is missing, no libc was searched.
const LIBC: &str = "__errno_location __libc_start_main __stack_chk_fail abort calloc dlopen dlsym \
    environ free malloc memcpy memset printf pthread_create pthread_mutex_lock strlen __res_init";

/// Names that begin like this are in that library.
const PREFIXES: &[(&str, &str)] = &[
    ("ASN1_", "crypto"),
    ("BIO_", "crypto"),
    ("BN_", "crypto"),
    ("CRYPTO_", "crypto"),
    ("ENGINE_", "crypto"),
    ("ERR_", "crypto"),
    ("EVP_", "crypto"),
    ("OPENSSL_", "crypto"),
    ("PEM_", "crypto"),
    ("RAND_", "crypto"),
    ("X509_", "crypto"),
    ("SSL_", "ssl"),
    ("TLS_", "ssl"),
    ("deflate", "z"),
    ("inflate", "z"),
    ("crc32_", "z"),
    ("zlibVersion", "z"),
    ("gzopen", "z"),
    ("gzread", "z"),
    ("gss_", "gssapi_krb5"),
    ("krb5_", "krb5"),
    ("ldap_", "ldap"),
    ("BZ2_", "bz2"),
    ("lzma_", "lzma"),
    ("ZSTD_", "zstd"),
    ("LZ4_", "lz4"),
    ("Brotli", "brotlicommon"),
    ("sqlite3_", "sqlite3"),
    ("curl_", "curl"),
    ("nghttp2_", "nghttp2"),
    ("libssh2_", "ssh2"),
    ("git_", "git2"),
    ("mysql_", "mysqlclient"),
    ("PQ", "pq"),
    ("pcre2_", "pcre2-8"),
    ("FT_", "freetype"),
    ("FcConfig", "fontconfig"),
    ("FcPattern", "fontconfig"),
    ("xmlParse", "xml2"),
    ("xmlFree", "xml2"),
    ("XML_", "expat"),
];

/// The symbol that a line says is undefined, without a version (`@GLIBC_2.4`).
pub fn undefined_in(line: &str) -> Option<&str> {
    let symbol = between(line, "undefined reference to `", "'")
        .or_else(|| between(line, "undefined reference to '", "'"))
        .or_else(|| between(line, "undefined reference to \"", "\""))
        .or_else(|| Some(line.split_once("undefined symbol: ")?.1.trim()))?;
    let plain = symbol.split('@').next().unwrap_or_default();
    (!plain.is_empty()).then_some(plain)
}

/// What a symbol's name tells.
pub fn cause_of(symbol: &str) -> Option<Cause> {
    let is_in = |list: &str, name: &str| list.split_whitespace().any(|item| item == name);
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| symbol.starts_with(prefix));
    let large = symbol.strip_suffix("64").or_else(|| symbol.strip_suffix("64_r"));
    Some(match symbol {
        _ if symbol == "readdir64_r" || large.is_some_and(|name| is_in(LARGE_FILE, name)) => {
            Cause::LargeFile
        }
        _ if symbol.starts_with("__") && symbol.ends_with("_chk") => Cause::Fortified,
        _ if starts(&["__isoc23_"]) => Cause::IsoC23,
        "getcontext" | "setcontext" | "makecontext" | "swapcontext" => Cause::Ucontext,
        "backtrace" | "backtrace_symbols" | "backtrace_symbols_fd" => Cause::Execinfo,
        _ if starts(&["res_n", "__res_n", "ns_name_", "__ns_"]) => Cause::Resolver,
        "_dl_find_object" => Cause::GlibcUnwinder,
        _ if starts(&["_Unwind_", "__gcc_personality"]) || symbol == "__register_frame" => {
            Cause::Unwinder
        }
        _ if starts(&["__atomic_"]) => Cause::Atomic,
        _ if starts(&["__cpu_model", "__cpu_indicator_init", "__cpu_features2"]) => Cause::CpuModel,
        _ if starts(&[
            "std::",
            "operator new",
            "operator delete",
            "typeinfo for",
            "vtable for",
            "__cxa_",
            "__cxxabiv1::",
            "__gxx_personality",
            "_ZNSt",
            "_ZNKSt",
            "_ZSt",
            "_ZTI",
            "_ZTV",
            "_Znwm",
            "_ZdlPv",
        ]) || symbol == "__dso_handle" =>
        {
            Cause::Cxx
        }
        _ if is_in(GLIBC_ONLY, symbol) => Cause::GlibcOnly,
        _ if is_in(LIBC, symbol) => Cause::Libc,
        _ => {
            let holds = |(prefix, _): &&(&str, &str)| symbol.starts_with(prefix);
            Cause::In(PREFIXES.iter().find(holds)?.1)
        }
    })
}

/// One sentence on undefined symbols with one cause in one place.
pub fn explain(cause: &Cause, origin: &Origin, names: &str, context: &Context) -> String {
    let who = origin.words();
    match cause {
        Cause::LargeFile => large_file(origin, names, context),
        Cause::Fortified => {
            format!(
                "{names}: {who} was compiled with glibc's headers (fortified functions), {}",
                ours(origin, context)
            )
        }
        Cause::IsoC23 => format!(
            "{names}: {who} was compiled with the headers of glibc 2.38 or newer, {}",
            ours(origin, context)
        ),
        Cause::Ucontext if matches!(origin, Origin::Library(file) if file == "libcrypto.a") => {
            format!(
                "{names}: musl has no ucontext, and OpenSSL uses it unless built with `no-async`"
            )
        }
        Cause::Ucontext => format!(
            "{names}: musl has no ucontext, so turn off coroutines in {who}, or link libucontext"
        ),
        Cause::Execinfo => format!(
            "{names}: musl has no <execinfo.h>, so turn off backtraces in {who}, or link libexecinfo"
        ),
        Cause::Resolver => format!(
            "{names}: musl has no re-entrant resolver functions, so {who} must use `res_query` and \
             its like, or the part that needs them must be turned off"
        ),
        Cause::GlibcOnly => {
            format!(
                "{names}: only glibc has it, and {who} was configured for glibc, {}",
                ours(origin, context)
            )
        }
        Cause::Cxx => format!(
            "{names}: {who} is C++ and needs a C++ runtime, which Rust and musl do not have; {}",
            how_to_get("c++", context)
        ),
        Cause::Atomic => format!(
            "{names}: {who} uses atomics that this CPU does by calls into libatomic: link the \
             toolchain's `libatomic.a` after it"
        ),
        Cause::CpuModel => format!(
            "{names}: {who} asks for CPU features through libgcc (`__builtin_cpu_supports`), which \
             Rust's linking leaves out: turn that off, or link the toolchain's `libgcc.a` after it"
        ),
        Cause::GlibcUnwinder => format!(
            "{names}: a `libgcc_eh.a` made for glibc 2.35 or newer is being linked: use Rust's own \
             unwinder, so drop `-lgcc_eh` and `-lgcc_s` from the link arguments"
        ),
        Cause::Unwinder => format!(
            "{names}: no unwinder is linked: leave Rust's self-contained linking on, or build \
             {who} without exceptions (`-fno-exceptions`)"
        ),
        Cause::Libc => format!(
            "{names}: every libc has it, so none was searched after {who}: let Rust link its own \
             musl (no `-nodefaultlibs`, no `link-self-contained=no`)"
        ),
        Cause::In(library) => belongs(library, names, &who, context),
    }
}

fn large_file(origin: &Origin, names: &str, context: &Context) -> String {
    let gone = format!("{names}: musl has no such names (those it had went with 1.2.4)");
    match origin {
        Origin::RustCode(name) => match LARGE_FILE_FIXES.iter().find(|(known, _)| known == name) {
            Some((_, version)) => format!(
                "{gone}, and crate `{name}` calls them before version {version}: run `cargo update -p {name}`"
            ),
            None => format!(
                "{gone}, and crate `{name}` calls them, perhaps through `libc` before 0.2.146: run \
                 `cargo update -p libc -p {name}`"
            ),
        },
        Origin::Std => format!(
            "{gone}, and this Rust is older: the linker took another musl than the one that comes \
             with Rust, so update Rust or let it link its own"
        ),
        _ => format!(
            "{gone}, and {} was compiled with glibc's headers, {}",
            origin.words(),
            ours(origin, context)
        ),
    }
}

/// The end of a sentence on C code that was not made for musl.
fn ours(origin: &Origin, context: &Context) -> String {
    let recipe = origin.name().and_then(|name| context.library(name));
    match (origin, recipe) {
        (_, Some(library)) if !library.is_in_sysroot => format!(
            "not musl's: recipe `{0}` builds it right, so add `libraries.add = [\"{0}\"]` under \
             `[package.metadata.muslin]`",
            library.recipe
        ),
        (Origin::Library(file), Some(library)) => format!(
            "not musl's: it is not the `{file}` of recipe `{}`, so something names the host's \
             folder of libraries (`-L`, LIBRARY_PATH, a build script)",
            library.recipe
        ),
        (Origin::CrateCode(_) | Origin::RustCode(_), _) => format!(
            "not musl's: its build script must use the compiler that CC_{} names",
            context.lower()
        ),
        (Origin::Library(file), None) => format!(
            "not musl's: a library of the host cannot be used, so write a recipe that brings `{file}`"
        ),
        _ => {
            "not musl's: a library of the host cannot be used, so find out who names it".to_owned()
        }
    }
}

fn belongs(library: &str, names: &str, who: &str, context: &Context) -> String {
    match context.library(library) {
        None if library.contains("krb5") => format!(
            "{names}: {who} was built with Kerberos, for which there is no recipe: build it without \
             (for libpq, `--without-gssapi`), as recipes do"
        ),
        Some(known) if known.is_in_sysroot => format!(
            "{names}: `lib{library}.a` should have it and is in the sysroot. Rust's LLD minds no \
             order, so with it recipe `{0}` leaves that out. With another linker it is the order: a \
             static library must come before those that it needs, and {who} needs it without saying \
             so (`Requires.private` in its .pc file, or a direct dependency on the -sys crate)",
            known.recipe
        ),
        _ => format!(
            "{names}: `lib{library}` has it and {who} needs it; {}",
            how_to_get(library, context)
        ),
    }
}
