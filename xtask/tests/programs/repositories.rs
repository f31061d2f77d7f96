//! Programs that read git's repositories.

use crate::built::Program;
use crate::repository::Repository;
use crate::terminal::Terminal;

/// What libgit2 brings of recipes.
const LIBGIT2: [&str; 6] = [
    "libgit2: libgit2.a",
    "libssh2: libssh2.a",
    "openssl: libcrypto.a",
    "openssl: libssl.a",
    "pcre2: libpcre2-8.a",
    "zlib: libz.a",
];

#[test]
fn gitui() {
    let program = Program {
        name: "gitui",
        version: "0.28.1",
        arguments: &[],
        needs: &["git", "script", "stty"],
    };
    let Some(built) = program.build() else { return };
    built.links("gitui", &LIBGIT2);
    built.has_copies_of(&[]);
    let repository = Repository::begin(&built.root.join("cloth"));
    repository.write("pattern.txt", "over under\n");
    repository.commit("Twill instead of satin");
    repository.write("pattern.txt", "over over under\n");
    repository.write("loose-thread.txt", "red\n");

    let mut screen = Terminal::start(&built, "gitui", &["--directory", "/cloth"]);
    screen.shows("pattern.txt");
    screen.shows("loose-thread.txt");
    screen.shows("{loom}");
    screen.press("2");
    screen.shows("Twill instead of satin");
    screen.shows("Wanda");
    screen.press("q");
    screen.ends();
    built.done("a repository opened in a terminal: its changes, its branch, its log");
}

#[test]
fn bat() {
    let program = Program { name: "bat", version: "0.26.1", arguments: &[], needs: &["git"] };
    let Some(built) = program.build() else { return };
    built.links("bat", &[&LIBGIT2[..], &["oniguruma: libonig.a"]].concat());
    built.has_copies_of(&[]);
    let repository = Repository::begin(&built.root.join("cloth"));
    repository.write("loom.rs", "fn warp() {}\nfn weft() {}\nfn last() {}\n");
    repository.commit("A loom");
    repository
        .write("loom.rs", "fn warp() {}\nfn weft() { let n = 12; }\nfn last() {}\nfn new() {}\n");
    let told = built.run(
        "bat",
        &[
            "--paging=never",
            "--style=changes,numbers",
            "--color=never",
            "--decorations=always",
            "/cloth/loom.rs",
        ],
    );
    let lines: Vec<_> = told.lines().map(str::trim).collect();
    assert!(lines[0].starts_with("1 ") && !lines[0].contains('~'), "{told}");
    assert!(lines[1].starts_with("2 ~"), "{told}");
    assert!(lines[3].starts_with("4 +"), "{told}");
    let told = built.run("bat", &["--paging=never", "--plain", "--color=always", "/cloth/loom.rs"]);
    let coloured = |word: &str| {
        let (before, _) = told.split_once(word).unwrap();
        before.ends_with('m') && before.contains("\x1b[38;")
    };
    assert!(coloured("fn") && coloured("warp") && coloured("12"), "{told}");
    let told = built.run("bat", &["--diff", "--paging=never", "--color=never", "/cloth/loom.rs"]);
    assert!(told.contains("let n = 12"), "{told}");
    built.done("a file of a repository with marks of its changes, and in colours");
}

#[test]
fn git_cliff() {
    let program = Program { name: "git-cliff", version: "2.14.2", arguments: &[], needs: &["git"] };
    let Some(built) = program.build() else { return };
    built.links("git-cliff", &[&LIBGIT2[..], &["zstd: libzstd.a"]].concat());
    let repository = Repository::begin(&built.root.join("cloth"));
    repository.write("a", "1");
    repository.commit("feat(loom): weave twice as fast");
    repository.git(&["tag", "v1.0.0"]);
    repository.write("a", "2");
    repository.commit("fix: threads no longer break");
    let told = built.run("git-cliff", &["--workdir", "/cloth"]);
    let order =
        ["[unreleased]", "Threads no longer break", "[1.0.0]", "2026-02-03", "Weave twice as fast"];
    let places: Vec<_> = order.iter().map(|words| told.find(words)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{told}");
    built.done("a changelog from tags and commits");
}
