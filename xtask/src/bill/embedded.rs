//! The essence of a bill inside of a program: what `cargo auditable` puts into the section `.dep-v0`,
//! JSON that zlib has compressed, so that whoever can read that finds the crates, and the C libraries
//! besides them.
//!
//! Versions there are semantic ones; those of C libraries are not always, and get the form.

use std::io::Read as _;

use anyhow::{Context as _, Result, bail};
use flate2::Compression;
use flate2::read::{ZlibDecoder, ZlibEncoder};
use serde::{Deserialize, Serialize};

use super::purl::{cpe, purl};
use super::runtime::STD;
use super::{Bill, Component, Role, Source};
use crate::recipe::Recipes;

/// The section of a program.
pub const SECTION: &str = ".dep-v0";

/// The revision of the format in which proc-macros and what they need are not among what is linked.
const FORMAT: u32 = 1;

/// More than any program has; the section may be a bomb.
const JSON_MAX_BYTES: u64 = 8 << 20;

/// Sources of packages, as the format has them.
const OWN_REGISTRY: &str = concat!("crates", ".io");
const OTHER_REGISTRY: &str = "registry";
const GIT: &str = "git";
const LOCAL: &str = "local";

/// The source of what is no crate: how its package URL begins.
const GENERIC: &str = "pkg:generic";

#[derive(Serialize, Deserialize)]
struct Packages {
    packages: Vec<Package>,
    #[serde(default)]
    format: u32,
}

#[derive(Serialize, Deserialize)]
struct Package {
    name: String,
    version: String,
    source: String,
    #[serde(default, skip_serializing_if = "Kind::is_runtime")]
    kind: Kind,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    dependencies: Vec<usize>,
    #[serde(default, skip_serializing_if = "is_false")]
    root: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Build,
    #[default]
    Runtime,
}

impl Kind {
    fn is_runtime(&self) -> bool {
        *self == Self::Runtime
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(it: &bool) -> bool {
    !*it
}

/// The bytes of the section for a bill.
pub fn section(bill: &Bill) -> Result<Vec<u8>> {
    let json = serde_json::to_vec(&packages(bill))?;
    let mut bytes = Vec::new();
    ZlibEncoder::new(&*json, Compression::best()).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The packages in the format's order: by name, version and source.
fn packages(bill: &Bill) -> Packages {
    let mut kept: Vec<(usize, Package)> = bill
        .components
        .iter()
        .enumerate()
        .filter_map(|(at, it)| Some((at, package(it)?)))
        .collect();
    kept.sort_by(|(_, a), (_, b)| {
        (&a.name, &a.version, &a.source).cmp(&(&b.name, &b.version, &b.source))
    });
    let place = |at: &usize| kept.iter().position(|(it, _)| it == at);
    let needs = |at: usize| {
        let mut needs: Vec<usize> = bill.components[at].needs.iter().filter_map(place).collect();
        needs.sort_unstable();
        needs
    };
    let needs: Vec<_> = kept.iter().map(|(at, _)| needs(*at)).collect();
    let packages = kept.into_iter().zip(needs);
    let packages = packages.map(|((_, it), dependencies)| Package { dependencies, ..it });
    Packages { packages: packages.collect(), format: FORMAT }
}

/// Nothing for what is not in the program, has no version, or is a part of the standard library.
fn package(component: &Component) -> Option<Package> {
    let source = match component.role {
        Role::Crate(Source::Registry) => OWN_REGISTRY,
        Role::Crate(Source::OtherRegistry) => OTHER_REGISTRY,
        Role::Crate(Source::Git) => GIT,
        Role::Package | Role::Crate(Source::Local) => LOCAL,
        Role::Library | Role::Bundled | Role::Runtime => GENERIC,
        Role::Tool => return None,
    };
    let is_rust = component.name == "compiler_builtins" && component.role == Role::Runtime;
    let version = component.version.as_deref().filter(|_| !is_rust)?;
    Some(Package {
        name: component.name.clone(),
        version: if source == GENERIC { semantic(version) } else { version.to_owned() },
        source: source.to_owned(),
        kind: Kind::Runtime,
        dependencies: Vec::new(),
        root: component.role == Role::Package,
    })
}

/// A version as a semantic one. What is lost of it comes behind a plus sign, which counts for nothing.
fn semantic(version: &str) -> String {
    let numbers = version.split('.').map_while(|part| part.parse::<u64>().ok());
    let mut numbers: Vec<_> = numbers.map(|number| number.to_string()).take(3).collect();
    let is_whole = numbers.join(".") == version;
    numbers.resize(3, "0".to_owned());
    let numbers = numbers.join(".");
    let rest: String =
        version.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    if is_whole { numbers } else { format!("{numbers}+{rest}") }
}

/// What the section of a program says, as JSON.
pub fn json(section: &[u8]) -> Result<String> {
    let mut text = String::new();
    let read = ZlibDecoder::new(section).take(JSON_MAX_BYTES + 1).read_to_string(&mut text);
    read.with_context(|| format!("the section {SECTION} is not what zlib has compressed"))?;
    if text.len() as u64 > JSON_MAX_BYTES {
        bail!("the section {SECTION} unpacks to more than {} MiB", JSON_MAX_BYTES >> 20);
    }
    Ok(text)
}

/// The bill that was put into a program, the package first. Recipes know by which name a library's
/// vulnerabilities are told.
pub fn bill(json: &str, recipes: &Recipes) -> Result<Bill> {
    let read: Packages = serde_json::from_str(json)
        .with_context(|| format!("the section {SECTION} is not in the format of its name"))?;
    let runtime: Vec<usize> = read
        .packages
        .iter()
        .find(|it| it.source == GENERIC && it.name == STD)
        .map(|it| it.dependencies.clone())
        .unwrap_or_default();
    let mut order: Vec<usize> = (0..read.packages.len()).collect();
    order.sort_by_key(|at| !read.packages[*at].root);
    let place = |at: &usize| order.iter().position(|it| it == at);
    let mut bill = Bill::default();
    for at in &order {
        let package = &read.packages[*at];
        let is_runtime = package.name == STD || runtime.contains(at);
        let mut component = component(package, is_runtime, recipes);
        component.needs = package.dependencies.iter().filter_map(place).collect();
        if package.dependencies.iter().any(|need| *need >= read.packages.len()) {
            bail!("the section {SECTION} names a package that it does not have");
        }
        bill.components.push(component);
    }
    Ok(bill)
}

fn component(package: &Package, is_runtime: bool, recipes: &Recipes) -> Component {
    let Package { name, version, .. } = package;
    let role = match (package.root, package.kind, package.source.as_str()) {
        (true, ..) => Role::Package,
        (_, Kind::Build, _) => Role::Tool,
        (_, _, GENERIC) if is_runtime => Role::Runtime,
        (_, _, GENERIC) => Role::Library,
        (_, _, OWN_REGISTRY) => Role::Crate(Source::Registry),
        (_, _, OTHER_REGISTRY) => Role::Crate(Source::OtherRegistry),
        (_, _, GIT) => Role::Crate(Source::Git),
        _ => Role::Crate(Source::Local),
    };
    if package.source != GENERIC {
        let mut component = Component::new(role, name, Some(version));
        component.purl = purl("cargo", name, Some(version), &[]);
        return component;
    }
    let (numbers, whole) = version.split_once('+').unwrap_or((version, version));
    let mut component = Component::new(role, name, Some(numbers));
    let product = match name.as_str() {
        STD => Some("rust-lang:rust"),
        "musl" => Some("musl-libc:musl"),
        _ => recipes.libraries.get(name).and_then(|it| it.cpe.as_deref()),
    };
    component.cpe =
        product.map(|product| cpe(product, if whole == version { numbers } else { whole }));
    component
}

#[cfg(test)]
mod tests {
    use super::bill as read_back;
    use super::*;

    #[test]
    fn versions_get_the_form_and_keep_what_they_say() {
        for (version, expected) in [
            ("3.6.3", "3.6.3"),
            ("6.5", "6.5.0"),
            ("1.22.1.4", "1.22.1+1-22-1-4"),
            ("9e", "0.0.0+9e"),
            ("5.2.1_p3", "5.2.0+5-2-1-p3"),
            ("2025.01", "2025.1.0+2025-01"),
        ] {
            assert_eq!(semantic(version), expected);
        }
    }

    #[test]
    fn what_was_put_in_comes_out() {
        let mut bill = Bill::default();
        for (role, name, version) in [
            (Role::Package, "zed", "1.0.0"),
            (Role::Crate(Source::Registry), "libz-sys", "1.1.0"),
            (Role::Library, "zlib", "1.3"),
            (Role::Runtime, STD, "1.95.0"),
            (Role::Runtime, "musl", "1.2.5"),
            (Role::Tool, "zig", "0.17.0"),
        ] {
            bill.add(Component::new(role, name, Some(version)));
        }
        for (from, to) in [(0, 1), (0, 3), (1, 2), (3, 4), (2, 4)] {
            bill.link(from, to);
        }
        let bytes = section(&bill).unwrap();
        assert_eq!(bytes, section(&bill).unwrap());
        let json = json(&bytes).unwrap();
        let package = |rest: &str| format!("{{{rest}}}");
        let expected = [
            package(&format!(
                r#""name":"libz-sys","version":"1.1.0","source":"{OWN_REGISTRY}","dependencies":[4]"#
            )),
            package(r#""name":"musl","version":"1.2.5","source":"pkg:generic""#),
            package(
                r#""name":"rust-std","version":"1.95.0","source":"pkg:generic","dependencies":[1]"#,
            ),
            package(
                r#""name":"zed","version":"1.0.0","source":"local","dependencies":[0,2],"root":true"#,
            ),
            package(r#""name":"zlib","version":"1.3.0","source":"pkg:generic","dependencies":[1]"#),
        ];
        assert_eq!(json, format!(r#"{{"packages":[{}],"format":1}}"#, expected.join(",")));
        let back = read_back(&json, &Recipes::default()).unwrap();
        let roles: Vec<_> = back.components.iter().map(|it| (it.role, it.name.as_str())).collect();
        assert_eq!(
            roles,
            [
                (Role::Package, "zed"),
                (Role::Crate(Source::Registry), "libz-sys"),
                (Role::Runtime, "musl"),
                (Role::Runtime, STD),
                (Role::Library, "zlib"),
            ]
        );
        assert_eq!(back.components[0].needs, [1, 3]);
        assert_eq!(back.components[1].needs, [4]);
    }

    #[test]
    fn what_is_no_such_section_is_refused() {
        assert!(json(b"no zlib").is_err());
        for text in
            ["{}", r#"{"packages":[{"name":"a","version":"1","source":"git","dependencies":[1]}]}"#]
        {
            assert!(read_back(text, &Recipes::default()).is_err(), "{text}");
        }
        let zeros = vec![b' '; 9 << 20];
        let mut bomb = Vec::new();
        ZlibEncoder::new(&*zeros, Compression::best()).read_to_end(&mut bomb).unwrap();
        assert!(json(&bomb).unwrap_err().to_string().contains("more than 8 MiB"));
    }
}
