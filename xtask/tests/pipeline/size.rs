//! `size`: what is in programs that were really linked, and what is said of files that are none.

use std::fs;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};

use flate2::{Compression, write::GzEncoder};
use object::read::archive::ArchiveFile;
use object::{Object as _, ObjectSection as _, SectionFlags, elf};
use serde_json::Value;

use crate::real::filled_store;
use crate::scratch::{Run, Scratch, TRIPLE};
use crate::{has_std, skip};
use xtask::process::{self, env_var};

/// The only account of a run, whose parts must add up.
fn account(scratch: &Scratch, arguments: &[&str]) -> Value {
    let run = scratch.run(&[&["size", "--message-format", "json"], arguments].concat()).ok();
    let events = run.events("size");
    let [account] = &events[..] else { panic!("{}", run.all()) };
    let total = account["size_bytes"].as_u64().unwrap();
    let path = account["path"].as_str().unwrap();
    assert_eq!(total, fs::metadata(scratch.workspace().join(path)).unwrap().len());
    let sum = |list: &Value| -> u64 {
        list.as_array().unwrap().iter().map(|it| it["size_bytes"].as_u64().unwrap()).sum()
    };
    assert_eq!(sum(&account["owners"]), total);
    assert_eq!(sum(&account["sections"]), total);
    for owner in account["owners"].as_array().unwrap() {
        assert_eq!(sum(&owner["items"]), owner["size_bytes"].as_u64().unwrap());
    }
    account.clone()
}

/// How many bytes an owner has, and of what kind it is.
fn owner(account: &Value, name: &str) -> Option<(String, u64)> {
    let owners = account["owners"].as_array().unwrap();
    let found = owners.iter().find(|it| it["name"] == name)?;
    Some((found["kind"].as_str()?.to_owned(), found["size_bytes"].as_u64()?))
}

fn kind(account: &Value, name: &str) -> String {
    let names = account["owners"].as_array().unwrap().iter().map(|owner| owner["name"].to_string());
    let names = names.take(60).collect::<Vec<_>>().join(", ");
    owner(account, name).unwrap_or_else(|| panic!("no {name}: {names}")).0
}

#[test]
fn what_is_no_program_is_an_error_in_words() {
    let scratch = Scratch::new("size-bad");
    scratch.run(&["size", "none"]).fails(1, &["cannot read none"]);
    scratch.run(&["size", "app"]).fails(1, &["app is not a file"]);
    scratch.write("script", "#!/bin/sh\n");
    scratch
        .run(&["size", "script"])
        .fails(1, &["script is not a readable ELF file: the file is a script", "target/dist/"]);
    let own = fs::read(std::env::current_exe().unwrap()).unwrap();
    fs::write(scratch.workspace().join("half"), &own[..own.len() / 2]).unwrap();
    scratch.run(&["size", "half"]).fails(1, &["half is not a readable ELF file: it is a broken"]);
    scratch.run(&["size"]).fails(1, &["there is no program of `tinyapp`", "`cargo xtask dist`"]);
    scratch.run(&["size", "a", "--bin", "b"]).fails(2, &["cannot be used with"]);
}

#[test]
fn a_program_of_any_origin_is_told_by_its_symbols() {
    let scratch = Scratch::new("size-other");
    let own = std::env::current_exe().unwrap();
    let account = account(&scratch, &[own.to_str().unwrap()]);
    assert_eq!((&account["evidence"], &account["map"]), (&"symbols".into(), &Value::Null));
    assert_eq!(kind(&account, "core"), "standard-library");
    assert_eq!(kind(&account, "serde_json"), "crate");
    assert_eq!(kind(&account, "tables of the linker"), "linker");
    assert_eq!(kind(&account, "functions and data of other code"), "unknown");
    assert_eq!(kind(&account, "names of symbols and sections"), "file");
}

#[test]
fn a_program_of_dist_is_told_by_crate_library_and_runtime() {
    if !has_std() {
        return;
    }
    let scratch = Scratch::new("size");
    scratch.run(&["dist"]).ok();
    let packed = scratch.target().join("dist").join(TRIPLE).join("tinyapp");
    let (known, of_file) = (account(&scratch, &[]), account(&scratch, &[packed.to_str().unwrap()]));
    assert_eq!((&known["evidence"], &known["owners"]), (&"build".into(), &of_file["owners"]));
    assert_eq!(kind(&known, "tiny 1.0"), "c-library");
    assert_eq!(kind(&known, "tinyapp 0.3.0"), "package");
    assert_eq!(kind(&known, "std"), "standard-library");
    assert_eq!(kind(&known, "musl libc"), "runtime");
    assert_eq!(kind(&known, "tables of the linker"), "linker");
    // The file that cargo has linked is the same by another name.
    let folder = scratch.target().join(TRIPLE).join("release");
    let linked = folder.join("tinyapp");
    assert_eq!(account(&scratch, &[linked.to_str().unwrap()])["owners"], known["owners"]);

    // Without what `dist` has kept only the map speaks.
    let store = scratch.at("other store");
    let elsewhere = ["--store", store.to_str().unwrap()];
    let by_map = account(&scratch, &[&elsewhere[..], &[linked.to_str().unwrap()]].concat());
    assert_eq!(by_map["evidence"], "map");
    assert_eq!(kind(&by_map, "libtiny_sys.rlib"), "unknown");
    assert_eq!(owner(&by_map, "core"), owner(&known, "core"));

    // A page, where it is asked for.
    let page = scratch.at("a page.html");
    let run = scratch.run(&["size", "--html", page.to_str().unwrap()]).ok();
    assert!(run.stdout.starts_with(" share       size  what\n"), "{}", run.all());
    assert!(run.stdout.contains("by the linker's map and what dist knew"), "{}", run.all());
    let text = fs::read_to_string(&page).unwrap();
    assert!(text.contains("<h1>What is in tinyapp</h1>") && text.contains("tiny 1.0"));
    for word in ["http:", "https:", "src=", "href=", "url("] {
        assert!(!text.contains(word), "{word}");
    }

    // A map that is gone, or that of another program, is not believed.
    for map in maps(&folder.join("deps")) {
        fs::remove_file(map).unwrap();
    }
    let run = scratch.run(&["size", packed.to_str().unwrap()]).ok();
    assert!(run.stdout.contains("by its own symbols"), "{}", run.all());
    run.says("a map of the linker is not used");
}

fn maps(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.filter(|file| file.extension().is_some_and(|it| it == "map")).collect()
}

#[test]
fn of_sqlite_no_more_is_in_a_program_than_its_archive_has() {
    let Some(store) = filled_store("the size of SQLite") else { return };
    let scratch = Scratch::with_real_recipes("size-sqlite", "work");
    std::os::unix::fs::symlink(store.root(), scratch.store()).unwrap();
    scratch.run(&["dist", "--only", "programs"]).ok();
    let account = account(&scratch, &[]);
    assert_eq!(account["evidence"], "build");
    let owners = account["owners"].as_array().unwrap();
    let of_sqlite = |it: &&Value| it["name"].as_str().unwrap().starts_with("sqlite ");
    let share = owners.iter().find(of_sqlite).unwrap()["size_bytes"].as_u64().unwrap();
    let env = scratch.run(&["env", "--format", "json"]).ok();
    let env: Value = serde_json::from_str(&env.stdout).unwrap();
    let folder = Path::new(env["SQLITE3_LIB_DIR"].as_str().unwrap());
    let all = loaded_bytes(&fs::read(folder.join("libsqlite3.a")).unwrap());
    // Some functions nobody calls; constants and texts are merged with those of others.
    assert!(share <= all && share * 10 >= all * 7, "{share} bytes of {all} in the archive");
}

/// The limits that docs/size.md promises.
const HELLO_MAX_BYTES: u64 = 350_000;
const SQLITE_MAX_BYTES: u64 = 1_100_000;
const SQLITE_LAYER_MAX_BYTES: usize = 600_000;

#[test]
fn the_small_profile_keeps_its_promise_with_any_package() {
    let what = "the profile dist-small";
    let store = filled_store(what).filter(|_| env_var("MUSLIN_TEST_SLOW").is_some());
    let Some(store) = store else { return skip(&format!("{what}: run `cargo xtask test --all`")) };
    // Its manifest has no such profile.
    let scratch = Scratch::with_real_recipes("size-small", "work");
    std::os::unix::fs::symlink(store.root(), scratch.store()).unwrap();
    let hello = "fn main() { println!(\"Hello, world!\"); assert!(std::env::var_os(\"BAD\").is_none(), \"too many\"); }\n";
    scratch.write("app/src/bin/hello.rs", hello);
    scratch.run(&["dist", "--only", "programs", "--profile", "dist-small"]).ok();
    let place = scratch.target().join("dist").join(TRIPLE);
    let bytes = |name: &str| fs::metadata(place.join(name)).unwrap().len();
    let (hello, sqlite) = (bytes("hello"), bytes("hello-sqlite"));
    assert!(hello <= HELLO_MAX_BYTES && sqlite <= SQLITE_MAX_BYTES, "{hello} {sqlite}");
    let mut layer = GzEncoder::new(Vec::new(), Compression::best());
    layer.write_all(&fs::read(place.join("hello-sqlite")).unwrap()).unwrap();
    let layer = layer.finish().unwrap().len();
    assert!(layer <= SQLITE_LAYER_MAX_BYTES, "{layer}");
    let said = Run::of(&mut process::command(place.join("hello-sqlite"))).ok().stdout;
    assert!(said.contains("Titan circles Saturn"), "{said}");
    // Who panics is still told why and where.
    let run = Run::of(process::command(place.join("hello")).env("BAD", "1"));
    assert_eq!(run.status.signal(), Some(6), "{}", run.all());
    run.says("src/bin/hello.rs:1:");
    run.says("too many");
}

/// What `size` would say of an archive's members: code, constants, data.
fn loaded_bytes(archive: &[u8]) -> u64 {
    let members = ArchiveFile::parse(archive).unwrap();
    let of_member = |data: &[u8]| -> u64 {
        let object = object::File::parse(data).unwrap();
        let is_loaded = |section: &object::Section<'_, '_>| match section.flags() {
            SectionFlags::Elf { sh_flags, .. } => sh_flags.0 & elf::SHF_ALLOC.0 != 0,
            _ => false,
        };
        let loaded = object.sections().filter(is_loaded);
        loaded.filter_map(|section| section.file_range()).map(|(_, size)| size).sum()
    };
    members.members().map(|member| of_member(member.unwrap().data(archive).unwrap())).sum()
}
