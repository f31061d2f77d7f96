//! The shapes of single words: versions, names, paths, addresses. Each check says which part is
//! wrong and what is allowed; none looks beyond its word.

pub use super::paths::inner_path;
use crate::recipe::diagnostic::Span;
use crate::recipe::guess::quote;
use crate::recipe::template::Placeholder;

/// What is wrong with a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The part of the word.
    pub span: Span,
    /// What is wrong, as a sentence.
    pub title: String,
    /// What stands beside the underlined part.
    pub label: String,
    /// What to write.
    pub help: Option<String>,
}

impl Wrong {
    /// A mistake in a part of a word.
    pub fn new(span: Span, title: impl Into<String>, label: impl Into<String>) -> Self {
        Self { span, title: title.into(), label: label.into(), help: None }
    }

    /// The same with advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// A test of a word's shape.
pub type Check = fn(&str) -> Result<(), Wrong>;

/// The place of the first character that is not allowed.
pub(super) fn stranger(text: &str, allowed: impl Fn(char) -> bool) -> Option<Span> {
    text.char_indices().find(|(_, c)| !allowed(*c)).map(|(at, c)| at..at + c.len_utf8())
}

/// A word of one class of characters.
fn plain(text: &str, what: &str, allowed: fn(char) -> bool, class: &str) -> Result<(), Wrong> {
    if text.is_empty() {
        return Err(Wrong::new(0..0, format!("{what} is empty"), "nothing in it"));
    }
    match stranger(text, allowed) {
        None => Ok(()),
        Some(span) => {
            let found = match &text[span.clone()] {
                " " => "a blank".to_owned(),
                other => quote(other),
            };
            let title = format!("{found} cannot stand in {what}");
            Err(Wrong::new(span, title, format!("allowed are {class}")))
        }
    }
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '.' | '_' | '-')
}

const PLAIN: &str = "letters, digits and `+` `.` `_` `-`";

/// One line of prose.
pub fn description(text: &str) -> Result<(), Wrong> {
    const LONGEST: usize = 200;
    if text.trim().is_empty() {
        return Err(Wrong::new(0..text.len(), "the description is empty", "say what it is"));
    }
    if let Some(span) = stranger(text, |c| !c.is_control()) {
        let title = "the description is more than one line of text";
        return Err(Wrong::new(span, title, "it goes into `.pc` files, which have one line"));
    }
    if text.len() > LONGEST {
        let label = format!("{} bytes, {LONGEST} are allowed", text.len());
        return Err(Wrong::new(0..text.len(), "the description is too long", label));
    }
    Ok(())
}

/// A version.
pub fn version(text: &str) -> Result<(), Wrong> {
    if let Some(operator) = ["^", "~", "=", ">", "<", "*"].iter().find(|o| text.contains(**o)) {
        let at = text.find(operator).unwrap_or(0);
        return Err(Wrong::new(at..at + 1, "a version is exact, not a range", "leave this out"));
    }
    plain(text, "a version", is_plain, PLAIN)
}

/// The version of a published crate, where all three numbers are needed to find the file.
pub fn crate_version(text: &str) -> Result<(), Wrong> {
    version(text)?;
    let numbers = text.split(['+', '-']).next().unwrap_or_default();
    let is_whole = numbers.split('.').count() == 3
        && numbers.split('.').all(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    if is_whole {
        return Ok(());
    }
    let title = format!("{} is not the whole version of a crate", quote(text));
    Err(Wrong::new(0..text.len(), title, "three numbers, as on the crate's page: `1.2.3`"))
}

/// The name of a crate.
pub fn crate_name(text: &str) -> Result<(), Wrong> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    plain(text, "the name of a crate", allowed, "letters, digits, `_` and `-`")
}

/// The name of a feature of a crate.
pub fn feature(text: &str) -> Result<(), Wrong> {
    plain(text, "the name of a feature", is_plain, PLAIN)
}

/// The name of a Python project.
pub fn pypi_name(text: &str) -> Result<(), Wrong> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    plain(text, "the name of a project", allowed, "letters, digits, `.`, `_` and `-`")
}

/// The name of a recipe, from its file.
pub fn recipe_name(text: &str) -> Result<(), Wrong> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "+._-".contains(c);
    plain(text, "a recipe's name", allowed, "lower-case letters, digits and `+` `.` `_` `-`")?;
    if text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit()) {
        return Ok(());
    }
    Err(Wrong::new(0..1, "a recipe's name begins with a letter or digit", "not with this"))
}

/// A `links` key of a `-sys` crate.
pub fn links(text: &str) -> Result<(), Wrong> {
    plain(text, "a links key", is_plain, PLAIN)?;
    if let Some(short) = text.strip_prefix("lib").filter(|_| text.ends_with(".a")) {
        let help =
            format!("the crate's manifest says which; often `{}`", short.trim_end_matches(".a"));
        let title = format!("{} is a file, not a links key", quote(text));
        return Err(Wrong::new(0..text.len(), title, "a crate's `links = \"…\"`").help(help));
    }
    Ok(())
}

/// A program that the build calls.
pub fn tool(text: &str) -> Result<(), Wrong> {
    if let Some((_, name)) = text.rsplit_once('/') {
        let title = "a tool is named, not located";
        let help = format!("write {}: the sandbox finds it", quote(name));
        return Err(Wrong::new(0..text.len(), title, "a path").help(help));
    }
    plain(text, "a tool's name", is_plain, PLAIN)
}

/// Where a tool's program is installed.
pub fn program(text: &str) -> Result<(), Wrong> {
    inner_path(text)?;
    if text.strip_prefix("bin/").is_some_and(|name| !name.contains('/')) {
        return Ok(());
    }
    let name = text.rsplit('/').next().unwrap_or(text);
    let wrong = Wrong::new(0..text.len(), "a program is installed in `bin/`", "another place");
    Err(wrong.help(format!("write {}", quote(&format!("bin/{name}")))))
}

/// An object file in `lib/`.
pub fn object(text: &str) -> Result<(), Wrong> {
    plain(text, "an object's name", is_plain, PLAIN)?;
    if text.ends_with(".o") {
        return Ok(());
    }
    Err(Wrong::new(0..text.len(), format!("{} is no object", quote(text)), "such as `crt1.o`"))
}

/// A target of make.
pub fn make_target(text: &str) -> Result<(), Wrong> {
    let allowed = |c: char| is_plain(c) || "/=".contains(c);
    plain(text, "a target of make", allowed, "letters, digits and `+` `.` `_` `-` `/` `=`")
}

/// The name of a static library without `lib` and `.a`.
pub fn lib(text: &str) -> Result<(), Wrong> {
    let bare = text.strip_prefix("-l").or_else(|| text.strip_suffix(".a")).map(|rest| {
        if text.ends_with(".a") { rest.strip_prefix("lib").unwrap_or(rest) } else { rest }
    });
    if let Some(bare) = bare.filter(|bare| !bare.is_empty() && !bare.contains('/')) {
        let title = "a library stands here without `lib`, `.a` and `-l`";
        let wrong = Wrong::new(0..text.len(), title, "not its bare name");
        return Err(wrong.help(format!("write {}", quote(bare))));
    }
    plain(text, "a library's name", is_plain, PLAIN)
}

/// The name of a `.pc` file without `.pc`.
pub fn pkgconfig(text: &str) -> Result<(), Wrong> {
    if let Some(bare) = text.strip_suffix(".pc").filter(|bare| !bare.is_empty()) {
        let wrong = Wrong::new(0..text.len(), "a `.pc` file stands here without `.pc`", "a file");
        let bare = bare.rsplit('/').next().unwrap_or(bare);
        return Err(wrong.help(format!("write {}", quote(bare))));
    }
    plain(text, "the name of a `.pc` file", is_plain, PLAIN)
}

/// A header or folder of headers below `include/`.
pub fn header(text: &str) -> Result<(), Wrong> {
    inner_path(text)?;
    match text.strip_prefix("include/") {
        None => Ok(()),
        Some(rest) => {
            let wrong = Wrong::new(0..8, "headers are named below `include/`", "once too often");
            Err(wrong.help(format!("write {}", quote(rest))))
        }
    }
}

/// A C, C++ or assembly file.
pub fn c_file(text: &str) -> Result<(), Wrong> {
    inner_path(text)?;
    let (stem, extension) = text.rsplit_once('.').unwrap_or((text, ""));
    if !stem.is_empty() && ["c", "cc", "cpp", "cxx", "s", "S"].contains(&extension) {
        return Ok(());
    }
    let label = match extension {
        "h" | "hpp" | "inc" => "headers are found by `include`, not compiled",
        _ => "files end in `.c`, `.cc`, `.cpp`, `.cxx`, `.s` or `.S`",
    };
    let title = format!("{} is not a C file", quote(text));
    Err(Wrong::new(0..text.len(), title, label))
}

/// One argument for a compiler.
pub fn flag(text: &str) -> Result<(), Wrong> {
    option(text)?;
    no_placeholder(text)?;
    if !text.starts_with('-') {
        let title = format!("{} is not a flag", quote(text));
        return Err(Wrong::new(0..text.len(), title, "flags begin with `-`"));
    }
    if text.ends_with("=native") {
        let title = "this flag depends on the machine that builds";
        let label = "another machine makes other bytes";
        return Err(Wrong::new(0..text.len(), title, label).help("name a CPU"));
    }
    Ok(())
}

/// A flag of a library's build, where includes and macros have their own keys.
pub fn library_flag(text: &str) -> Result<(), Wrong> {
    flag(text)?;
    let key = match text.get(..2) {
        Some("-I") => "include",
        Some("-D") => "defines",
        _ => return Ok(()),
    };
    let title = format!("{} has its own key", quote(&text[..2]));
    let label = format!("put it into `{key}`");
    Err(Wrong::new(0..text.len(), title, label))
}

/// One argument: no shell will split it.
pub fn option(text: &str) -> Result<(), Wrong> {
    if text.trim().is_empty() {
        return Err(Wrong::new(0..text.len(), "an argument is empty", "nothing in it"));
    }
    if let Some(span) = stranger(text, |c| !c.is_control()) {
        return Err(Wrong::new(span, "an argument has a control character", "leave it out"));
    }
    if let Some(at) = text.find(" -") {
        let title = "these are several arguments in one text";
        let label = "no shell splits them";
        let help = format!("write {}", split_list(text));
        return Err(Wrong::new(at..text.len(), title, label).help(help));
    }
    Ok(())
}

fn split_list(text: &str) -> String {
    let quoted: Vec<_> = text.split_whitespace().map(|part| format!("\"{part}\"")).collect();
    quoted.join(", ")
}

/// An option of a configure script.
pub fn configure_option(text: &str) -> Result<(), Wrong> {
    option(text)?;
    let name = text.split('=').next().unwrap_or(text);
    if ["--prefix", "--exec-prefix"].contains(&name) {
        let label = "always `/usr`, with `DESTDIR`, so that no path of the store gets in";
        return Err(Wrong::new(0..name.len(), format!("the builder gives {}", quote(name)), label));
    }
    Ok(())
}

/// A C macro.
pub fn macro_name(text: &str) -> Result<(), Wrong> {
    if let Some((name, _)) = text.split_once('=') {
        let wrong = Wrong::new(
            name.len()..text.len(),
            "a macro's value stands after the key",
            "not part of the name",
        );
        return Err(wrong.help(format!("write `{name} = …`")));
    }
    identifier(text, "a macro's name")
}

/// Letters, digits and `_`, not beginning with a digit.
pub fn identifier(text: &str, what: &str) -> Result<(), Wrong> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
    plain(text, what, allowed, "letters, digits and `_`")?;
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(Wrong::new(
            0..1,
            format!("{what} begins with a digit"),
            "a letter or `_` first",
        ));
    }
    Ok(())
}

/// The name of a patch file.
pub fn patch(text: &str) -> Result<(), Wrong> {
    let (number, rest) = text.split_at_checked(4).unwrap_or(("", ""));
    let reason = rest.strip_prefix('-').and_then(|rest| rest.strip_suffix(".patch"));
    let is_reason = |c: char| c.is_ascii_alphanumeric() || "+._-".contains(c);
    let is_well = number.bytes().all(|byte| byte.is_ascii_digit())
        && reason.is_some_and(|reason| !reason.is_empty() && reason.chars().all(is_reason));
    if is_well {
        return Ok(());
    }
    let title = format!("{} is not the name of a patch", quote(text));
    let wrong = Wrong::new(0..text.len(), title, "a number and the reason");
    Err(wrong.help("such as `0001-no-makecontext.patch`, below `recipes/patches/<library>/`"))
}

/// A path in a Debian mirror.
pub fn debian(text: &str) -> Result<(), Wrong> {
    if let Some(at) = text.find("pool/").filter(|at| *at > 0) {
        let title = "a path in a Debian mirror begins with `pool/`";
        let wrong = Wrong::new(0..at, title, "each mirror has its own root");
        return Err(wrong.help(format!("write {}", quote(&text[at..]))));
    }
    inner_path(text)?;
    if text.starts_with("pool/") && text.split('/').count() >= 4 {
        return Ok(());
    }
    let wrong = Wrong::new(0..text.len(), "this is not a file of a Debian mirror", "");
    Err(wrong.help("such as `pool/main/m/musl/musl_1.2.5.orig.tar.gz`"))
}

/// Refuses placeholders where nothing would fill them in, and they would reach the compiler.
pub fn no_placeholder(text: &str) -> Result<(), Wrong> {
    if !text.contains('{') {
        return Ok(());
    }
    for placeholder in Placeholder::ALL {
        let written = format!("{{{}}}", placeholder.name());
        if let Some(at) = text.find(&written) {
            let title = format!("{} is not filled in here", quote(&written));
            let label = "there are no placeholders here";
            return Err(Wrong::new(at..at + written.len(), title, label));
        }
    }
    Ok(())
}

/// `vendor:product`, as the list of CPE names has them.
pub fn cpe(text: &str) -> Result<(), Wrong> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-:".contains(c);
    plain(text, "a CPE name", allowed, "small letters, digits, `.`, `_` and `-`")?;
    match text.split(':').collect::<Vec<_>>()[..] {
        [vendor, product] if !vendor.is_empty() && !product.is_empty() => Ok(()),
        _ => {
            Err(Wrong::new(0..text.len(), "a CPE name has two parts", "expected `vendor:product`")
                .help("the version comes from the recipe: `cpe = \"openssl:openssl\"`"))
        }
    }
}
