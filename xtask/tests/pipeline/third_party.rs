//! `THIRD-PARTY-LICENSES.txt`: what is in it, and when it is refused.

use std::fs;

use crate::has_std;
use crate::scratch::{Scratch, TRIPLE};

fn text(scratch: &Scratch) -> String {
    let place = scratch.target().join("dist").join(TRIPLE);
    fs::read_to_string(place.join("THIRD-PARTY-LICENSES.txt")).unwrap()
}

/// The part of a text that begins with these words, up to the next part.
fn part<'a>(text: &'a str, words: &str) -> &'a str {
    let rule = "-".repeat(80);
    // The table of all parts comes first.
    let mut parts = text.split(&rule).skip(1);
    let found = parts.find(|it| it.contains(words));
    found.unwrap_or_else(|| panic!("nothing of `{words}`: {text}"));
    parts.next().unwrap()
}

#[test]
fn the_texts_of_all_parts_stand_once() {
    if !has_std() {
        return;
    }
    let scratch = Scratch::new("third-party");
    // One with files, and one without, beside the workspace.
    for (name, authors) in [("alpha", ""), ("beta", "authors = [\"Bea <b@example.org>\"]\n")] {
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nlicense = \"MIT/Apache-2.0\"\n{authors}\
             [workspace]\n"
        );
        scratch.write(&format!("other/{name}/Cargo.toml"), &manifest);
        scratch.write(&format!("other/{name}/src/lib.rs"), "");
    }
    scratch.write("other/alpha/LICENSE-MIT", "Copyright Al\r\nAs you like.  \r\n");
    scratch.write("other/alpha/src/license.rs", "// no text\n");
    scratch.write("other/alpha/NOTICE", "Al wrote it.\n");
    scratch.edit(
        "app/Cargo.toml",
        "[dependencies]\n",
        "[dependencies]\nalpha = { path = \"../other/alpha\" }\nbeta = { path = \"../other/beta\" }\n",
    );
    scratch.run(&["dist"]).ok();
    let text = text(&scratch);
    assert!(text.starts_with("Third-party software in tinyapp 0.3.0\n"), "{text}");
    assert!(text.contains("\n  alpha 1.0.0               MIT OR Apache-2.0\n"), "{text}");
    assert_eq!(part(&text, "alpha 1.0.0 (LICENSE-MIT)"), "\n\nCopyright Al\nAs you like.\n\n");
    assert!(part(&text, "alpha 1.0.0 (NOTICE)").contains("Al wrote it."));
    let beta = part(&text, "beta 1.0.0 (the standard text of MIT)");
    assert!(beta.contains("Copyright (c) Bea <b@example.org>\n"), "{beta}");
    assert!(part(&text, "tiny 1.0 (the standard text of MIT)").contains("the authors of tiny"));
    assert!(part(&text, "musl 1.2").contains("Rich Felker"));
    assert!(part(&text, "libunwind").contains("LLVM Exceptions to the Apache 2.0 License"));
    assert!(part(&text, "Unicode-3.0").contains("UNICODE LICENSE V3"));
    assert!(text.contains("of its hashbrown-"), "{text}");
    assert!(!text.contains("tinyapp 0.3.0 (") && !text.contains("windows"), "{text}");
    let title = "Apache License\n";
    assert_eq!(text.matches(title).count(), text.matches("TERMS AND CONDITIONS FOR USE").count());

    // It is made anew when a text has changed on this disk, and only then.
    scratch.write("other/alpha/NOTICE", "Al and Bea wrote it.\n");
    scratch.run(&["dist"]).ok();
    assert!(self::text(&scratch).contains("Al and Bea wrote it."));
}

#[test]
fn what_the_list_does_not_allow_is_refused() {
    if !has_std() {
        return;
    }
    let scratch = Scratch::new("third-party-list");
    let list = |text: &str| scratch.write("app/deny.toml", text);
    list("[licenses]\nallow = [\"ISC\"]\n");
    let words = [
        "licenses",
        "deny.toml does not allow",
        "\n  tiny 1.0: MIT\n",
        "add \"MIT\" to `allow` under `[licenses]`",
        "`licenses.allow` under `[package.metadata.muslin]`",
    ];
    scratch.run(&["dist"]).fails(5, &words);
    assert!(!scratch.target().join("dist").exists());
    list("[licenses\n");
    scratch.run(&["dist"]).fails(2, &["cannot read", "deny.toml", "cargo-deny's configuration"]);
    scratch.run(&["dist", "--only", "programs"]).ok();
    // By an exception, by the manifest, and by what is said to be the truth.
    list("[licenses]\nallow = [\"MIT\"]\n");
    scratch.run(&["dist"]).ok();
    scratch.edit("recipes/libraries/tiny.toml", "\"MIT\"", "\"Zlib AND (ISC OR MIT)\"");
    let words = ["\n  tiny 1.0: Zlib AND (ISC OR MIT)\n", "add \"Zlib\", \"ISC\" to `allow`"];
    scratch.run(&["dist"]).fails(5, &words);
    list(
        "[licenses]\nallow = [\"MIT\"]\nexceptions = [{ crate = \"tiny\", allow = [\"Zlib\"] }]\n",
    );
    scratch.run(&["dist"]).ok();
    list("[licenses]\nallow = [\"MIT\"]\n");
    scratch.write_app("app", "[package.metadata.muslin.licenses]\nallow = [\"Zlib\"]\n");
    scratch.run(&["dist"]).ok();
    list(
        "[licenses]\nallow = [\"MIT\"]\n[[licenses.clarify]]\ncrate = \"tiny\"\nexpression = \"MIT\"\n\
         license-files = []\n",
    );
    scratch.write_app("app", "");
    scratch.run(&["dist"]).ok();
}

#[test]
fn a_part_without_a_text_is_refused_until_one_is_named() {
    if !has_std() {
        return;
    }
    let scratch = Scratch::new("third-party-text");
    scratch.edit("recipes/libraries/tiny.toml", "\"MIT\"", "\"LicenseRef-tiny\"");
    let words = [
        "whose licence has no text",
        "\n  tiny 1.0 (LicenseRef-tiny)",
        "`licenses.texts = { tiny = \"licenses/tiny.txt\" }`",
    ];
    scratch.run(&["dist"]).fails(5, &words);
    let wish = "[package.metadata.muslin.licenses]\ntexts = { tiny = \"licenses/tiny.txt\" }\n";
    scratch.write_app("app", wish);
    scratch.run(&["dist"]).fails(2, &["`licenses.texts`", "licenses/tiny.txt, which is not there"]);
    scratch.write("app/licenses/tiny.txt", "It is tiny.\n");
    scratch.run(&["dist"]).ok();
    assert_eq!(part(&text(&scratch), "tiny 1.0 (tiny.txt)"), "\n\nIt is tiny.\n");
}
