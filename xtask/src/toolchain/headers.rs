//! Headers of the machine that builds must not get into what is built for a target. Where a build sees
//! the machine, the driver has the compiler write down every header that it reads, and refuses those
//! that lie in the machine's system folders: whatever option, `#include` or link led there.
//!
//! Only the compile that read such a header fails, so a build script that merely tries one out goes
//! on without it, as it would where the machine is not seen.

use std::collections::BTreeSet;
use std::path::Path;

use crate::recipe::Driver;

/// The variable that turns it on.
pub const GUARD_VARIABLE: &str = "MUSLIN_GUARD_HEADERS";

/// What a refusal begins with, and what every one has in the middle.
const MARKS: [&str; 2] = ["muslin: ", ", one of this machine's headers, in "];

/// Where a machine has the headers of its libraries and compilers: patterns of a shell. Not all of
/// `/usr` and `/opt`, where containers have projects and cargo's crates.
const SYSTEM_FOLDERS: [&str; 16] = [
    "/usr/include/*",
    "/usr/local/include/*",
    "/usr/lib/*",
    "/usr/lib32/*",
    "/usr/lib64/*",
    "/usr/libx32/*",
    "/usr/libexec/*",
    "/usr/local/lib/*",
    "/usr/local/lib64/*",
    "/usr/local/musl/*",
    "/usr/*-linux-*/*",
    "/lib/*",
    "/lib64/*",
    "/nix/store/*/include/*",
    "/gnu/store/*/include/*",
    "/*/linuxbrew/.linuxbrew/*",
];

/// Calls the compiler and looks at what it has read. Shells fork for each folder that they resolve, so
/// each is resolved once, and those of the compiler and the sysroot never. What is refused is compiled
/// once more, for the compiler to say which file includes it.
const GUARDED: &str = r#"if [ -n "$@GUARD@" ] && [ -n "$OUT_DIR" ]; then
    log=$OUT_DIR/.muslin-headers-$$
    @TOLD@ @CALL@ "$@"
    status=$?
    [ -e "$log" ] || exit $status
    IFS='
'
    set -f
    fine=
    foreign=
    for header in $(@LIST@); do
        case "$header" in "$tree"/* | "${sysroot:-$tree}"/*) continue ;; esac
        folder=${header%/*}
        [ "$folder" != "$header" ] || folder=.
        if [ -L "$header" ]; then
            real=$(readlink -f -- "$header")
        else
            case "$fine" in *"|$folder|"*) continue ;; esac
            real=$(CDPATH= cd -P -- "$folder" 2>/dev/null && pwd -P)/
        fi
        case "$real" in
        "${CARGO_MANIFEST_DIR:-$OUT_DIR}"/* | "$OUT_DIR"/*) ;;
        @FOLDERS@)
            foreign=$header
            break
            ;;
        esac
        [ -L "$header" ] || fine="$fine|$folder|"
    done
    rm -f -- "$log"
    [ -n "$foreign" ] || exit $status
    from='what is compiled'
    for word; do
        case "$word" in *.[cCmS] | *.cc | *.cpp | *.cxx) from=$word ;; esac
    done
    for line in $(@CALL@ "$@" -E -H -o /dev/null 2>&1 >/dev/null); do
        case "$line" in
        .*' '*)
            dots=${line%% *}
            eval "at${#dots}=\${line#* }"
            [ "${line#* }" = "$foreign" ] || continue
            [ ${#dots} = 1 ] || eval "from=\$at$((${#dots} - 1))"
            break
            ;;
        esac
    done
    echo "@BEGIN@${CARGO_PKG_NAME:-a build script} $CARGO_PKG_VERSION includes $foreign@MIDDLE@$from" >&2
    [ ! -f "$out" ] || rm -f -- "$out"
    exit 1
fi
"#;

/// Lines of a driver's script for where that is turned on and a build script calls. `$tree` and
/// `$sysroot` are folders whose headers are fine, `$out` is what the compiler is to write.
pub(super) fn guarded(driver: &Driver, call: &str) -> String {
    // Told by variables to write names of headers into a file, GCC does it as a rule of make.
    let (told, list) = match driver {
        Driver::Zig { .. } => {
            (r#"CC_PRINT_HEADERS=1 CC_PRINT_HEADERS_FILE="$log""#, r#"cat -- "$log""#)
        }
        Driver::Gcc { .. } => {
            (r#"SUNPRO_DEPENDENCIES="$log headers""#, r#"tr -s ' \\' '\n\n' <"$log""#)
        }
    };
    let folders = SYSTEM_FOLDERS.join(" | ");
    let parts = [
        ("@GUARD@", GUARD_VARIABLE),
        ("@TOLD@", told),
        ("@LIST@", list),
        ("@CALL@", call),
        ("@FOLDERS@", &folders),
        ("@BEGIN@", MARKS[0]),
        ("@MIDDLE@", MARKS[1]),
    ];
    parts.iter().fold(GUARDED.to_owned(), |text, (name, value)| text.replace(name, value))
}

/// Whether a path, in which no link is left, is in such a folder.
pub fn is_of_the_machine(path: &Path) -> bool {
    let path = path.to_string_lossy();
    SYSTEM_FOLDERS.iter().any(|pattern| matches(pattern, &path))
}

/// As a shell has it: a star is any text, also one with slashes.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(start) else { return false };
    text.char_indices().any(|(at, _)| matches(rest, &text[at..])) || rest.is_empty()
}

/// The refusals in what cargo has said, each once.
pub fn refusals(said: &str) -> Vec<String> {
    let refusal = |line: &str| {
        let (_, sentence) = line.split_once(MARKS[0])?;
        sentence.contains(MARKS[1]).then(|| sentence.trim_end().to_owned())
    };
    let found: BTreeSet<_> = said.lines().filter_map(refusal).collect();
    found.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_folders_are_told_from_those_of_projects() {
        for path in [
            "/usr/include/a.h",
            "/usr/lib/gcc/x86_64-linux-gnu/12/include/stddef.h",
            "/usr/aarch64-linux-gnu/include/a.h",
            "/nix/store/abc-zlib/include/zlib.h",
            "/x/linuxbrew/.linuxbrew/include/a.h",
        ] {
            assert!(is_of_the_machine(Path::new(path)), "{path}");
        }
        for path in [
            "/usr/src/app/a.h",
            "/usr/includes/a.h",
            "/usr/local/cargo/registry/src/x/a.h",
            "/x/usr/include/a.h",
            "/nix/store/abc-vendor/a.h",
            "/opt/app/lib/a.h",
        ] {
            assert!(!is_of_the_machine(Path::new(path)), "{path}");
        }
    }

    #[test]
    fn refusals_are_found_in_what_cargo_says() {
        let refusal =
            "x-sys 1.0.0 includes /usr/include/a.h, one of this machine's headers, in a.c";
        let said = format!(
            "cargo:warning=muslin: {refusal}\n  muslin: {refusal} \nmuslin: something else\n{refusal}\n"
        );
        assert_eq!(refusals(&said), [refusal]);
    }
}
