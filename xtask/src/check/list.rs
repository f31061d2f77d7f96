//! The names of all checks, when each passes, and what helps where it does not.

/// A check.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// Its stable name.
    pub name: &'static str,
    /// When it passes, in the words of docs/manifest.md.
    pub passes: &'static str,
    /// What to do where it fails.
    pub help: &'static str,
}

/// All checks, in the order in which they are told.
pub const CHECKS: [Check; 19] = [
    Check {
        name: "elf",
        passes: "it is an ELF executable for the target's machine and its way to pass fractions",
        help: "build it for that target, or name the one that it is for with `--target`",
    },
    Check {
        name: "static",
        passes: "it has no interpreter, needs no shared library, leaves no symbol undefined",
        help: "link it statically: `-Ctarget-feature=+crt-static` for rustc, `-static-pie` for a compiler of C",
    },
    Check {
        name: "glibc",
        passes: "it asks no library for a version of glibc's symbols",
        help: "build it for a target of musl: it runs on no distribution with an older glibc",
    },
    Check {
        name: "libc",
        passes: "one libc is in it, and it is musl",
        help: "let one toolchain link: a second libc comes with crt objects or a `libc.a` of another",
    },
    Check {
        name: "unwinder",
        passes: "not more than one unwinder is in it",
        help: "leave out `-lgcc_eh`, `-lgcc_s` and `-lunwind`: Rust brings its own unwinder",
    },
    Check {
        name: "pie",
        passes: "it is position-independent, if rustc can make such programs for its CPU",
        help: "compile with `-fPIE` and link with `-static-pie` (rustc: `-Crelocation-model=pie`)",
    },
    Check {
        name: "relro",
        passes: "what only the start changes is declared read-only for the time after it",
        help: "link with `-z relro -z now` (rustc: `-Crelro-level=full`)",
    },
    Check {
        name: "stack",
        passes: "its stack is declared and not executable",
        help: "assemble with `-Wa,--noexecstack`, or link with `-z noexecstack`",
    },
    Check {
        name: "stack-size",
        passes: "its header names the target's `stack-size`, which musl gives to threads",
        help: "link with `-z stack-size=8388608`, or what the target's row says",
    },
    Check {
        name: "segments",
        passes: "no segment is both writable and executable",
        help: "link without `-N` (`--omagic`) and without a script that puts code and data together",
    },
    Check {
        name: "relocations",
        passes: "none changes read-only memory",
        help: "compile every file of C and assembly position-independently, with `-fPIC`",
    },
    Check {
        name: "rpath",
        passes: "it names no folder to look for libraries in",
        help: "link without `-rpath`, or take it out with `patchelf --remove-rpath`",
    },
    Check {
        name: "paths",
        passes: "no path of the user's, the store's or the workspace's, and no host name, is in its bytes",
        help: "map paths while compiling (`-ffile-prefix-map`, `--remap-path-prefix`), and keep \
               `env!(\"OUT_DIR\")`, `env!(\"CARGO_MANIFEST_DIR\")` out of the program",
    },
    Check {
        name: "build-id",
        passes: "it has no build id, which differs with what is not in the program",
        help: "link with `--build-id=none`",
    },
    Check {
        name: "timestamp",
        passes: "no time of its build is in its bytes, but that of `SOURCE_DATE_EPOCH`",
        help: "leave `__DATE__` out, or have the compiler or build script read SOURCE_DATE_EPOCH",
    },
    Check {
        name: "openssl-dir",
        passes: "an OpenSSL in it looks for certificates in `/etc/ssl`",
        help: "configure OpenSSL with `--openssldir=/etc/ssl`",
    },
    Check {
        name: "empty-root",
        passes: "it starts in an empty root, alone, without network, as nobody",
        help: "see what it looks for before it ends: `strace -f` shows the last file that it opened",
    },
    Check {
        name: "oldest-cpu",
        passes: "it starts there on the oldest CPU that its target promises, in an emulator",
        help: "find what was compiled for a newer CPU (`-march`, `-Ctarget-cpu`), or name one with `--target-cpu`",
    },
    Check {
        name: "baseline",
        passes: "no code takes more of a CPU than the target has, unless it asks the CPU first",
        help: "docs/baseline.md says how to find and mend it",
    },
];

/// What helps where a check fails.
pub fn help(name: &str) -> &'static str {
    CHECKS.iter().find(|check| check.name == name).map_or("", |check| check.help)
}
