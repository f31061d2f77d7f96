//! Every kind of mistake in a recipe, and what people are told about it.
//!
//! A case is `recipes/<case>.toml`, one library, or a folder `recipes/<case>/` that is laid out as
//! the real `recipes/`. Beside it `<case>.stderr` holds what must be said, to the letter. Where a
//! case brings no `targets.toml`, the real one is used. After a change of words, run the tests with
//! `MUSLIN_BLESS=1` and read the difference.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use xtask::recipe::diagnostic::{self, File};
use xtask::recipe::{Build, Origin, OverrideValue, Recipes, load, manifest};

/// The case without mistakes.
const GOOD: &str = "good";

fn cases_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recipes")
}

fn targets() -> File {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../recipes/targets.toml");
    file("recipes/targets.toml", fs::read(path).unwrap())
}

/// The tools of the case without mistakes, which every case without tools of its own can name.
fn tools() -> Vec<File> {
    let mut files = load::read(&cases_folder().join(GOOD)).unwrap();
    files.retain(|file| file.path.starts_with("recipes/tools/"));
    assert!(files.len() > 2, "{} tools", files.len());
    files.iter_mut().for_each(without_digests);
    files
}

/// Most cases have no toolchains whose digests a tool could have.
fn without_digests(file: &mut File) {
    let text = file.text().split("[digest]").next().unwrap_or_default().to_owned();
    file.bytes = text.into_bytes();
}

fn file(path: &str, bytes: impl Into<Vec<u8>>) -> File {
    File { path: path.to_owned(), bytes: bytes.into() }
}

/// Names and files of all cases.
fn cases() -> Vec<(String, Vec<File>)> {
    let mut found = Vec::new();
    for item in fs::read_dir(cases_folder()).unwrap() {
        let path = item.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let mut files = if path.is_dir() {
            load::read(&path).unwrap()
        } else if let Some(name) = name.strip_suffix(".toml") {
            vec![file(&format!("recipes/libraries/{name}.toml"), fs::read(&path).unwrap())]
        } else {
            assert!(name.ends_with(".stderr"), "{name} is neither a case nor an expectation");
            continue;
        };
        if name != "targets-missing"
            && !files.iter().any(|file| file.path.ends_with("targets.toml"))
        {
            files.push(targets());
        }
        if !files.iter().any(|file| file.path.starts_with("recipes/tools/")) {
            files.extend(tools());
        }
        found.push((name.trim_end_matches(".toml").to_owned(), files));
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

fn said(files: &[File]) -> String {
    match manifest::parse(files) {
        Ok(_) => String::new(),
        Err(mistakes) => diagnostic::render(&mistakes, false) + "\n",
    }
}

#[test]
fn every_mistake_is_told_as_written_down() {
    let bless = xtask::process::env_var("MUSLIN_BLESS").is_some();
    let mut wrong = Vec::new();
    let cases = cases();
    for (name, files) in cases.iter().filter(|(name, _)| name != GOOD) {
        let found = said(files);
        assert!(found.contains("error: "), "{name} has no mistake");
        let path = cases_folder().join(format!("{name}.stderr"));
        let expected = fs::read_to_string(&path).unwrap_or_default();
        if found == expected {
            continue;
        }
        if bless {
            fs::write(&path, found).unwrap();
        } else {
            wrong.push(format!("==== {name}: expected\n{expected}==== found\n{found}"));
        }
    }
    let hint = "run the tests with MUSLIN_BLESS=1 to accept what is said now, and read the diff";
    assert!(wrong.is_empty(), "{}\n{hint}", wrong.join("\n"));
    assert!(cases.len() > 30, "there are only {} cases", cases.len());
}

#[test]
fn every_expectation_has_its_case() {
    let names: Vec<_> = cases().into_iter().map(|(name, _)| name).collect();
    for item in fs::read_dir(cases_folder()).unwrap() {
        let file = item.unwrap().file_name().into_string().unwrap();
        if let Some(name) = file.strip_suffix(".stderr") {
            assert!(names.iter().any(|known| known == name), "{file} belongs to no case");
        }
    }
}

fn good() -> (Vec<File>, Recipes) {
    let (_, files) = cases().into_iter().find(|(name, _)| name == GOOD).unwrap();
    let recipes = match manifest::parse(&files) {
        Ok(recipes) => recipes,
        Err(mistakes) => panic!("{}", diagnostic::render(&mistakes, false)),
    };
    (files, recipes)
}

#[test]
fn good_recipes_become_what_they_say() {
    let (_, recipes) = good();
    let names: Vec<_> = recipes.libraries.keys().map(String::as_str).collect();
    assert_eq!(names, ["openssl", "sqlite", "tiny", "zlib"]);
    assert_eq!(recipes.targets["x86_64-unknown-linux-musl"].machine.elf, 62);
    assert_eq!(recipes.toolchains.len(), 2);

    let sqlite = &recipes.libraries["sqlite"];
    let Build::Compile(compile) = &sqlite.build else { panic!("{:?}", sqlite.build) };
    let define = |name: &str| compile.defines[name].as_str();
    assert_eq!((define("SQLITE_THREADSAFE"), define("NDEBUG"), define("NAME")), ("1", "", "\"x\""));
    assert!(matches!(&sqlite.sources[0].origin, Origin::Crate { name, version }
        if name == "libsqlite3-sys" && version == "0.35.0"));
    assert!(matches!(&sqlite.sources[1].origin, Origin::Url { mirrors, .. } if mirrors.len() == 1));

    let openssl = &recipes.libraries["openssl"];
    assert_eq!(openssl.dependencies, ["zlib"]);
    assert_eq!(openssl.patches[0].name, "0001-no-makecontext.patch");
    assert!(openssl.patches[0].text.starts_with("--- a/"));
    let env: Vec<_> = openssl.env.iter().map(|(key, _)| key.as_written()).collect();
    assert_eq!(env, ["{TARGET}_OPENSSL_DIR", "{TARGET}_OPENSSL_STATIC"], "in the order written");

    let zlib = &recipes.libraries["zlib"].overrides["z"];
    assert!(matches!(&zlib["rustc-link-lib"], OverrideValue::Many(libs) if libs.len() == 1));
    assert!(matches!(&zlib["include"], OverrideValue::One(_)));
}

#[test]
fn the_real_recipes_are_well() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    if let Err(error) = Recipes::load(&root) {
        panic!("{error}");
    }
}

#[test]
fn mistakes_have_the_exit_code_of_an_invalid_recipe() {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("empty");
    fs::create_dir_all(root.join("recipes")).unwrap();
    let error = Recipes::load(&root).unwrap_err();
    let failure = xtask::exit::Failure::find(&error).unwrap();
    assert_eq!(failure.exit, xtask::exit::Exit::RecipeInvalid);
    assert!(failure.message.ends_with("1 mistake in 1 recipe"), "{}", failure.message);
}

/// Reads the files of the good case, each in turn changed by `change`, and says all mistakes.
/// Returns how often.
fn damage(files: &[File], mut change: impl FnMut(&[u8]) -> Vec<Vec<u8>>) -> usize {
    let mut count = 0;
    for index in 0..files.len() {
        for bytes in change(&files[index].bytes) {
            let mut damaged = files.to_vec();
            damaged[index].bytes = bytes;
            let said = said(&damaged);
            assert!(said.is_empty() || said.contains(" in "), "{said}");
            count += 1;
        }
    }
    count
}

#[test]
fn no_truncation_panics() {
    for file in good().0 {
        let all = |bytes: &[u8]| (0..bytes.len()).map(|end| bytes[..end].to_vec()).collect();
        assert_eq!(damage(std::slice::from_ref(&file), all), file.bytes.len());
    }
}

/// A sequence of numbers, the same in every run.
struct Lcg(u64);

impl Lcg {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }
}

#[test]
fn no_mutation_panics() {
    const WORTH: &[u8] = b"\"'[]{}=.,#\\/\n\r\t \x00\x1b\x7f\xc3\xa9\xff\xef\xbb\xbf019aZ-_+";
    let mut random = Lcg(7);
    damage(&good().0, |bytes| {
        let mutate = |_| {
            let mut bytes = bytes.to_vec();
            for _ in 0..=random.below(4) {
                let at = random.below(bytes.len());
                match random.below(4) {
                    0 => bytes[at] = WORTH[random.below(WORTH.len())],
                    1 => bytes.insert(at, WORTH[random.below(WORTH.len())]),
                    2 => drop(bytes.remove(at)),
                    _ => {
                        let to = random.below(bytes.len());
                        let piece = bytes[at.min(to)..at.max(to)].to_vec();
                        bytes.splice(at..at, piece.into_iter().take(40));
                    }
                }
            }
            bytes
        };
        (0..200).map(mutate).collect()
    });
}

#[test]
fn hostile_files_cost_little() {
    let start = Instant::now();
    let huge = "x".repeat(1 << 19);
    for text in [
        format!("{}=1\n", vec!["a"; 200_000].join(".")),
        format!("links = {}1{}\n", "[".repeat(100_000), "]".repeat(100_000)),
        "= 1\n".repeat(100_000),
        "a = [1 2]\n".repeat(50_000),
        "[".repeat(1 << 19),
        format!("{huge} = 1\n"),
        format!("version = \"{huge}\"\n"),
        (0..10_000).map(|number| format!("key{number} = 1\n")).collect(),
        format!("links = [{}]\n", (0..10_000).map(|n| format!("\"k{n}\",")).collect::<String>()),
    ] {
        let said = said(&[file("recipes/libraries/x.toml", text), targets()]);
        assert!(said.contains("error: ") && said.len() < 2_000_000, "{}", said.len());
    }
    assert!(start.elapsed() < Duration::from_secs(60), "took {:?}", start.elapsed());
}
