//! Headers of this machine that a build script leads the compiler to, where the machine is seen.

use std::path::Path;

use super::App;

/// A header that every machine with glibc's headers has, and that needs no other.
const HEADER: &str = "/usr/include/stdc-predef.h";

/// A build script that compiles `native.c` with the target's compiler. It tries something out first,
/// and links some file into the folder for its output.
const SCRIPT: &str = r##"
use std::process::Command;
fn main() {
    let target = std::env::var("TARGET").unwrap().replace('-', "_");
    let out = std::env::var("OUT_DIR").unwrap();
    let tool = |name: &str| Command::new(std::env::var(format!("{name}_{target}")).unwrap());
    std::fs::write(format!("{out}/try.c"), format!("#include \"HEADER\"\n")).unwrap();
    let object = format!("{out}/try.o");
    let tried = tool("CC").args(["-c", &format!("{out}/try.c"), "-o", &object]).status().unwrap();
    assert!(!tried.success() && !std::path::Path::new(&object).exists(), "the trial");
    let link = format!("{out}/linked.h");
    let _ = std::fs::remove_file(&link);
    std::os::unix::fs::symlink("HEADER", &link).unwrap();
    let object = format!("{out}/native.o");
    let options = [OPTIONS].map(|word| word.replace("OUT", &out));
    let status = tool("CC").args(options).args(["-c", "native.c", "-o", &object]).status();
    assert!(status.unwrap().success(), "native.c");
    let archive = format!("{out}/libnative.a");
    assert!(tool("AR").args(["crs", &archive, &object]).status().unwrap().success());
    println!("cargo:rustc-link-search=native={out}\ncargo:rustc-link-lib=static=native");
}
"##;

const MAIN: &str = "unsafe extern \"C\" { fn native() -> i32; }\n\
    fn main() { assert_eq!(unsafe { native() }, 42); }\n";

struct Build<'a> {
    app: &'a App,
    options: &'a str,
    include: &'a str,
    arguments: &'a [&'a str],
}

impl Build<'_> {
    fn write(&self) {
        self.app
            .write("build.rs", &SCRIPT.replace("HEADER", HEADER).replace("OPTIONS", self.options));
        self.app.write("native.c", "#include \"own.h\"\nint native(void) { return 42; }\n");
        self.app.write("own.h", self.include);
    }

    fn is_refused(&self) {
        self.write();
        self.stops(&[
            "headers 0.1.0 includes ",
            "one of this machine's headers, in ./own.h",
            "-isystem",
        ]);
    }

    fn stops(&self, words: &[&str]) {
        let arguments = [self.arguments, &["--profile", "dev"]].concat();
        let output = self.app.xtask("dist", &arguments, &[]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(5), "{said}");
        let error = said.rsplit_once("error: ").unwrap_or_else(|| panic!("{said}")).1;
        for word in words {
            assert!(error.contains(word), "{word:?} is not in {error}");
        }
    }

    fn is_built(&self) {
        self.write();
        self.app.dist_and_run(&[self.arguments, &["--profile", "dev"]].concat(), &[]);
    }
}

#[test]
fn a_header_of_the_machine_is_an_error() {
    if !Path::new(HEADER).exists() {
        eprintln!("NOT RUN: headers of the machine need {HEADER}");
        return;
    }
    let Some(app) = App::new("headers", "", MAIN) else { return };
    let visible = ["--host", "visible"].as_slice();
    let off = ["--sandbox", "off"].as_slice();
    let named = format!("#include \"{HEADER}\"\n");
    let build = |options, include, arguments| Build { app: &app, options, include, arguments };
    build("\"-I/usr/include\"", "#include <stdc-predef.h>\n", visible).is_refused();
    build("\"-I\", \"/usr/lib/../include\"", "#include <stdc-predef.h>\n", off).is_refused();
    build("\"-O1\"", &named, off).is_refused();
    build("\"-IOUT\"", "#include <linked.h>\n", off).is_refused();
    // As bindgen says of a header that it binds, where no compiler is called.
    let bound = build("\"-O1\"", "", off);
    bound.write();
    let script = std::fs::read_to_string(app.0.join("build.rs")).unwrap();
    let said = format!("println!(\"cargo:rerun-if-changed={HEADER}\");\n}}");
    app.write("build.rs", &format!("{}{said}\n", script.trim_end().trim_end_matches('}')));
    bound.stops(&["the build script of headers 0.1.0 has read", HEADER]);
    // An option alone is none of the machine's headers, and a trial that failed is not in the build.
    build("\"-idirafter\", \"/usr/include\"", "#include <stdlib.h>\n", off).is_built();
    build("\"-I/usr/include\"", "", visible).is_built();
}
