//! What programs are made of: `sbom.cdx.json`, the section inside of them, and their licences.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use xtask::process::{self, env_var, find_program};

use crate::scratch::{ODD, Run, Scratch, TRIPLE, names};
use crate::{has_std, skip};

fn place(scratch: &Scratch) -> PathBuf {
    scratch.target().join("dist").join(TRIPLE)
}

fn document(scratch: &Scratch) -> Value {
    serde_json::from_slice(&fs::read(place(scratch).join("sbom.cdx.json")).unwrap()).unwrap()
}

fn component<'a>(document: &'a Value, name: &str) -> &'a Value {
    let mut all = document["components"].as_array().unwrap().iter();
    all.find(|it| it["name"] == name).unwrap_or_else(|| panic!("no {name} in {document:#}"))
}

/// What a component needs, by the beginnings of their names.
fn needs(document: &Value, reference: &Value) -> Vec<String> {
    let mut all = document["dependencies"].as_array().unwrap().iter();
    let found = all.find(|it| it["ref"] == *reference).unwrap();
    let texts = found["dependsOn"].as_array().unwrap().iter().map(|it| it.as_str().unwrap());
    texts.map(|it| it.split(['@', '?']).next().unwrap().to_owned()).collect()
}

fn told(scratch: &Scratch) -> Value {
    let program = place(scratch).join("tinyapp");
    let run = scratch.run(&["sbom", program.to_str().unwrap(), "--format", "json"]).ok();
    serde_json::from_str(&run.stdout).unwrap()
}

fn version_inside(scratch: &Scratch, name: &str) -> String {
    let told = told(scratch);
    let mut packages = told["packages"].as_array().unwrap().iter();
    let package = packages.find(|it| it["name"] == name).unwrap();
    package["version"].as_str().unwrap().to_owned()
}

#[test]
fn the_bill_names_all_parts_and_is_the_same_everywhere() {
    if !has_std() {
        return;
    }
    let scratch = Scratch::new("bill");
    let cpe = "license = \"MIT\"\ncpe = \"tiny:tiny\"\nlinks";
    scratch.edit("recipes/libraries/tiny.toml", "license = \"MIT\"\nlinks", cpe);
    scratch.run(&["dist"]).ok();
    let document = document(&scratch);
    assert_eq!(document["specVersion"], "1.6");
    let root = &document["metadata"]["component"];
    assert_eq!((&root["name"], &root["version"]), (&"tinyapp".into(), &"0.3.0".into()));
    assert_eq!(root["components"][0]["name"], "tinyapp");
    assert_eq!(needs(&document, &root["bom-ref"]), ["pkg:cargo/tiny-sys", "pkg:generic/rust-std"]);
    let tiny = component(&document, "tiny");
    assert_eq!(tiny["cpe"], "cpe:2.3:a:tiny:tiny:1.0:*:*:*:*:*:*:*");
    assert_eq!(tiny["licenses"][0]["expression"], "MIT");
    assert_eq!(tiny["scope"], "required");
    assert_eq!(tiny["externalReferences"][0]["url"], "https://tiny.invalid/x.tar.gz");
    let digest = tiny["hashes"][0]["content"].as_str().unwrap();
    let purl = tiny["purl"].as_str().unwrap();
    assert!(purl.starts_with(&format!("pkg:generic/tiny@1.0?checksum=sha256:{digest}&")), "{purl}");
    assert_eq!(needs(&document, &tiny["bom-ref"]), ["pkg:generic/musl"]);
    let sys = component(&document, "tiny-sys");
    assert_eq!(needs(&document, &sys["bom-ref"]), ["pkg:generic/tiny"]);
    for (name, scope) in [
        ("musl", "required"),
        ("libunwind", "required"),
        ("compiler_builtins", "required"),
        ("rustc", "excluded"),
        ("fake", "excluded"),
    ] {
        assert_eq!(component(&document, name)["scope"], scope, "{name}");
    }

    // The same bytes below another path, but for the toolchain, which has that path in it.
    let other = Scratch::in_folders("bill-elsewhere", ODD);
    other.edit("recipes/libraries/tiny.toml", "license = \"MIT\"\nlinks", cpe);
    other.run(&["dist"]).ok();
    let plain = |scratch: &Scratch| {
        let text = fs::read_to_string(place(scratch).join("sbom.cdx.json")).unwrap();
        let document = self::document(scratch);
        let serial = document["serialNumber"].as_str().unwrap().to_owned();
        let fake =
            component(&document, "fake")["hashes"][0]["content"].as_str().unwrap().to_owned();
        text.replace(&serial, "").replace(&fake, "")
    };
    assert_eq!(plain(&scratch), plain(&other));
    for file in ["THIRD-PARTY-LICENSES.txt", "tinyapp"] {
        let [ours, theirs] = [&scratch, &other].map(|it| fs::read(place(it).join(file)).unwrap());
        assert!(ours == theirs, "{file}");
    }
}

#[test]
fn a_program_tells_what_it_is_made_of_and_is_linked_again_when_that_is_old() {
    if !has_std() {
        return;
    }
    let scratch = Scratch::new("bill-inside");
    scratch.run(&["dist", "--only", "programs"]).ok();
    let told = told(&scratch);
    let packages = told["packages"].as_array().unwrap();
    let names: Vec<_> = packages.iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["libunwind", "musl", "rust-std", "tiny", "tiny-sys", "tinyapp"]);
    assert_eq!(packages[5]["root"], true);
    assert_eq!(packages[5]["dependencies"], serde_json::json!([2, 4]));
    assert_eq!(packages[4]["dependencies"], serde_json::json!([3]));
    assert_eq!(packages[3]["source"], "pkg:generic");
    let program = place(&scratch).join("tinyapp");
    let first = fs::read(&program).unwrap();

    // Nothing that cargo sees has changed: only the name that a recipe's library has.
    assert_eq!(version_inside(&scratch, "tiny"), "1.0.0");
    scratch.edit("app/Cargo.toml", "version = \"0.3.0\"", "version = \"0.3.1\"");
    scratch.edit("recipes/libraries/tiny.toml", "version = \"1.0\"", "version = \"1.1\"");
    scratch.run(&["dist", "--only", "programs"]).ok();
    assert_eq!(version_inside(&scratch, "tiny"), "1.1.0");
    scratch.edit("recipes/libraries/tiny.toml", "version = \"1.1\"", "version = \"1.0\"");
    scratch.edit("app/Cargo.toml", "version = \"0.3.1\"", "version = \"0.3.0\"");
    scratch.run(&["dist", "--only", "programs"]).ok();
    assert_eq!(fs::read(&program).unwrap(), first);

    // A program that was linked by hand has no such section until `dist` sees it.
    let built = scratch.target().join(TRIPLE).join("release/tinyapp");
    let by_hand = "rm -r \"$1\"; shift; exec \"$@\"";
    let mut command = scratch.command(&["exec", "--", "sh", "-c", by_hand, "sh"]);
    command.arg(scratch.target().join(TRIPLE).join("release"));
    command.args(["cargo", "build", "--release", "--target", TRIPLE]);
    Run::of(command.current_dir(scratch.workspace().join("app"))).ok();
    scratch
        .run(&["sbom", built.to_str().unwrap()])
        .fails(1, &["does not tell what it is made of", "no section .dep-v0"]);
    scratch.run(&["dist", "--only", "programs"]).ok();
    assert_eq!(version_inside(&scratch, "tiny"), "1.0.0");

    // Who wants none has none.
    scratch.write_app("app", "[package.metadata.muslin]\nauditable = false\n");
    scratch.run(&["dist", "--only", "programs"]).ok();
    scratch.run(&["sbom", program.to_str().unwrap()]).fails(1, &["no section .dep-v0"]);
    scratch.write_app("app", "");
    scratch.run(&["dist", "--only", "programs"]).ok();
    let table = scratch.run(&["sbom", program.to_str().unwrap()]).ok().stdout;
    assert!(
        table.starts_with("tinyapp    0.3.0   package\ntiny       1.0.0   library\n"),
        "{table}"
    );
}

#[test]
fn the_bill_of_a_program_is_read_as_a_document_too() {
    if !has_std() {
        return;
    }
    let scratch = Scratch::new("bill-read");
    scratch.run(&["dist", "--only", "programs"]).ok();
    let program = place(&scratch).join("tinyapp");
    let arguments = ["sbom", program.to_str().unwrap(), "--format", "cyclonedx"];
    let run = scratch.run(&arguments).ok();
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(component(&document, "tiny")["purl"], "pkg:generic/tiny@1.0.0");
    assert_eq!(component(&document, "musl")["properties"][0]["value"], "runtime");
    let cargo = env_var("CARGO").unwrap();
    scratch.run(&["sbom", &cargo]).fails(1, &["no section .dep-v0"]);
    scratch.run(&["sbom", "app/Cargo.toml"]).fails(1, &["cannot read app/Cargo.toml"]);
}

#[test]
fn a_copy_that_a_crate_brings_is_on_the_bill_with_its_own_licence() {
    if !has_std() {
        return;
    }
    let scratch = Scratch::new("bill-copy");
    let own = "license = \"MIT\"\nbundled = { tiny-sys = [\"own\"] }\nlinks";
    scratch.edit("recipes/libraries/tiny.toml", "license = \"MIT\"\nlinks", own);
    let features = "[features]\ndefault = [\"own\"]\nown = []\n";
    scratch.write_sys_crate("app/tiny-sys", "tiny", features);
    scratch.edit("app/tiny-sys/Cargo.toml", "0.1.0", "0.1.0+tiny-0.9");
    scratch.write("app/tiny-sys/build.rs", "fn main() {}\n");
    scratch.write("app/tiny-sys/src/lib.rs", "pub unsafe fn tiny_answer() -> i32 { 41 }\n");
    scratch.write("app/tiny-sys/tiny/COPYING", "Tiny people.\n");
    scratch.run(&["dist"]).ok();
    let document = document(&scratch);
    let tiny = component(&document, "tiny");
    assert_eq!(tiny["purl"], "pkg:generic/tiny@0.9");
    assert_eq!(tiny["bom-ref"], "pkg:generic/tiny@0.9#tiny-sys@0.1.0+tiny-0.9");
    assert_eq!(tiny["properties"][0]["value"], "bundled library");
    assert_eq!(tiny["properties"][1]["value"], "tiny-sys 0.1.0+tiny-0.9");
    let sys = component(&document, "tiny-sys");
    assert_eq!(needs(&document, &sys["bom-ref"]), ["pkg:generic/tiny"]);
    assert_eq!(version_inside(&scratch, "tiny"), "0.9.0");
    let texts = fs::read_to_string(place(&scratch).join("THIRD-PARTY-LICENSES.txt")).unwrap();
    assert!(texts.contains("\ntiny 0.9 (tiny/COPYING)\n"), "{texts}");
}

/// Validates documents against the schema that the wheel of CycloneDX's own library has in it; says
/// loudly if it cannot be had.
fn validate(scratch: &Scratch, documents: &[&Path]) {
    let Some(python) = find_program("python3") else { return skip("no python3 to validate with") };
    let packages = scratch.at("packages");
    let mut pip = process::command(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target"]);
    pip.arg(&packages).arg("cyclonedx-python-lib[json-validation]==11.12.0");
    let output = pip.output().unwrap();
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return skip(&format!(
            "pip cannot bring CycloneDX's schema, so nothing is validated: {said}"
        ));
    }
    let script = "import sys\n\
        from cyclonedx.validation.json import JsonStrictValidator\n\
        from cyclonedx.schema import SchemaVersion\n\
        from cyclonedx.model.bom import Bom\n\
        import json\n\
        validator = JsonStrictValidator(SchemaVersion.V1_6)\n\
        for path in sys.argv[1:]:\n    \
            text = open(path).read()\n    \
            error = validator.validate_str(text)\n    \
            assert error is None, f'{path}: {error}'\n    \
            bom = Bom.from_json(json.loads(text))\n    \
            print(len(bom.components))\n\
        broken = json.loads(text)\n\
        broken['components'][0]['type'] = 'none'\n\
        assert validator.validate_str(json.dumps(broken)) is not None\n";
    let mut check = process::command(python);
    check.env("PYTHONPATH", packages);
    let run = Run::of(check.args(["-c", script]).args(documents)).ok();
    let counts: Vec<usize> = run.stdout.lines().map(|line| line.parse().unwrap()).collect();
    assert!(counts.len() == documents.len() && counts.iter().all(|count| *count > 4), "{counts:?}");
}

#[test]
fn the_bill_passes_the_official_schema() {
    if !has_std() {
        return;
    }
    if env_var("MUSLIN_TEST_ALL").is_none() {
        return skip("CycloneDX's schema is installed with MUSLIN_TEST_ALL only");
    }
    let scratch = Scratch::new("bill-schema");
    scratch.run(&["dist", "--only", "sbom"]).ok();
    assert_eq!(
        names(&place(&scratch)),
        ["SHA256SUMS", "manifest.json", "sbom.cdx.json", "tinyapp"]
    );
    let program = place(&scratch).join("tinyapp");
    let arguments = ["sbom", program.to_str().unwrap(), "--format", "cyclonedx"];
    let inside = scratch.at("inside.cdx.json");
    fs::write(&inside, scratch.run(&arguments).ok().stdout).unwrap();
    validate(&scratch, &[&place(&scratch).join("sbom.cdx.json"), &inside]);
}

/// `rust-audit-info` is what cargo-auditable has for reading such sections.
#[test]
fn another_program_reads_what_is_inside() {
    if !has_std() {
        return;
    }
    if env_var("MUSLIN_TEST_SLOW").is_none() {
        return skip("rust-audit-info is installed with MUSLIN_TEST_SLOW only");
    }
    let scratch = Scratch::new("bill-audit");
    scratch.run(&["dist", "--only", "programs"]).ok();
    let cargo = env_var("CARGO").unwrap();
    let tool = scratch.at("tool");
    let mut install = scratch.plain(&cargo);
    install.args([
        "install",
        "--quiet",
        "rust-audit-info@0.5.4",
        "--no-default-features",
        "--root",
    ]);
    Run::of(install.arg(&tool)).ok();
    let mut read = scratch.plain(tool.join("bin/rust-audit-info").to_str().unwrap());
    let said = Run::of(read.arg(place(&scratch).join("tinyapp"))).ok();
    let theirs: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(theirs, told(&scratch));
}
