//! The advice on messages of cargo, rustc, GNU ld and LLD, one case for each.
//!
//! Most outputs were had by making the linker fail, then shortened; paths were replaced.
#![allow(clippy::disallowed_macros, reason = "tests print for themselves")]

use xtask::advice::{Context, KnownLibrary, advice};

/// What happened, what was said, what we say.
type Case = (&'static str, &'static str, &'static [&'static str]);

fn context() -> Context {
    let library = |recipe: &str, links: &str, libs: &[&str], is_in_sysroot| KnownLibrary {
        recipe: recipe.to_owned(),
        links: vec![links.to_owned()],
        libs: libs.iter().map(|&name| name.to_owned()).collect(),
        pkgconfig: vec![recipe.to_owned()],
        is_in_sysroot,
    };
    Context {
        target: "x86_64-unknown-linux-musl".to_owned(),
        libraries: vec![
            library("openssl", "openssl", &["ssl", "crypto"], true),
            library("libcxx", "", &["c++", "stdc++"], false),
            library("libpq", "pq", &["pq"], false),
            library("sqlite", "sqlite3", &["sqlite3"], true),
            library("zlib", "z", &["z"], false),
        ],
    }
}

#[test]
fn each_known_message_has_its_sentence() {
    for (what, output, expected) in CASES {
        let found = advice(output, &context());
        assert_eq!(found, *expected, "{what}");
    }
}

#[test]
fn advice_is_short() {
    for (what, output, _) in CASES {
        for sentence in advice(output, &context()) {
            assert!(sentence.len() < 400 && !sentence.contains('\n'), "{what}: {sentence}");
            assert!(!sentence.ends_with('.'), "{what}: {sentence}");
        }
    }
    let all: String = CASES.iter().map(|(_, output, _)| format!("{output}\n")).collect();
    assert_eq!(advice(&all, &context()).len(), 5);
}

#[test]
fn any_text_is_survived() {
    let all: String = CASES.iter().map(|(_, output, _)| format!("{output}\n")).collect();
    for (end, _) in all.char_indices().step_by(7) {
        let piece: String = all[end..].chars().take(600).collect();
        advice(&piece, &context());
    }
    assert_eq!(advice("", &Context::default()), Vec::<String>::new());
}

const CASES: &[Case] = &[
    (
        "crates that ask for a newer rustc",
        "error: rustc 1.95.0 is not supported by the following packages:\n  kstring@2.0.5 requires rustc 1.96.0\n",
        &["these versions ask for a newer Rust than 1.95.0: use it (`rustup update`, or the \
           package's `rust-toolchain.toml`); of a published crate take an older version \
           (`--crate NAME@VERSION`), or older dependencies (`--ignore-lock`)"],
    ),
    (
        "a time that has a padding",
        "error: cannot construct `timespec` with struct literal syntax due to private fields\n --> src/main.rs:1:20\n",
        &[
            "on x86_64-unknown-linux-musl the crate libc has musl's `timespec`, with a padding that no \
           crate can write field by field: take a newer version of this crate (it begins with a \
           zeroed one), or take `--cfg=libc_unstable_time64` out of the target's row in \
           recipes/targets.toml, if nothing here passes times to C",
        ],
    ),
    (
        "open64 of an old getrandom, GNU ld",
        r#"  = note: /usr/bin/ld: /app/target/x86_64-unknown-linux-musl/release/deps/libgetrandom-0123456789abcdef.rlib(getrandom-0123456789abcdef.getrandom.58dc5155076ed4f4-cgu.0.rcgu.o): in function `getrandom::open_readonly':
          getrandom.58dc5155076ed4f4-cgu.0:(.text._ZN9getrandom13open_readonly17h34e0167824ca56b7E+0xb): undefined reference to `open64'
          collect2: error: ld returned 1 exit status"#,
        &[
            "`open64`: musl has no such names (those it had went with 1.2.4), and crate `getrandom` calls them before version 0.2.9: run `cargo update -p getrandom`",
        ],
    ),
    (
        "open64 of an old getrandom, LLD",
        r#"  = note: rust-lld: error: undefined symbol: open64
          >>> referenced by getrandom.58dc5155076ed4f4-cgu.0
          >>>               getrandom-0123456789abcdef.getrandom.58dc5155076ed4f4-cgu.0.rcgu.o:(getrandom::open_readonly::h34e0167824ca56b7) in archive /app/target/x86_64-unknown-linux-musl/release/deps/libgetrandom-0123456789abcdef.rlib"#,
        &[
            "`open64`: musl has no such names (those it had went with 1.2.4), and crate `getrandom` calls them before version 0.2.9: run `cargo update -p getrandom`",
        ],
    ),
    (
        "mmap64 of another crate",
        r#"  = note: rust-lld: error: undefined symbol: mmap64
          >>> referenced by memmap.1-cgu.0
          >>>               memmap-00112233445566aa.memmap.1-cgu.0.rcgu.o:(memmap::unix::MmapInner::new::h1) in archive /app/target/deps/libmemmap-00112233445566aa.rlib"#,
        &[
            "`mmap64`: musl has no such names (those it had went with 1.2.4), and crate `memmap` calls them, perhaps through `libc` before 0.2.146: run `cargo update -p libc -p memmap`",
        ],
    ),
    (
        "five causes in one library of the host, GNU ld",
        r#"  = note: /usr/bin/ld: ./libfoo.a(foo.o): in function `foo':
          foo.c:(.text+0x25): undefined reference to `__memcpy_chk'
          /usr/bin/ld: foo.c:(.text+0x3b): undefined reference to `__printf_chk'
          /usr/bin/ld: foo.c:(.text+0x57): undefined reference to `getcontext'
          /usr/bin/ld: foo.c:(.text+0x66): undefined reference to `backtrace'
          /usr/bin/ld: foo.c:(.text+0x78): undefined reference to `fcntl64'
          collect2: error: ld returned 1 exit status"#,
        &[
            "`__memcpy_chk`, `__printf_chk`: `libfoo.a` was compiled with glibc's headers (fortified functions), not musl's: a library of the host cannot be used, so write a recipe that brings `libfoo.a`",
            "`getcontext`: musl has no ucontext, so turn off coroutines in `libfoo.a`, or link libucontext",
            "`backtrace`: musl has no <execinfo.h>, so turn off backtraces in `libfoo.a`, or link libexecinfo",
            "`fcntl64`: musl has no such names (those it had went with 1.2.4), and `libfoo.a` was compiled with glibc's headers, not musl's: a library of the host cannot be used, so write a recipe that brings `libfoo.a`",
        ],
    ),
    (
        "glibc's symbols with versions, from C code in a crate",
        r#"  = note: ld: /t/deps/liblibrocksdb_sys-8899aabbccddeeff.rlib(env.o): in function `rocksdb::Log':
          env.cc:(.text+0x1): undefined reference to `__fprintf_chk@GLIBC_2.3.4'
          env.cc:(.text+0x9): undefined reference to `__isoc23_strtoul@GLIBC_2.38'"#,
        &[
            "`__fprintf_chk`: the C code in crate `librocksdb-sys` was compiled with glibc's headers (fortified functions), not musl's: its build script must use the compiler that CC_x86_64_unknown_linux_musl names",
            "`__isoc23_strtoul`: the C code in crate `librocksdb-sys` was compiled with the headers of glibc 2.38 or newer, not musl's: its build script must use the compiler that CC_x86_64_unknown_linux_musl names",
        ],
    ),
    (
        "a host library although a recipe has one",
        r#"  = note: rust-lld: error: undefined symbol: __snprintf_chk
          >>> referenced by fe-connect.c
          >>>               fe-connect.o:(PQconnectPoll) in archive /usr/lib/x86_64-linux-gnu/libpq.a

          rust-lld: error: undefined symbol: gss_release_buffer
          >>> referenced by fe-auth.c
          >>>               fe-auth.o:(pg_GSS_continue) in archive /usr/lib/x86_64-linux-gnu/libpq.a"#,
        &[
            r#"`__snprintf_chk`: `libpq.a` was compiled with glibc's headers (fortified functions), not musl's: recipe `libpq` builds it right, so add `libraries.add = ["libpq"]` under `[package.metadata.muslin]`"#,
            "`gss_release_buffer`: `libpq.a` was built with Kerberos, for which there is no recipe: build it without (for libpq, `--without-gssapi`), as recipes do",
        ],
    ),
    (
        "OpenSSL built with async",
        r#"  = note: rust-lld: error: undefined symbol: makecontext
          >>> referenced by async_posix.c
          >>>               libcrypto-lib-async_posix.o:(async_fibre_makecontext) in archive /out/lib/libcrypto.a

          rust-lld: error: undefined symbol: swapcontext
          >>> referenced by async_posix.c
          >>>               libcrypto-lib-async_posix.o:(async_fibre_swapcontext) in archive /out/lib/libcrypto.a"#,
        &[
            "`makecontext`, `swapcontext`: musl has no ucontext, and OpenSSL uses it unless built with `no-async`",
        ],
    ),
    (
        "libpq before OpenSSL",
        r#"  = note: /usr/bin/ld: /out/lib/libpq.a(fe-secure-openssl.o): in function `pgtls_open_client':
          fe-secure-openssl.c:(.text+0x11): undefined reference to `SSL_new'
          /usr/bin/ld: fe-secure-openssl.c:(.text+0x2a): undefined reference to `SSL_set_ex_data'
          /usr/bin/ld: fe-secure-openssl.c:(.text+0x90): undefined reference to `ENGINE_by_id'"#,
        &[
            "`SSL_new`, `SSL_set_ex_data`: `libssl.a` should have it and is in the sysroot. Rust's LLD minds no order, so with it recipe `openssl` leaves that out. With another linker it is the order: a static library must come before those that it needs, and `libpq.a` needs it without saying so (`Requires.private` in its .pc file, or a direct dependency on the -sys crate)",
            "`ENGINE_by_id`: `libcrypto.a` should have it and is in the sysroot. Rust's LLD minds no order, so with it recipe `openssl` leaves that out. With another linker it is the order: a static library must come before those that it needs, and `libpq.a` needs it without saying so (`Requires.private` in its .pc file, or a direct dependency on the -sys crate)",
        ],
    ),
    (
        "zlib missing",
        r#"  = note: rust-lld: error: undefined symbol: deflateEnd
          >>> referenced by c_zlib.c
          >>>               libcrypto-lib-c_zlib.o:(zlib_stateful_finish) in archive /out/lib/libcrypto.a"#,
        &[
            r#"`deflateEnd`: `libz` has it and `libcrypto.a` needs it; recipe `zlib` brings it: add `libraries.add = ["zlib"]` under `[package.metadata.muslin]` in the app's Cargo.toml"#,
        ],
    ),
    (
        "C++ without a runtime",
        r#"  = note: /usr/bin/ld: cxx/libfoo.a(foo.o): in function `foo':
          foo.cc:(.text+0x39): undefined reference to `std::cout'
          /usr/bin/ld: foo.cc:(.text+0x3e): undefined reference to `std::basic_ostream<char, std::char_traits<char> >& std::__ostream_insert<char, std::char_traits<char> >(std::basic_ostream<char, std::char_traits<char> >&, char const*, long)'
          /usr/bin/ld: foo.cc:(.text+0x86): undefined reference to `operator delete(void*, unsigned long)'
          /usr/bin/ld: foo.cc:(.text+0x99): undefined reference to `__cxa_allocate_exception'
          /usr/bin/ld: cxx/libfoo.a(foo.o):(.data.rel.local.DW.ref.__gxx_personality_v0[DW.ref.__gxx_personality_v0]+0x0): undefined reference to `__gxx_personality_v0'"#,
        &[
            "`std::cout`, `std::basic_ostream<char, std::char_traits<char> …`, `operator delete(void*, unsigned long)` and 2 more: `libfoo.a` is C++ and needs a C++ runtime, which Rust and musl do not have; recipe `libcxx` brings it: add `libraries.add = [\"libcxx\"]` under `[package.metadata.muslin]` in the app's Cargo.toml",
        ],
    ),
    (
        "atomics and CPU features",
        r#"  = note: /usr/bin/ld: at/libfoo.a(foo.o): in function `foo':
          at.c:(.text+0x1d): undefined reference to `__atomic_load'
          /usr/bin/ld: at.c:(.text+0x22): undefined reference to `__cpu_indicator_init'
          /usr/bin/ld: at.c:(.text+0x29): undefined reference to `__cpu_model'"#,
        &[
            "`__atomic_load`: `libfoo.a` uses atomics that this CPU does by calls into libatomic: link the toolchain's `libatomic.a` after it",
            "`__cpu_indicator_init`, `__cpu_model`: `libfoo.a` asks for CPU features through libgcc (`__builtin_cpu_supports`), which Rust's linking leaves out: turn that off, or link the toolchain's `libgcc.a` after it",
        ],
    ),
    (
        "GCC's unwinder beside Rust's",
        r#"          /usr/bin/ld: /usr/lib/gcc/x86_64-linux-gnu/12/libgcc_eh.a(unwind-dw2-fde-dip.o): in function `__register_frame':
          (.text+0x1570): multiple definition of `__register_frame'; /r/lib/rustlib/x86_64-unknown-linux-musl/lib/self-contained/libunwind.a(84445457d4afd1cb-UnwindLevel1-gcc-ext.o):UnwindLevel1-gcc-ext.c:(.text+0x0): first defined here
          /usr/bin/ld: /usr/lib/gcc/x86_64-linux-gnu/12/libgcc_eh.a(unwind-dw2-fde-dip.o): in function `_Unwind_Find_FDE':
          (.text+0x1902): undefined reference to `_dl_find_object'"#,
        &[
            "`__register_frame` twice: two unwinders are linked, Rust's `libunwind.a` and GCC's `libgcc_eh.a`: drop `-lgcc_eh` and `--whole-archive` from the link arguments",
            "`_dl_find_object`: a `libgcc_eh.a` made for glibc 2.35 or newer is being linked: use Rust's own unwinder, so drop `-lgcc_eh` and `-lgcc_s` from the link arguments",
        ],
    ),
    (
        "two start files, GNU ld",
        r#"  = note: /usr/bin/ld: /usr/lib/x86_64-linux-gnu/crt1.o: in function `_start':
          (.text+0x0): multiple definition of `_start'; /r/lib/rustlib/x86_64-unknown-linux-musl/lib/self-contained/rcrt1.o:rcrt1.c:(.text+0x0): first defined here"#,
        &[
            "`_start` twice: both Rust and the linker bring start-up objects (crt1.o): let one do it, by removing `linker = …` or with `-C link-self-contained=no`",
        ],
    ),
    (
        "two start files, LLD",
        r#"  = note: rust-lld: error: duplicate symbol: _start
          >>> defined at rcrt1.c
          >>>            /r/lib/rustlib/x86_64-unknown-linux-musl/lib/self-contained/rcrt1.o:(.text+0x0)
          >>> defined at /usr/lib/x86_64-linux-gnu/crt1.o:(.text+0x0)"#,
        &[
            "`_start` twice: both Rust and the linker bring start-up objects (crt1.o): let one do it, by removing `linker = …` or with `-C link-self-contained=no`",
        ],
    ),
    (
        "two copies of sqlite",
        r#"  = note: rust-lld: error: duplicate symbol: sqlite3_open
          >>> defined at sqlite3.c
          >>>            sqlite3.o:(sqlite3_open) in archive /app/target/deps/liblibsqlite3_sys-0123456789abcdef.rlib
          >>> defined at sqlite3.c
          >>>            sqlite3.o:(.text.sqlite3_open+0x0) in archive /out/lib/libsqlite3.a"#,
        &[
            "`sqlite3_open` twice (one in the C code in crate `libsqlite3-sys`): two copies of one library are linked, often a recipe's and one that a crate compiled: turn off its `bundled` or `vendored` feature, or name the recipe in `libraries.skip`",
        ],
    ),
    (
        "a library without a recipe, GNU ld",
        r#"  = note: /usr/bin/ld: cannot find -lbar: No such file or directory
          collect2: error: ld returned 1 exit status"#,
        &[
            "`libbar.a` was not found; no recipe brings it: write `recipes/libraries/bar.toml`, or turn on the feature with which its crate compiles its own copy (often `bundled` or `vendored`)",
        ],
    ),
    (
        "a library with a recipe, LLD",
        r#"  = note: rust-lld: error: unable to find library -lpq"#,
        &[
            r#"`libpq.a` was not found; recipe `libpq` brings it: add `libraries.add = ["libpq"]` under `[package.metadata.muslin]` in the app's Cargo.toml"#,
        ],
    ),
    (
        "no libc, no unwinder",
        r#"          ld: cannot find -lgcc_s: No such file or directory
          ld: cannot find -lc: No such file or directory"#,
        &[
            "`-lgcc_s`: Rust brings the unwinder of musl targets itself: leave self-contained linking on and drop `-lgcc_s` from link arguments and build scripts",
            "`-lc`: the linker in use knows no libc for x86_64-unknown-linux-musl: remove `linker = …` from `.cargo/config.toml`, so that Rust links its own musl",
        ],
    ),
    (
        "a native library of a crate",
        r#"   Compiling foo-sys v0.1.0 (/app)
error: could not find native static library `z`, perhaps an -L flag is missing?

error: could not compile `foo-sys` (lib) due to 1 previous error"#,
        &[
            r#"`libz.a` was not found; recipe `zlib` brings it: add `libraries.add = ["zlib"]` under `[package.metadata.muslin]` in the app's Cargo.toml"#,
        ],
    ),
    (
        "a linker of one's own",
        r#"error: linker `musl-gcc` not found
  |
  = note: No such file or directory (os error 2)"#,
        &[
            "`musl-gcc`: Muslin needs no such linker: a `linker = …` in `.cargo/config.toml` or CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER asks for it, so remove that",
        ],
    ),
    (
        "a compiler that cc-rs does not find",
        r#"error: failed to run custom build command for `ring v0.17.14`
  --- stderr


  error occurred in cc-rs: failed to find tool "x86_64-linux-musl-gcc": No such file or directory (os error 2)"#,
        &[
            "`x86_64-linux-musl-gcc`: crate `ring 0.17.14` asks for a compiler of the host; Muslin's own is in CC_x86_64_unknown_linux_musl, so remove what overrides it (CC, TARGET_CC, CC_x86_64-unknown-linux-musl, a setting in `.cargo/config.toml`)",
        ],
    ),
    (
        "musl-gcc in a makefile, perl in a build script",
        r#"error: failed to run custom build command for `openssl-sys v0.9.109`
  /bin/sh: 1: musl-gcc: not found
  sh: line 1: perl: command not found
  is `cmake` not installed?"#,
        &[
            "`musl-gcc`: crate `openssl-sys 0.9.109` asks for a compiler of the host; Muslin's own is in CC_x86_64_unknown_linux_musl, so remove what overrides it (CC, TARGET_CC, CC_x86_64-unknown-linux-musl, a setting in `.cargo/config.toml`)",
            "`perl`: crate `openssl-sys 0.9.109` runs it on this machine: install it, or take the library from a recipe instead of letting the crate compile it",
            "`cmake`: crate `openssl-sys 0.9.109` runs it on this machine: install it, or take the library from a recipe instead of letting the crate compile it",
        ],
    ),
    (
        "pkg-config when cross-compiling",
        r#"error: failed to run custom build command for `libz-sys v1.1.8`

Caused by:
  process didn't exit successfully: `/t/build/libz-sys-1072e435777fd426/build-script-build` (exit status: 101)
  --- stdout
  cargo:rerun-if-env-changed=ZLIB_NO_PKG_CONFIG
  cargo:rerun-if-env-changed=PKG_CONFIG_ALLOW_CROSS

  --- stderr
  called `Result::unwrap()` on an `Err` value: pkg-config has not been configured to support cross-compilation."#,
        &[
            r#"crate `libz-sys 1.1.8` asked the host's pkg-config for `zlib`; recipe `zlib` brings it: add `libraries.add = ["zlib"]` under `[package.metadata.muslin]` in the app's Cargo.toml"#,
        ],
    ),
    (
        "pkg-config finds nothing",
        r#"  The system library `fontconfig` required by crate `yeslogic-fontconfig-sys` was not found.
  The file `fontconfig.pc` needs to be installed and the PKG_CONFIG_PATH environment variable must contain its parent directory."#,
        &[
            "`libfontconfig.a` was not found; no recipe brings it: write `recipes/libraries/fontconfig.toml`, or turn on the feature with which its crate compiles its own copy (often `bundled` or `vendored`)",
        ],
    ),
    (
        "no standard library for the target",
        r#"error[E0463]: can't find crate for `std`
  |
  = note: the `aarch64-unknown-linux-musl` target may not be installed
  = help: consider downloading the target with `rustup target add aarch64-unknown-linux-musl`"#,
        &[
            "Rust's standard library for aarch64-unknown-linux-musl is not installed: run `rustup target add aarch64-unknown-linux-musl`, or install the distribution's package of it",
        ],
    ),
    (
        "not position-independent, GNU ld",
        r#"  = note: /usr/bin/ld: pic/libfoo.a(foo.o): relocation R_X86_64_32S against symbol `g' can not be used when making a PIE object; recompile with -fPIE
          /usr/bin/ld: failed to set dynamic section sizes: bad value"#,
        &[
            "`libfoo.a` was compiled without -fPIC, and programs for musl are position-independent: compile it with -fPIC, as recipes and the `cc` crate do",
        ],
    ),
    (
        "not position-independent, LLD",
        r#"  = note: rust-lld: error: relocation R_X86_64_32S cannot be used against symbol 'g'; recompile with -fPIC
          >>> defined in pic/libfoo.a(foo.o)
          >>> referenced by pic.c
          >>>               foo.o:(foo) in archive pic/libfoo.a"#,
        &[
            "`libfoo.a` was compiled without -fPIC, and programs for musl are position-independent: compile it with -fPIC, as recipes and the `cc` crate do",
        ],
    ),
    (
        "another machine, GNU ld",
        r#"  = note: /usr/bin/ld: skipping incompatible wrong/libfoo.a when searching for -lfoo
          /usr/bin/ld: cannot find -lfoo: No such file or directory
          /usr/bin/ld: wrong/bar.o: Relocations in generic ELF (EM: 183)
          /usr/bin/ld: wrong/bar.o: error adding symbols: file in wrong format"#,
        &[
            "`libfoo.a` is for another machine than x86_64-unknown-linux-musl: it comes from the host or from an older build, so look who names its folder (wrong/libfoo.a)",
            "`bar.o` is for another machine than x86_64-unknown-linux-musl: it comes from the host or from an older build, so look who names its folder (wrong/bar.o)",
        ],
    ),
    (
        "another machine, LLD",
        r#"  = note: rust-lld: error: wrong/libfoo.a(foo.o) is incompatible with /r/lib/self-contained/rcrt1.o"#,
        &[
            "`libfoo.a` is for another machine than x86_64-unknown-linux-musl: it comes from the host or from an older build, so look who names its folder (wrong/libfoo.a)",
        ],
    ),
    (
        "a shared library for musl",
        r#"error: cannot produce cdylib for `plugin v0.1.0 (/app/plugin)` as the target `x86_64-unknown-linux-musl` does not support these crate types"#,
        &[
            "a static program cannot load libraries, so musl targets have no `cdylib`: take `cdylib` out of `crate-type`, or build only the program with `--bin`",
        ],
    ),
    (
        "glibc's headers in bindgen",
        r#"  /usr/include/stdint.h:26:10: fatal error: 'bits/libc-header-start.h' file not found
  cargo:warning=crypto/rand_extra/urandom.c:39:10: fatal error: linux/random.h: No such file or directory"#,
        &[
            "`bits/libc-header-start.h` is a header of glibc: /usr/include is being read for a musl target, so pass the sysroot's headers instead (BINDGEN_EXTRA_CLANG_ARGS_x86_64_unknown_linux_musl for bindgen)",
            "`linux/random.h` is a header of the Linux kernel, which this toolchain does not bring (`musl-gcc` never does): use a toolchain that has them, such as `zig` or `musl-cross`",
        ],
    ),
    (
        "the host's glibc linked in",
        r#"/usr/bin/ld: /t/main.o: in function `main':
gai.c:(.text+0x19): warning: Using 'getaddrinfo' in statically linked applications requires at runtime the shared libraries from the glibc version used for linking"#,
        &[
            "`getaddrinfo`: the host's glibc is being linked in instead of musl: the linker is the host's `cc`, so build with `--target x86_64-unknown-linux-musl` and without a `linker = …` of your own",
        ],
    ),
    (
        "colours do not hide anything",
        "\x1b[1m\x1b[91merror\x1b[0m: linker `\x1b[1mzig-cc\x1b[0m` not found",
        &[
            "`zig-cc`: Muslin needs no such linker: a `linker = …` in `.cargo/config.toml` or CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER asks for it, so remove that",
        ],
    ),
    (
        "nothing known",
        r#"error[E0425]: cannot find value `open64` in this scope
 --> src/main.rs:3:5
error: could not compile `app` (bin "app") due to 1 previous error
error: linking with `cc` failed: exit status: 1
  = note: rust-lld: error: undefined symbol: my_function"#,
        &[],
    ),
];
