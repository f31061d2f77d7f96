//! The same bytes wherever a build runs: for each step down of the sandbox, and on other systems.
//!
//! All of it takes root, who makes the places and enters them. The other systems are made by
//! debootstrap and take many minutes: `cargo xtask test --all` runs them (it sets MUSLIN_TEST_SLOW).
#![allow(clippy::disallowed_methods, reason = "a test drives the program from outside")]

#[path = "distros/place.rs"]
mod place;
#[path = "support/scratch.rs"]
#[allow(dead_code, reason = "it can do more than is needed here")]
mod scratch;

use std::fs;
use std::path::{Path, PathBuf};

use place::{Base, Place, Root};
use scratch::{Run, Scratch, names};
use xtask::digest::Digest;
use xtask::layout::remove_tree;
use xtask::process::{self, env_var, find_program};

/// Says loudly that something was not tested.
fn skip(why: &str) {
    xtask::report::text(&format!("SKIPPED: {why}"));
}

/// Whether the places can be made here; said loudly if not.
fn can_run(what: &str, variable: &str) -> bool {
    if env_var(variable).is_none() || env_var("MUSLIN_STORE").is_none() {
        skip(&format!("{what}: {variable} and MUSLIN_STORE are not set"));
        return false;
    }
    let tries = |arguments: &[&str]| {
        let tried = process::command("unshare").args(arguments).output();
        tried.is_ok_and(|output| output.status.success())
    };
    let can = rustix::process::geteuid().is_root()
        && tries(&["--mount", "true"])
        && tries(&["--user", "true"]);
    if !can {
        skip(&format!("{what}: it takes root, and namespaces of mounts and of users"));
    }
    can
}

/// The digest of a program.
fn digest(base: &Base, program: &str) -> String {
    Digest::sha256_of(&fs::read(base.dist().join(program)).unwrap()).hex()
}

/// How the manifest says that the builds of the app and of its libraries were kept apart.
fn way(base: &Base) -> String {
    let manifest = fs::read_to_string(base.dist().join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let way = manifest["sandbox"].as_str().unwrap().to_owned();
    let libraries = manifest["libraries"].as_array().unwrap();
    assert!(!libraries.is_empty() && libraries.iter().all(|library| library["sandbox"] == *way));
    way
}

/// A library whose configure script and makefile need the tools, a folder for temporary files (for
/// the preprocessed assembler), and the mapping of paths (for `__FILE__`).
fn write_library(scratch: &Scratch) {
    let configure = "#!/bin/sh\nset -e\nsed s/@/42/ answer.h.in > answer.h\n";
    let makefile = "all: libtiny.a\n\
        one.o: one.c answer.h\n\t$(CC) $(CFLAGS) -c -o one.o $(CURDIR)/one.c\n\
        two.o: two.S\n\t$(CC) $(CFLAGS) -c -o two.o two.S\n\
        libtiny.a: one.o two.o\n\t$(AR) rcs libtiny.a one.o two.o\n\
        install:\n\tmkdir -p $(DESTDIR)/usr/lib $(DESTDIR)/usr/include\n\
        \tcp libtiny.a $(DESTDIR)/usr/lib/\n\tcp answer.h $(DESTDIR)/usr/include/\n";
    let one = "#include \"answer.h\"\nint tiny_step(void);\nconst char *tiny_file = __FILE__;\n\
        int tiny_answer(void) { return ANSWER + tiny_step() + (tiny_file[0] != '/'); }\n";
    let two = "#define STEP 0\n.text\n.globl tiny_step\ntiny_step:\n\tmovl $STEP, %eax\n\tret\n\
        .section .note.GNU-stack,\"\",@progbits\n";
    let files = [
        ("configure", configure),
        ("Makefile", makefile),
        ("answer.h.in", "#define ANSWER @\n"),
        ("one.c", one),
        ("two.S", two),
    ];
    let source = scratch.source("tiny", &files);
    let recipe = format!(
        "description = \"A tiny library\"\nversion = \"1.0\"\nlicense = \"MIT\"\nlinks = [\"tiny\"]\n\
         tools = [\"busybox\", \"make\"]\n{source}\
         [build.configure]\nscript = \"configure\"\n\
         [outputs]\nlibs = [\"tiny\"]\ninclude = [\"answer.h\"]\n\
         [env]\nTINY_LIB_DIR = \"{{sysroot}}/lib\"\n"
    );
    scratch.write("recipes/libraries/tiny.toml", &recipe);
    scratch.write_app("app", "");
    let mut lock = scratch.plain("cargo");
    lock.args(["generate-lockfile", "--offline", "--manifest-path", "app/Cargo.toml"]);
    Run::of(&mut lock).ok();
}

/// Each step down of the sandbox that this machine can be brought to: what it says, what the manifest
/// records, and the same program.
#[test]
fn every_step_down_makes_the_same_program() {
    if !can_run("steps down of the sandbox", "MUSLIN_TEST_ALL") {
        return;
    }
    let scratch = Scratch::with_real_recipes("distros-steps", "work");
    write_library(&scratch);
    let mut base = Base::new("steps", &scratch.workspace());
    base.hang_entries(&["zig-0", "musl-", "busybox-", "make-"]);
    let machine = Place::machine;
    let chroot = Place { root: Root::SecondMount, ..machine() };
    let off = Place { no_user_namespaces: true, ..machine() };
    let steps: [(&str, Place, &str, &str); 7] = [
        ("root", machine(), "namespaces", ""),
        ("nobody", Place { is_nobody: true, ..machine() }, "namespaces", ""),
        ("masked /proc", Place { masked_proc: true, ..machine() }, "namespaces", "systempaths"),
        ("a chroot", chroot, "namespaces of root", "in a chroot"),
        ("root, no user namespaces", off.clone(), "namespaces of root", "max_user_namespaces"),
        (
            "nobody, no user namespaces",
            Place { is_nobody: true, ..off },
            "landlock",
            "max_user_namespaces",
        ),
        ("off", Place { sandbox: "off", ..machine() }, "off", ""),
    ];
    let mut digests = Vec::new();
    for (name, place, expected, reason) in steps {
        let run = base.run(&place, &["--mirror", "mirror", "dist", "--offline"]).ok();
        let way = way(&base);
        if expected == "landlock" && run.stderr.contains("this kernel has no Landlock") {
            skip(&format!("{name}: {way} instead of {expected}, since this kernel has none"));
        } else {
            assert_eq!(way, expected, "{name}: {}", run.all());
        }
        let notes: Vec<_> = run.stderr.lines().filter(|line| line.contains("sandbox: ")).collect();
        assert_eq!(notes.len(), usize::from(!reason.is_empty()), "{name}: {}", run.all());
        assert!(notes.iter().all(|note| note.contains(reason)), "{name}: {notes:?}");
        digests.push((name, digest(&base, "tinyapp")));
    }
    let first = digests[0].1.clone();
    assert!(digests.iter().all(|(_, digest)| *digest == first), "{digests:#?}");
}

/// A root file system made by debootstrap; gone when dropped.
struct System(PathBuf);

impl Drop for System {
    fn drop(&mut self) {
        let _ = remove_tree(&self.0);
    }
}

impl System {
    /// The smallest system of a suite; `None`, said loudly, where it cannot be had.
    fn new(suite: &str, mirror: &str) -> Option<Self> {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("system-{suite}"));
        remove_tree(&root).unwrap();
        let system = Self(root);
        let mut command = process::command("debootstrap");
        command.args(["--variant=minbase", suite]).arg(&system.0).arg(mirror);
        let run = Run::of(&mut command);
        if !run.status.success() {
            let said = process::last_lines(&format!("{}{}", run.stdout, run.stderr), 3);
            skip(&format!("a build on {suite}: debootstrap: {said}"));
            return None;
        }
        Some(system)
    }
}

/// The first mirror of apt that is not one of security updates only.
fn mirror() -> Option<String> {
    let mut command = process::command("apt-get");
    command.args(["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]);
    let run = Run::of(&mut command);
    run.stdout.lines().find(|uri| uri.trim_end_matches('/').ends_with("/debian")).map(str::to_owned)
}

/// certwatch with all its C libraries and all tools, from nothing but the unpacked toolchain, on three
/// systems that have no compiler and no make of their own; each is entered in
/// another way, so that the sandbox is another, too. It is the program that this machine builds.
#[test]
fn other_systems_build_the_same_certwatch() {
    let what = "certwatch on other systems";
    if !can_run(what, "MUSLIN_TEST_SLOW") {
        return;
    }
    let Some(mirror) = find_program("debootstrap").and_then(|_| mirror()) else {
        return skip(&format!("{what}: it takes debootstrap and apt with a mirror of Debian"));
    };
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let arguments = ["dist", "--offline", "--bin", "certwatch"];
    let expected = {
        let mut base = Base::new("here", checkout);
        base.hang_entries(&[""]);
        base.hang_downloads();
        base.run(&Place::machine(), &arguments).ok();
        digest(&base, "certwatch")
    };
    for suite in ["bookworm", "trixie", "sid"] {
        let Some(system) = System::new(suite, &mirror) else { continue };
        let root = system.0.clone();
        let (root, is_nobody, expected_way) = match suite {
            "bookworm" => (Root::Chroot(root), false, "namespaces of root"),
            "trixie" => (Root::Started(root), true, "namespaces"),
            _ => (Root::Chroot(root), true, "landlock"),
        };
        let mut base = Base::new(suite, checkout);
        base.hang_entries(&["zig-0"]);
        base.hang_downloads();
        let run = base.run(&Place { root, is_nobody, ..Place::machine() }, &arguments).ok();
        assert_eq!(way(&base), expected_way, "{suite}: {}", run.all());
        assert_eq!(digest(&base, "certwatch"), expected, "{suite}: {}", run.all());
        let compilers = names(&system.0.join("usr/bin"));
        assert!(!compilers.iter().any(|name| name == "cc" || name == "gcc" || name == "make"));
    }
}
