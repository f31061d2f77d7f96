//! An app whose build script looks for everything of its user and of the machine, and writes where it
//! must not.

use std::fs;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};

use crate::scratch::{Run, TRIPLE, names};
use crate::{Machine, Workshop, processes_with};
use xtask::process::env_var;

const BUILD: &str = r#"
use std::fs;
use std::io::Read;
use std::net::{TcpStream, ToSocketAddrs};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::process::Command;
fn lines(name: &str) -> Vec<String> {
    fs::read_to_string(name).unwrap().lines().map(str::to_owned).collect()
}
fn main() {
    let mut found = Vec::new();
    let home = std::env::var("HOME").unwrap();
    for place in lines("reads").into_iter().chain([format!("{home}/.ssh/id"), home]) {
        let is_read = fs::read_dir(&place).is_ok()
            || fs::File::open(&place).and_then(|mut file| file.read(&mut [0])).is_ok();
        if is_read {
            found.push(format!("read {place}"));
        }
    }
    for place in lines("writes") {
        let _ = fs::write(format!("{place}/from-build-script"), "");
    }
    let names = lines("names");
    let [port, socket, marker, host] = &names[..] else { panic!() };
    if TcpStream::connect(format!("127.0.0.1:{port}")).is_ok() {
        found.push("reached the port".to_owned());
    }
    if "example.org:80".to_socket_addrs().is_ok() {
        found.push("resolved a name".to_owned());
    }
    if UnixStream::connect(socket).is_ok() {
        found.push("reached the socket".to_owned());
    }
    let address = SocketAddr::from_abstract_name(marker.as_bytes()).unwrap();
    if UnixStream::connect_addr(&address).is_ok() {
        found.push("reached the abstract socket".to_owned());
    }
    if fs::read_to_string("/proc/sys/kernel/hostname").is_ok_and(|name| name.trim() == host) {
        found.push("told the host's name".to_owned());
    }
    for name in ["HOSTNAME", "SSH_AUTH_SOCK", "XDG_RUNTIME_DIR", "CARGO_REGISTRY_TOKEN", "LOGNAME"] {
        if std::env::var_os(name).is_some() {
            found.push(format!("variable {name}"));
        }
    }
    fs::write(std::env::temp_dir().join(marker), "").unwrap();
    let out = std::env::var("OUT_DIR").unwrap();
    fs::write(format!("{out}/found"), found.join("\n")).unwrap();
    // It stays, with the pipes to cargo closed, else cargo would wait.
    let null = || std::process::Stdio::null();
    let mut stay = Command::new(std::env::current_exe().unwrap());
    if std::env::args().count() > 1 {
        loop { std::thread::park() }
    }
    stay.arg(marker).stdin(null()).stdout(null()).stderr(null());
    std::os::unix::process::CommandExt::process_group(&mut stay, 0).spawn().unwrap();
}
"#;

/// Folders of the user, filled; what of it the build may not read.
fn fill_home(workshop: &Workshop) -> (PathBuf, PathBuf, Vec<PathBuf>) {
    let (home, cargo) = (workshop.scratch.at("home"), workshop.scratch.at("cargo"));
    let files = [
        home.join(".ssh/id"),
        home.join(".gitconfig"),
        cargo.join("credentials.toml"),
        cargo.join("registry/src/registry.invalid-0/stranger-1.0.0/Cargo.toml"),
        cargo.join("registry/cache/registry.invalid-0/stranger-1.0.0.crate"),
    ];
    for file in &files {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "# a secret\n").unwrap();
    }
    (home, cargo, files.to_vec())
}

/// What the program says that its build script found.
fn found(workshop: &Workshop) -> Vec<String> {
    let scratch = &workshop.scratch;
    let marker = format!("muslin-app-{}-{:?}", std::process::id(), workshop.machine);
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let socket = scratch.at("socket");
    let _local = UnixListener::bind(&socket).unwrap();
    let address = SocketAddr::from_abstract_name(&marker).unwrap();
    let _abstract = UnixListener::bind_addr(&address).unwrap();
    let (home, cargo, secrets) = fill_home(workshop);
    let beside = scratch.at("beside");
    fs::create_dir_all(&beside).unwrap();
    let text = |path: &Path| path.display().to_string();
    let mut reads: Vec<String> = secrets.iter().map(|path| text(path)).collect();
    reads.extend(["/etc/hostname", "/etc/passwd-", "/var", "/run"].map(str::to_owned));
    reads.extend([&home, &beside, &scratch.mirror()].map(|path| text(path)));
    reads.push(text(&scratch.workspace().join("recipes")));
    let app = scratch.workspace().join("app");
    let mut writes: Vec<_> =
        [&home, &cargo, &beside, &app, &app.join("src")].map(|p| text(p)).into();
    writes.extend(["/", "/etc", "/usr", "/var/tmp", "/proc/sys/kernel"].map(str::to_owned));
    writes.push(text(&scratch.workspace().join("app/target")));
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let names_ =
        [tcp.local_addr().unwrap().port().to_string(), text(&socket), marker.clone(), host];
    for (name, lines) in [("reads", &reads), ("writes", &writes), ("names", &names_.to_vec())] {
        scratch.write(&format!("app/{name}"), &(lines.join("\n") + "\n"));
    }
    scratch.write("app/build.rs", BUILD);
    let mut command = workshop.command(&["dist", "--toolchain", "zig"]);
    let rustup = env_var("RUSTUP_HOME")
        .map_or_else(|| Path::new(&env_var("HOME").unwrap()).join(".rustup"), PathBuf::from);
    command.env("HOME", &home).env("CARGO_HOME", &cargo).env("RUSTUP_HOME", rustup);
    for name in ["SSH_AUTH_SOCK", "XDG_RUNTIME_DIR", "CARGO_REGISTRY_TOKEN", "LOGNAME", "HOSTNAME"]
    {
        command.env(name, "secret");
    }
    Run::of(&mut command).ok();
    assert_eq!(processes_with(&marker), [""; 0]);
    for folder in ["/tmp", "/dev/shm"] {
        assert!(!names(Path::new(folder)).contains(&marker), "{folder}");
    }
    let is_written = |place: &&String| Path::new(place).join("from-build-script").exists();
    // In the target folder it may; that shows that it has tried.
    assert_eq!(writes.iter().filter(is_written).collect::<Vec<_>>(), writes.last().as_slice());
    let scripts = scratch.target().join(TRIPLE).join("release/build");
    let out = names(&scripts).into_iter().map(|name| scripts.join(name).join("out/found"));
    let text = fs::read_to_string(out.into_iter().find(|file| file.exists()).unwrap()).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_build_script_sees_nothing_of_its_user_and_writes_nothing_but_the_target_folder() {
    let Some(workshop) = Workshop::new("app", Machine::Whole) else { return };
    assert_eq!(found(&workshop), [""; 0]);
}

#[test]
fn nor_does_it_where_there_are_no_namespaces() {
    let Some(workshop) = Workshop::new("app-landlock", Machine::NoNamespaces) else { return };
    // The kernel tells the host's name to anyone without a name space of its own.
    assert_eq!(found(&workshop), ["told the host's name"]);
}
