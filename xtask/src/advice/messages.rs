//! Messages other than undefined symbols: what is missing, doubled, or of the wrong kind.

use super::origin::{self, Origin};
use super::{Context, between, how_to_get};

/// The sentence on the message at this line, if it is a known one.
pub fn read(lines: &[&str], at: usize, context: &Context) -> Option<String> {
    let line = lines[at];
    missing_library(lines, at, context)
        .or_else(|| missing_tool(lines, at, context))
        .or_else(|| missing_std(lines, at, context))
        .or_else(|| pkg_config(lines, at, context))
        .or_else(|| headers(line, context))
        .or_else(|| cxx_library(lines, at, context))
        .or_else(|| duplicate(lines, at, context))
        .or_else(|| wrong_kind(lines, at, context))
        .or_else(|| crate_type(line))
        .or_else(|| newer_rust(line))
        .or_else(|| padded_time(line, context))
}

/// `foo-sys 0.1.0`: the crate whose build script failed, if one did before this line.
fn building(lines: &[&str], at: usize) -> Option<String> {
    let name = |line: &&str| between(line, "custom build command for `", "`").map(str::to_owned);
    let words = lines[..=at].iter().rev().find_map(name)?;
    let mut words = words.split_whitespace();
    let (name, version) = (words.next()?, words.next()?);
    Some(format!("crate `{name} {}`", version.trim_start_matches('v')))
}

/// Cargo's word that locked crates ask for a newer rustc. Its own hint speaks of a Cargo.lock that one
/// can change, which that of a published crate is not.
fn newer_rust(line: &str) -> Option<String> {
    let version = between(line, "error: rustc ", " is not supported by the following package")?;
    Some(format!(
        "these versions ask for a newer Rust than {version}: use it (`rustup update`, or the \
         package's `rust-toolchain.toml`); of a published crate take an older version \
         (`--crate NAME@VERSION`), or older dependencies (`--ignore-lock`)"
    ))
}

/// With times of 64 bits, `timespec` has bytes between its fields on targets with 32.
fn padded_time(line: &str, context: &Context) -> Option<String> {
    let is_it = line.contains("cannot construct `timespec` with struct literal syntax");
    is_it.then(|| {
        format!(
            "on {} the crate libc has musl's `timespec`, with a padding that no crate can write field by \
             field: take a newer version of this crate (it begins with a zeroed one), or take \
             `--cfg=libc_unstable_time64` out of the target's row in recipes/targets.toml, if nothing \
             here passes times to C",
            context.target
        )
    })
}

fn missing_library(lines: &[&str], at: usize, context: &Context) -> Option<String> {
    let line = lines[at];
    let name = after(line, "cannot find -l")
        .or_else(|| after(line, "unable to find library -l"))
        .or_else(|| after(line, "library not found for -l"))
        .or_else(|| between(line, "could not find native static library `", "`"))
        .or_else(|| between(line, "unable to find static system library '", "'"))
        .or_else(|| between(line, "unable to find dynamic system library '", "'"))
        .or_else(|| {
            between(line, "required by crate `", "` was not found").and(between(
                line,
                "system library `",
                "`",
            ))
        })
        .or_else(|| {
            line.contains("Could not find directory of OpenSSL installation").then_some("ssl")
        })?;
    // GNU ld has said before that it found one for another machine.
    if lines[..at].iter().any(|line| line.ends_with(&format!("when searching for -l{name}"))) {
        return None;
    }
    Some(match name {
        "c" => format!(
            "`-lc`: the linker in use knows no libc for {}: remove `linker = …` from \
             `.cargo/config.toml`, so that Rust links its own musl",
            context.target
        ),
        "gcc_s" | "gcc_eh" | "gcc" | "unwind" => format!(
            "`-l{name}`: Rust brings the unwinder of musl targets itself: leave self-contained \
             linking on and drop `-l{name}` from link arguments and build scripts"
        ),
        "stdc++" | "c++" | "c++abi" | "supc++" => format!(
            "`-l{name}` is the C++ runtime, and nothing told that this program links C++; {}",
            how_to_get("c++", context)
        ),
        "m" | "dl" | "pthread" | "rt" | "util" | "crypt" | "resolv" | "xnet" => format!(
            "`-l{name}`: musl has all of it in `libc.a`, so it is enough to drop `-l{name}`, or to \
             have an empty `lib{name}.a` in the sysroot"
        ),
        _ => format!("`lib{name}.a` was not found; {}", how_to_get(name, context)),
    })
}

/// The word behind a mark.
fn after<'a>(line: &'a str, mark: &str) -> Option<&'a str> {
    let rest = line.split_once(mark)?.1;
    let end = rest.find([':', ' ', '\'', '"', ',']).unwrap_or(rest.len());
    (end > 0).then(|| &rest[..end])
}

/// Programs that build scripts call and that are worth a sentence when a shell does not find them.
const TOOLS: &[&str] = &[
    "autoconf",
    "bindgen",
    "bison",
    "cmake",
    "flex",
    "go",
    "libtool",
    "m4",
    "make",
    "meson",
    "nasm",
    "ninja",
    "perl",
    "pkg-config",
    "protoc",
    "python3",
    "tclsh",
    "yasm",
];

fn missing_tool(lines: &[&str], at: usize, context: &Context) -> Option<String> {
    let line = lines[at];
    let by_shell = || {
        let rest = line.trim_end().strip_suffix(": not found");
        let rest = rest.or_else(|| line.trim_end().strip_suffix(": command not found"))?;
        let name = rest.rsplit([' ', ':']).next()?;
        (is_compiler(name) || TOOLS.contains(&name)).then_some(name)
    };
    let name = between(line, "failed to find tool \"", "\"")
        .or_else(|| between(line, "linker `", "` not found"))
        .or_else(|| between(line, "is `", "` not installed?"))
        .or_else(|| line.contains("Unable to find libclang").then_some("libclang"))
        .or_else(|| line.contains("pkg-config command could not be").then_some("pkg-config"))
        .or_else(by_shell)?;
    let name = name.rsplit('/').next().unwrap_or(name);
    let who = building(lines, at).unwrap_or_else(|| "the build".to_owned());
    Some(if line.contains("linker `") {
        format!(
            "`{name}`: Muslin needs no such linker: a `linker = …` in `.cargo/config.toml` or \
             CARGO_TARGET_{}_LINKER asks for it, so remove that",
            context.lower().to_uppercase()
        )
    } else if is_compiler(name) {
        format!(
            "`{name}`: {who} asks for a compiler of the host; Muslin's own is in CC_{}, so remove \
             what overrides it (CC, TARGET_CC, CC_{}, a setting in `.cargo/config.toml`)",
            context.lower(),
            context.target
        )
    } else {
        let hint = if name == "libclang" { " (package `libclang-dev` or `clang`)" } else { "" };
        format!(
            "`{name}`: {who} runs it on this machine: install it{hint}, or take the library from \
             a recipe instead of letting the crate compile it"
        )
    })
}

fn is_compiler(name: &str) -> bool {
    let last = name.rsplit('-').next().unwrap_or(name);
    matches!(last, "gcc" | "g++" | "cc" | "c++" | "clang" | "clang++")
}

fn missing_std(lines: &[&str], at: usize, context: &Context) -> Option<String> {
    let line = lines[at];
    if !line.contains("can't find crate for `std`") && !line.contains("can't find crate for `core`")
    {
        return None;
    }
    let near = lines[at..].iter().take(4);
    let target = near.filter_map(|line| between(line, "the `", "` target may not")).next();
    let target = target.unwrap_or(&context.target);
    Some(format!(
        "Rust's standard library for {target} is not installed: run `rustup target add {target}`, \
         or install the distribution's package of it"
    ))
}

fn pkg_config(lines: &[&str], at: usize, context: &Context) -> Option<String> {
    if !lines[at].contains("has not been configured to support cross-compilation") {
        return None;
    }
    let who = building(lines, at).unwrap_or_else(|| "a build script".to_owned());
    // The pkg-config crate tells cargo which variable would switch the probe off: there is the name.
    let mut before = lines[..at].iter().rev();
    let name = before.find_map(|line| between(line, "rerun-if-env-changed=", "_NO_PKG_CONFIG"));
    Some(match name.map(str::to_ascii_lowercase) {
        Some(name) => format!(
            "{who} asked the host's pkg-config for `{name}`; {}",
            how_to_get(&name, context)
        ),
        None => format!(
            "{who} asked the host's pkg-config for its library: add the library's recipe to \
             `libraries.add` under `[package.metadata.muslin]`"
        ),
    })
}

fn headers(line: &str, context: &Context) -> Option<String> {
    let missing = between(line, "fatal error: '", "' file not found")
        .or_else(|| between(line, "fatal error: ", ": No such file or directory"))?;
    if missing.starts_with("bits/") || missing.starts_with("gnu/") || missing == "features.h" {
        return Some(format!(
            "`{missing}` is a header of glibc: /usr/include is being read for a musl target, so \
             pass the sysroot's headers instead (BINDGEN_EXTRA_CLANG_ARGS_{} for bindgen)",
            context.lower()
        ));
    }
    if missing.starts_with("linux/") || missing.starts_with("asm/") {
        return Some(format!(
            "`{missing}` is a header of the Linux kernel, which this toolchain does not bring \
             (`musl-gcc` never does): use a toolchain that has them, such as `zig` or `musl-cross`"
        ));
    }
    None
}

/// What libc++'s headers say when nobody has configured them, and what a compiler says that has none.
fn cxx_library(lines: &[&str], at: usize, context: &Context) -> Option<String> {
    const NAMES: [&str; 8] =
        ["algorithm", "cstdint", "cstdlib", "cstring", "iostream", "memory", "string", "vector"];
    let line = lines[at];
    let missing = between(line, "fatal error: '", "' file not found")
        .or_else(|| between(line, "fatal error: ", ": No such file or directory"));
    if !line.contains("_LIBCPP_") && !missing.is_some_and(|name| NAMES.contains(&name)) {
        return None;
    }
    let who = building(lines, at).unwrap_or_else(|| "a crate".to_owned());
    Some(format!(
        "{who} compiles C++ with a compiler that finds no C++ headers: its build script must use the \
         one that CXX_{} names",
        context.lower()
    ))
}

fn duplicate(lines: &[&str], at: usize, context: &Context) -> Option<String> {
    let line = lines[at];
    if let Some(name) = between(line, "Using '", "' in statically linked applications requires") {
        return Some(format!(
            "`{name}`: the host's glibc is being linked in instead of musl: the linker is the \
             host's `cc`, so build with `--target {}` and without a `linker = …` of your own",
            context.target
        ));
    }
    let symbol = between(line, "multiple definition of `", "'")
        .or_else(|| Some(line.split_once("duplicate symbol: ")?.1.trim()))?;
    Some(match symbol {
        "_start" | "_start_c" | "_init" | "_fini" => format!(
            "`{symbol}` twice: both Rust and the linker bring start-up objects (crt1.o): let one \
             do it, by removing `linker = …` or with `-C link-self-contained=no`"
        ),
        "__init_tls" | "__libc_start_main" | "__init_libc" | "__libc_start_init" => format!(
            "`{symbol}` twice: two copies of musl are linked, Rust's and the toolchain's: let one \
             do it, by removing `linker = …` or with `-C link-self-contained=no`"
        ),
        _ if symbol.starts_with("_Unwind_") || symbol.ends_with("register_frame") => format!(
            "`{symbol}` twice: two unwinders are linked, Rust's `libunwind.a` and GCC's \
             `libgcc_eh.a`: drop `-lgcc_eh` and `--whole-archive` from the link arguments"
        ),
        _ => {
            let who = match origin::of_message(lines, at) {
                Origin::Unknown => String::new(),
                origin => format!(" (one in {})", origin.words()),
            };
            format!(
                "`{symbol}` twice{who}: two copies of one library are linked, often a recipe's and \
                 one that a crate compiled: turn off its `bundled` or `vendored` feature, or name \
                 the recipe in `libraries.skip`"
            )
        }
    })
}

fn wrong_kind(lines: &[&str], at: usize, context: &Context) -> Option<String> {
    let line = lines[at];
    if line.contains("recompile with -fPI") {
        let who = origin::of_message(lines, at).words();
        return Some(format!(
            "{who} was compiled without -fPIC, and programs for musl are position-independent: \
             compile it with -fPIC, as recipes and the `cc` crate do"
        ));
    }
    if line.contains("plugin needed to handle lto object")
        || line.contains("file format not recognized")
    {
        let who = origin::of_line(line).unwrap_or(Origin::Unknown).words();
        return Some(format!(
            "{who} holds another compiler's intermediate code (LTO) or is no object file: compile \
             it without -flto"
        ));
    }
    let file = between(line, "skipping incompatible ", " when searching")
        .or_else(|| line.strip_suffix(": error adding symbols: file in wrong format"))
        .or_else(|| line.split_once(" is incompatible with ").map(|(before, _)| before))?;
    let file = file.split_whitespace().last()?;
    let file = file.split('(').next().unwrap_or(file);
    let name = file.rsplit('/').next().unwrap_or(file);
    Some(format!(
        "`{name}` is for another machine than {}: it comes from the host or from an older build, \
         so look who names its folder ({file})",
        context.target
    ))
}

fn crate_type(line: &str) -> Option<String> {
    let kind = between(line, "cannot produce ", " for `")
        .filter(|_| line.contains("does not support these crate types"))
        .or_else(|| between(line, "dropping unsupported crate type `", "`"))?;
    Some(match kind {
        "proc-macro" => "a proc-macro was built for the musl target: pass `--target`, so that \
             macros and build scripts are built for the host"
            .to_owned(),
        _ => format!(
            "a static program cannot load libraries, so musl targets have no `{kind}`: take \
             `{kind}` out of `crate-type`, or build only the program with `--bin`"
        ),
    })
}
