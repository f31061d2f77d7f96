//! Images as others' programs take them: a registry keeps them, skopeo reads them, podman runs them.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::App;
use super::image_registry::Registry;

const MANIFEST: &str = r#"
[package.metadata.muslin.image]
certificates = "bundle"
time-zones = "bundle"
env = { GREETING = "hello" }
command = ["one", "two"]
"#;

/// What a program finds in its image.
const MAIN: &str = r#"
use std::os::unix::fs::MetadataExt as _;
fn main() {
    let read = |path: &str| std::fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let certificates = read("/etc/ssl/cert.pem");
    assert_eq!(certificates, read("/etc/ssl/certs/ca-certificates.crt"));
    assert!(String::from_utf8(certificates).unwrap().matches("BEGIN CERTIFICATE").count() > 50);
    assert!(read("/usr/share/zoneinfo/Europe/Vienna").starts_with(b"TZif"));
    assert!(!std::path::Path::new("/usr/share/zoneinfo/__init__.py").exists());
    std::fs::write("/tmp/x", "x").unwrap();
    let meta = std::fs::metadata("/tmp/x").unwrap();
    assert_eq!((meta.uid(), meta.gid()), (65532, 65532));
    assert!(std::fs::write("/etc/x", "x").is_err());
    let words: Vec<String> = std::env::args().collect();
    assert_eq!(words, ["/usr/bin/imaged", "one", "two"]);
    assert_eq!(std::env::var("GREETING").unwrap(), "hello");
    println!("all is well on {}", std::env::consts::ARCH);
}
"#;

const TRIPLES: [&str; 2] = ["x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl"];

#[test]
fn an_image_of_two_cpus_is_pushed_read_and_run() {
    let Some(app) = App::new("imaged", MANIFEST, MAIN) else { return };
    let targets = TRIPLES.map(|triple| ["--target", triple]).concat();
    let output = app.xtask("dist", &targets, &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let dist = app.0.join("target/dist");
    let sums = Command::new("sha256sum").args(["-c", "SHA256SUMS"]).current_dir(&dist).output();
    let sums = sums.unwrap();
    assert!(sums.status.success(), "{}", String::from_utf8_lossy(&sums.stdout));
    assert!(String::from_utf8_lossy(&sums.stdout).contains("imaged-0.1.0.oci.tar: OK"));

    run_with_podman(&dist);
    let Some(registry) = Registry::start(&app.0.join("registry"), None) else {
        return eprintln!("NOT RUN: there is no docker-registry");
    };
    let name = format!("{}/team/imaged:0.1.0", registry.host);
    let mut arguments = vec!["push", &name];
    arguments.extend(targets);
    let output = push(&app, &arguments);
    let digest = output.rsplit_once('@').unwrap().1.trim().to_owned();
    let Some(skopeo) = xtask::process::find_program("skopeo") else {
        return eprintln!("NOT RUN: there is no skopeo");
    };
    let inspect = |options: &[&str]| -> Value {
        let name = format!("docker://{}/team/imaged@{digest}", registry.host);
        let mut command = Command::new(&skopeo);
        command.args(options).args(["inspect", "--tls-verify=false", &name]);
        if options.is_empty() {
            command.arg("--raw");
        }
        let said = command.output().unwrap();
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        serde_json::from_slice(&said.stdout).unwrap()
    };
    let index = inspect(&[]);
    let cpus = index["manifests"].as_array().unwrap().iter();
    let cpus: Vec<&Value> = cpus.map(|it| &it["platform"]["architecture"]).collect();
    assert_eq!(cpus, ["amd64", "arm64"]);
    for cpu in ["amd64", "arm64"] {
        assert_eq!(inspect(&["--override-arch", cpu])["Architecture"], cpu);
    }
}

fn push(app: &App, arguments: &[&str]) -> String {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .current_dir(checkout)
        .arg("image")
        .args(arguments)
        .arg("--manifest-path")
        .arg(app.0.join("Cargo.toml"))
        .env_remove("CARGO_TARGET_DIR")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs the image where podman is installed and may start something.
fn run_with_podman(dist: &Path) {
    let Some(podman) = xtask::process::find_program("podman") else {
        return eprintln!("NOT RUN: there is no podman: `cargo xtask test --all` installs it");
    };
    let file = format!("imaged-0.1.0-{}.oci.tar", TRIPLES[0]);
    let mut load = Command::new(&podman);
    load.args(["load", "-i"]).arg(dist.join(TRIPLES[0]).join(file)).stdin(Stdio::null());
    let loaded = load.output().unwrap();
    assert!(loaded.status.success(), "{}", String::from_utf8_lossy(&loaded.stderr));
    let mut refused = Vec::new();
    // What a machine lets podman do differs: limits that only fall are allowed everywhere.
    for runtime in [&[][..], &["--runtime", "runc"]] {
        let mut command = Command::new(&podman);
        command.args(runtime).args(["run", "--rm", "--network=none", "--read-only"]);
        command.args(["--ulimit", "nofile=1000:1000", "--ulimit", "nproc=1000:1000"]);
        let run = command.arg("localhost/imaged:0.1.0").stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        if run.status.success() {
            assert_eq!(String::from_utf8_lossy(&run.stdout), "all is well on x86_64\n");
            return;
        }
        assert!(!said.contains("panicked"), "{said}");
        refused.push(said);
    }
    eprintln!("NOT RUN: podman starts nothing on this machine: {}", refused.join("; "));
}
