//! The text of a first recipe, in the layout that recipes have here.

use super::edit::quoted;
use super::license;
use super::recognise::Looks;
use crate::recipe::{LicenseFile, Origin, Source};

/// What goes into a recipe.
#[derive(Debug, Default)]
pub struct Draft {
    /// One line.
    pub description: String,
    /// The version.
    pub version: String,
    /// SPDX expression.
    pub license: String,
    /// Where its text stands.
    pub license_files: Vec<LicenseFile>,
    /// The `links` key.
    pub links: Option<String>,
    /// The sources; for each, whether its digest is from a public record that the author named.
    pub sources: Vec<(Source, bool)>,
    /// Libraries.
    pub libs: Vec<String>,
    /// Headers, as the source tree has them.
    pub headers: Vec<String>,
    /// `.pc` files.
    pub pkgconfig: Vec<String>,
    /// What could not be found out.
    pub missing: Vec<String>,
}

/// A way to build.
#[derive(Clone, Debug)]
pub struct Way {
    tools: &'static [&'static str],
    build: String,
    libs: Vec<String>,
    /// What is not known of this way.
    pub missing: Vec<String>,
}

impl Draft {
    /// The ways to build a tree, the one that takes least first.
    pub fn ways(&self, looks: &Looks) -> Vec<Way> {
        let mut ways = Vec::new();
        let has = |system: &str| looks.systems.contains(&system);
        let is_plain = !has("configure") && !has("Configure") && !has("cmake") && !has("meson");
        let compile = || Way {
            tools: &[],
            build: self.compile(&looks.sources),
            // One list of files makes one library.
            libs: self.libs.iter().take(1).cloned().collect(),
            missing: vec![format!(
                "`build.compile`: these are all C files that seem to belong to it, without the macros \
                 that its own build sets{}",
                if has("configure.ac") {
                    " (`configure.ac` says which; there is no `configure`)"
                } else {
                    ""
                }
            )],
        };
        if is_plain && !looks.sources.is_empty() {
            ways.push(compile());
        }
        for script in ["configure", "Configure"].into_iter().filter(|script| has(script)) {
            let build = format!(
                "[build.configure]\nscript  = \"{script}\"\noptions = [\"--disable-shared\", \"--enable-static\"]\n"
            );
            let missing =
                vec!["`build.configure.options`: turn off what no program needs".to_owned()];
            let libs = self.libs.clone();
            ways.push(Way { tools: &["busybox", "make"], build, libs, missing });
        }
        if has("cmake") {
            let build = "[build.cmake]\n".to_owned();
            ways.push(Way { tools: &[], build, libs: self.libs.clone(), missing: vec![] });
        }
        if !is_plain && !looks.sources.is_empty() {
            ways.push(compile());
        }
        ways
    }

    fn compile(&self, sources: &[String]) -> String {
        let mut folders: Vec<&str> =
            self.headers.iter().filter_map(|it| Some(it.rsplit_once('/')?.0)).collect();
        folders.sort_unstable();
        folders.dedup();
        let include: Vec<&str> = folders
            .iter()
            .filter(|folder| !folders.iter().any(|other| folder.starts_with(&format!("{other}/"))))
            .copied()
            .collect();
        let mut text = "[build.compile]\n".to_owned();
        if !include.is_empty() {
            text.push_str(&format!("include = {}\n", list(&include)));
        }
        text.push_str(&format!("sources = {}\n", list(sources)));
        // Those of the top folder and of `include/` are found.
        let moved: Vec<(String, &String)> = self
            .headers
            .iter()
            .filter(|header| header.contains('/') && !header.starts_with("include/"))
            .map(|header| (installed(header), header))
            .collect();
        if !moved.is_empty() {
            text.push_str("\n[build.compile.headers]\n");
        }
        for (to, from) in moved {
            text.push_str(&format!("{} = {}\n", quoted(&to), quoted(from)));
        }
        text
    }

    /// The whole recipe.
    pub fn text(&self, way: &Way) -> String {
        let mut text = String::new();
        let mut line = |key: &str, value: String| {
            text.push_str(&format!("{key:<11} = {value}\n"));
        };
        line("description", quoted(&self.description));
        line("version", quoted(&self.version));
        line("license", quoted(&self.license));
        if !self.license_files.is_empty() {
            line("license-file", license::written(&self.license_files));
        }
        if let Some(links) = &self.links {
            line("links", list(&[links]));
        }
        if !way.tools.is_empty() {
            line("tools", list(way.tools));
        }
        for (source, is_recorded) in &self.sources {
            text.push_str(&source_text(source, *is_recorded));
        }
        text.push_str(&format!("\n{}", way.build));
        let headers: Vec<String> = self.headers.iter().map(|it| installed(it)).collect();
        text.push_str(&format!("\n[outputs]\nlibs      = {}\n", list(&way.libs)));
        if !headers.is_empty() {
            text.push_str(&format!("include   = {}\n", list(&headers)));
        }
        if !self.pkgconfig.is_empty() && way.libs.len() == self.libs.len() {
            text.push_str(&format!("pkgconfig = {}\n", list(&self.pkgconfig)));
        }
        if let Some(links) = &self.links {
            let libs: Vec<String> = way.libs.iter().map(|lib| format!("static={lib}")).collect();
            text.push_str(&format!(
                "\n# In place of the crate's build script; variables in `[env]` are better where it reads some.\n\
                 [override.{links}]\nrustc-link-lib    = {}\n\
                 rustc-link-search = [\"native={{sysroot}}/lib\"]\ninclude           = \"{{sysroot}}/include\"\n",
                list(&libs)
            ));
        }
        text
    }
}

/// A `[[source]]` with a line that says where its digest was seen.
fn source_text(source: &Source, is_recorded: bool) -> String {
    let (key, value, seen) = match &source.origin {
        Origin::Crate { name, version } => (
            "crate",
            format!("{name} {version}"),
            "the registry's index, and computed on the bytes",
        ),
        Origin::Pypi { name, version, .. } => {
            ("pypi", format!("{name} {version}"), "the package index, and computed on the bytes")
        }
        Origin::Rustup { component, version } => {
            ("rustup", format!("{component} {version}"), "computed on the files that it installs")
        }
        Origin::Debian { path } => ("debian", path.clone(), "computed on the bytes of the mirror"),
        Origin::Url { url, .. } if is_recorded => {
            ("url", url.clone(), "a public record: say here which")
        }
        Origin::Url { url, .. } => (
            "url",
            url.clone(),
            "computed on the bytes at first sight; compare it with a public record",
        ),
    };
    let width = key.len().max("sha256".len());
    let mut text = format!("\n# Digest: {seen}.\n[[source]]\n{key:<width$} = {}\n", quoted(&value));
    text.push_str(&format!("{:<width$} = \"{}\"\n", "sha256", source.digest.hex()));
    if let Some(root) = source.root.as_ref().filter(|root| !root.is_empty()) {
        text.push_str(&format!("{:<width$} = {}\n", "root", quoted(root)));
    }
    text
}

/// Where a header of the source tree is installed, below `include/`.
fn installed(header: &str) -> String {
    match header.strip_prefix("include/") {
        Some(rest) => rest.to_owned(),
        None => header.rsplit('/').next().unwrap_or(header).to_owned(),
    }
}

/// A list as recipes have it: on one line, or filled lines.
fn list<T: AsRef<str>>(words: &[T]) -> String {
    const WIDTH: usize = 96;
    let words: Vec<String> = words.iter().map(|word| quoted(word.as_ref())).collect();
    let line = format!("[{}]", words.join(", "));
    if line.len() <= WIDTH - 12 {
        return line;
    }
    let mut text = "[\n".to_owned();
    let mut row = String::new();
    for word in words {
        if row.len() + word.len() + 6 > WIDTH {
            text.push_str(&format!("    {}\n", row.trim_end()));
            row.clear();
        }
        row.push_str(&format!("{word}, "));
    }
    text.push_str(&format!("    {}\n]", row.trim_end()));
    text
}
