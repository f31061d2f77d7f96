//! The rules on text that breaks them, and on text that only looks as if it did.

use serde_json::json;

use crate::{code, documents, licenses, rules, words};

fn lib() -> Vec<String> {
    rules::modules("//! x\npub mod low;\npub mod report;\n// pub mod no;\npub mod high;\n")
}

#[test]
fn comments_and_literals_are_no_code() {
    let text = "a(\"x // \\\" b\", 'c', '\\'', r#\"d\"e\"#) // f\n/* g\nh */ i<'j>(b\"k\");\n";
    let code = code::only(text);
    assert_eq!(code.lines().count(), 3);
    let words: String = code.split_whitespace().collect();
    assert_eq!(words, "a(,,,)i<'j>(b);");
    assert_eq!(code::without_tests("a\n#[cfg(test)]\n#[allow(x)]\nmod tests {}"), "a");
}

#[test]
fn layers_have_a_direction() {
    assert_eq!(lib(), ["low", "report", "high"]);
    let layers = |path, text| rules::layers(&lib(), path, text);
    for (path, text, expected) in [
        ("xtask/src/low.rs", "use crate::high::X;", "`low` uses `high`"),
        ("xtask/src/low/deep/er.rs", "\nlet x = crate::high::f();", ":2: `low` uses `high`"),
        ("xtask/src/low.rs", "use crate::{\n    low::A,\n    high::{B, C},\n};", "uses `high`"),
        ("xtask/src/low.rs", "use super::high;", "uses `high`"),
        ("xtask/src/low/deep.rs", "use super::super::high;", "uses `high`"),
        ("xtask/src/low.rs", "use crate::nothing;", "no module"),
    ] {
        let findings = layers(path, text);
        assert!(findings.len() == 1 && findings[0].contains(expected), "{text}: {findings:?}");
    }
    for (path, text) in [
        ("xtask/src/high.rs", "use crate::{low::{self, A}, report};"),
        ("xtask/src/high.rs", "// crate::nothing\nuse crate::high::inner;"),
        ("xtask/src/low/deep.rs", "use super::high;"),
        ("xtask/src/low.rs", "x\n#[cfg(test)]\nmod tests { use crate::high; }"),
        ("xtask/src/main.rs", "use crate::high;"),
    ] {
        assert!(layers(path, text).is_empty(), "{text}: {:?}", layers(path, text));
    }
}

#[test]
fn doors_are_closed() {
    for text in ["println!(\"x\")", "std::io::stdout()", "Command::new(\"a\")", "std::env::var(k)"]
    {
        assert_eq!(rules::doors("xtask/src/high.rs", text).len(), 1, "{text}");
    }
    assert!(rules::doors("xtask/src/report.rs", "println!(\"x\"); eprint!(\"y\")").is_empty());
    assert!(rules::doors("xtask/src/process.rs", "Command::new(a); env::vars()").is_empty());
    assert_eq!(rules::doors("xtask/src/process.rs", "println!()").len(), 1);
    let quiet = "writeln!(x); my_println!(); SubCommand::new(); // dbg!\n\"print!\"; env::vars_of";
    assert!(rules::doors("xtask/src/high.rs", quiet).is_empty());
}

#[test]
fn long_files_and_functions_are_found() {
    let long = |count: usize| format!("//! x\nfn f() {{\n{}}}\n", "    {}\n".repeat(count));
    assert!(rules::lengths("a/src/b.rs", &long(68)).is_empty());
    assert!(rules::lengths("a/src/b.rs", &long(69))[0].contains("71 lines"));
    assert_eq!(rules::lengths("a/src/b.rs", &"\n".repeat(401)).len(), 1);
    assert!(rules::lengths("a/tests/b.rs", &"\n".repeat(500)).is_empty());
    assert_eq!(rules::lengths("a/tests/b.rs", &"\n".repeat(501)).len(), 1);
    assert!(rules::lengths("a/src/b.rs", "trait T { fn f(); }\n").is_empty());
    assert_eq!(rules::short_main("a/src/main.rs", &"\n".repeat(41)).len(), 1);
}

#[test]
fn openings_panics_and_names_are_found() {
    assert_eq!(rules::opening("a.rs", "use x;\n").len(), 1);
    assert_eq!(rules::opening("a.rs", "//!\n").len(), 1);
    assert!(rules::opening("a.rs", "//! What it is for.\n").is_empty());
    for text in ["x.unwrap()", "x.expect(\"y\")", "todo!()", "panic!(\"x\")", "unimplemented!()"] {
        assert_eq!(rules::panics("a/src/b.rs", text).len(), 1, "{text}");
    }
    let calm = "x.unwrap_or(1); expected(2); // panic!\n#[cfg(test)]\nmod tests { x.unwrap() }";
    assert!(rules::panics("a/src/b.rs", calm).is_empty());
    assert_eq!(rules::names("a/src/b/mod.rs").len(), 1);
    assert_eq!(rules::names("a/src/utils.rs").len(), 1);
    assert!(rules::names("a/src/model.rs").is_empty());
}

#[test]
fn unclean_text_is_found() {
    assert_eq!(words::white_space("a.rs", "x \ny\tz\n\n").len(), 3);
    assert!(words::white_space("a.rs", "x\n").is_empty());
    assert_eq!(words::tracked("a", &"x".repeat(400_000)).len(), 1);
    assert_eq!(words::tracked("a", "\0").len(), 1);
    assert_eq!(words::hosts("a", &["static.crates", ".io/x"].concat()).len(), 1);
    let path = |text: [&str; 2]| words::machine_paths("a", &text.concat()).len();
    assert_eq!((path(["in /ho", "me/ann/x"]), path(["=/ro", "ot/x"])), (1, 1));
    assert_eq!((path(["~/my-wo", "rk/x"]), path(["{build}/ho", "me/x"])), (0, 0));
    assert_eq!(words::builder("app/src/a.rs", "// an xtask of Muslin\n").len(), 2);
}

#[test]
fn poor_documents_are_found() {
    let digest = "[[source]]\nurl = \"x\"\nsha256 = \"y\"\n";
    assert_eq!(documents::digests("a.toml", digest).len(), 1);
    assert!(documents::digests("a.toml", &format!("# Seen there.\n{digest}")).is_empty());
    let manifest = "[dependencies]\na-b = \"1\"\nc = \"1\"\n";
    assert_eq!(
        documents::dependencies(manifest, "use a_b::x;"),
        ["xtask/Cargo.toml: `c` is not used"]
    );
    let exit = "    Done = 0,\n    Failed = 1,\n";
    assert_eq!(documents::readme("`cargo xtask dist` 0 1", &["dist", "env"], exit).len(), 3);
    assert!(
        documents::readme("`dist` Exit codes: 0 done, 1 not", &["dist", "help"], exit).is_empty()
    );
    assert_eq!(documents::architecture(&"\n".repeat(201), &lib()).len(), 4);
    assert!(documents::architecture("`low`, `report.rs`, `high/x.rs`", &lib()).is_empty());
    assert_eq!(documents::changelog("# 1.0\n").len(), 1);
}

#[test]
fn licenses_are_expressions() {
    let allowed = ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned);
    for text in ["MIT", "X OR MIT", "X/MIT", "(X OR MIT) AND ISC", "Apache-2.0 WITH LLVM-exception"]
    {
        assert!(licenses::is_allowed(text, &allowed), "{text}");
    }
    for text in ["", "X", "MIT AND X", "Apache-2.0", "(MIT", "MIT ISC", "X OR (MIT AND X)"] {
        assert!(!licenses::is_allowed(text, &allowed), "{text}");
    }
    let deny = "[licenses]\nallow = [\"MIT\"]\n";
    let package = |license, source| json!({ "name": "a", "license": license, "source": source });
    let packages = json!({ "packages": [package("MIT", "git+x"), package("X", "registry+x")] });
    assert_eq!(licenses::findings(deny, &packages).len(), 2);
}
