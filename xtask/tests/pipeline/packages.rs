//! What `dist` makes of checked programs.

use std::fs::{self, File, FileTimes};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::has_std;
use crate::scratch::{Scratch, TRIPLE, names};

/// Name, mode and bytes of each file of an archive.
type Files = Vec<(String, u32, Vec<u8>)>;

fn top() -> String {
    format!("tinyapp-0.3.0-{TRIPLE}")
}

fn read(plain: &[u8]) -> Files {
    let mut archive = tar::Archive::new(plain);
    let mut files = Files::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let header = entry.header();
        assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
        let name = entry.path().unwrap().to_str().unwrap().to_owned();
        let mode = entry.header().mode().unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        files.push((name, mode, bytes));
    }
    files
}

fn unpacked(place: &Path) -> Files {
    let (mut gzip, mut zstd) = (Vec::new(), Vec::new());
    let file = |ending: &str| File::open(place.join(format!("{}.{ending}", top()))).unwrap();
    flate2::read::GzDecoder::new(file("tar.gz")).read_to_end(&mut gzip).unwrap();
    let mut decoder = ruzstd::decoding::StreamingDecoder::new(file("tar.zst")).unwrap();
    decoder.read_to_end(&mut zstd).unwrap();
    assert_eq!(gzip, zstd);
    read(&gzip)
}

fn listed(files: &Files) -> Vec<(String, u32)> {
    let top = top() + "/";
    files
        .iter()
        .map(|(name, mode, _)| (name.strip_prefix(&top).unwrap().to_owned(), *mode))
        .collect()
}

fn place(scratch: &Scratch) -> PathBuf {
    scratch.target().join("dist").join(TRIPLE)
}

#[test]
fn archives_hold_the_programs_and_what_users_look_for() {
    if !has_std() {
        return;
    }
    let scratch = Scratch::new("archives");
    for (path, text) in [
        ("app/README.md", "# tinyapp\n"),
        ("app/LICENSE-MIT", "Permission is hereby granted\n"),
        ("app/completions/tinyapp.fish", "complete -c tinyapp\n"),
        ("app/man/tinyapp.1", ".TH TINYAPP 1\n"),
        ("app/notes.txt", "no\n"),
        ("app/etc/tinyapp.toml", "loud = true\n"),
    ] {
        scratch.write(path, text);
    }
    let wish = "[package.metadata.muslin.archive]\ninclude = [\"etc\"]\n";
    scratch.write_app("app", wish);
    scratch.run(&["dist"]).ok();
    let place = place(&scratch);
    let files = unpacked(&place);
    let usual = [
        ("LICENSE-MIT", 0o644),
        ("README.md", 0o644),
        ("THIRD-PARTY-LICENSES.txt", 0o644),
        ("completions/tinyapp.fish", 0o644),
        ("etc/tinyapp.toml", 0o644),
        ("man/tinyapp.1", 0o644),
        ("tinyapp", 0o755),
    ];
    assert_eq!(listed(&files), usual.map(|(name, mode)| (name.to_owned(), mode)));
    let program = &files.last().unwrap().2;
    assert_eq!(*program, fs::read(place.join("tinyapp")).unwrap());

    // The same again, from files of another time; and what is there as it would be is not written.
    let gzip = place.join(format!("{}.tar.gz", top()));
    let written = || fs::metadata(&gzip).unwrap().modified().unwrap();
    let (before, first) = (fs::read(&gzip).unwrap(), written());
    let readme = File::options().write(true).open(scratch.workspace().join("app/README.md"));
    readme.unwrap().set_times(FileTimes::new().set_modified(SystemTime::UNIX_EPOCH)).unwrap();
    scratch.run(&["dist"]).ok();
    assert_eq!(written(), first);
    fs::remove_file(&gzip).unwrap();
    scratch.run(&["dist"]).ok();
    assert_eq!(fs::read(&gzip).unwrap(), before);
    // What somebody has damaged is made again.
    fs::write(&gzip, "damaged").unwrap();
    scratch.run(&["dist"]).ok();
    assert_eq!(fs::read(&gzip).unwrap(), before);
    let sums = fs::read_to_string(place.join("SHA256SUMS")).unwrap();
    let digest = xtask::digest::Digest::sha256_of(&before).hex();
    assert!(sums.contains(&format!("{digest}  {}.tar.gz\n", top())), "{sums}");

    // What is not wanted any more goes.
    scratch.run(&["dist", "--only", "programs"]).ok();
    assert_eq!(names(&place), ["SHA256SUMS", "manifest.json", "tinyapp"]);
}

#[test]
fn the_manifest_chooses_what_goes_in() {
    if !has_std() {
        return;
    }
    let scratch = Scratch::new("archive-wishes");
    scratch.write("app/README.md", "# tinyapp\n");
    scratch.write("app/etc/tinyapp.toml", "loud = true\n");
    let with = |wish: &str| {
        scratch.write_app("app", &format!("[package.metadata.muslin.archive]\n{wish}\n"));
        scratch.run(&["dist"])
    };
    with("auto = false\ninclude = [\"etc/tinyapp.toml\"]").ok();
    let files = listed(&unpacked(&place(&scratch)));
    let expected =
        [("THIRD-PARTY-LICENSES.txt", 0o644), ("etc/tinyapp.toml", 0o644), ("tinyapp", 0o755)];
    assert_eq!(files, expected.map(|(name, mode)| (name.to_owned(), mode)));
    for (wish, words) in [
        ("include = [\"etc/none\"]", ["`archive.include`", "`etc/none`, which is not there"]),
        ("include = [\"../x\"]", ["`../x`", "no path below that folder"]),
        ("include = [\"/etc/passwd\"]", ["`/etc/passwd`", "no path below that folder"]),
        ("includes = [\"x\"]", ["unknown field `includes`", "`archive` (`include`"]),
    ] {
        with(wish).fails(2, &words);
    }
}
