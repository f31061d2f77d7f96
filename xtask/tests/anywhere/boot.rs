//! A program as the first and only process of a real kernel, in a machine that QEMU emulates.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use xtask::layout::remove_tree;
use xtask::process::{env_var, find_program, run_limited};

use super::{PROGRAMS, programs};

/// A machine without hardware for it takes a few seconds.
const LIMIT: Duration = Duration::from_secs(300);

/// A file of an archive that a kernel unpacks when it starts (`newc`: cpio(5)).
fn put(archive: &mut Vec<u8>, name: &str, mode: u32, device: [u32; 2], bytes: &[u8]) {
    let size = u32::try_from(bytes.len()).unwrap();
    let length = u32::try_from(name.len() + 1).unwrap();
    archive.extend(b"070701");
    // Number, mode, user, group, links, time, size, device, device that it is, name, sum.
    for field in [0, mode, 0, 0, 1, 0, size, 0, 0, device[0], device[1], length, 0] {
        write!(archive, "{field:08x}").unwrap();
    }
    let pad = |archive: &mut Vec<u8>| archive.resize(archive.len().next_multiple_of(4), 0);
    archive.extend(name.as_bytes());
    archive.push(0);
    pad(archive);
    archive.extend(bytes);
    pad(archive);
}

/// A file system with a program as `init`, and a console to speak to.
fn file_system(program: &Path) -> Vec<u8> {
    let mut archive = Vec::new();
    put(&mut archive, "dev", 0o040_755, [0, 0], &[]);
    put(&mut archive, "dev/console", 0o020_600, [5, 1], &[]);
    put(&mut archive, "init", 0o100_755, [0, 0], &fs::read(program).unwrap());
    put(&mut archive, "TRAILER!!!", 0, [0, 0], &[]);
    archive
}

/// Debian's kernel for machines in clouds, got by apt; nothing where that cannot be.
fn kernel(folder: &Path) -> Option<PathBuf> {
    let shell = "set -e; apt-get update -qq; \
        name=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: //p' | head -n 1); \
        apt-get download -qq \"$name\"; dpkg-deb -x linux-image-*.deb .";
    let status = Command::new("sh")
        .args(["-c", shell])
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !status.is_ok_and(|status| status.success()) {
        return None;
    }
    let mut files = fs::read_dir(folder.join("boot")).unwrap().flatten();
    files.find(|file| file.file_name().to_string_lossy().starts_with("vmlinuz")).map(|it| it.path())
}

#[test]
fn they_run_alone_on_a_real_kernel() {
    if env_var("MUSLIN_TEST_SLOW").is_none() {
        return eprintln!("NOT RUN: a real kernel: run `cargo xtask test --all`");
    }
    let Some(from) = programs() else { return };
    let Some(qemu) = find_program("qemu-system-x86_64") else {
        return eprintln!("NOT RUN: there is no qemu-system-x86_64");
    };
    let work = Path::new(env!("CARGO_TARGET_TMPDIR")).join("anywhere/boot");
    remove_tree(&work).unwrap();
    fs::create_dir_all(&work).unwrap();
    let Some(kernel) = kernel(&work) else {
        return eprintln!("NOT RUN: apt brings no kernel here");
    };
    // Its arguments are the kernel's: certwatch wants some of its own.
    for (program, _, expected) in &PROGRAMS[..2] {
        let disk = work.join("init.cpio");
        fs::write(&disk, file_system(&from.join(program))).unwrap();
        let log = work.join("console");
        let mut command = Command::new(&qemu);
        command.args(["-M", "pc", "-cpu", "qemu64", "-m", "256", "-nodefaults", "-no-reboot"]);
        command.args(["-display", "none", "-serial"]).arg(format!("file:{}", log.display()));
        command.arg("-kernel").arg(&kernel).arg("-initrd").arg(&disk);
        // When the program has ended there is nothing left: the kernel stops, and the machine with it.
        command.args(["-append", "console=ttyS0 quiet panic=-1"]).stdin(Stdio::null());
        let ended = run_limited(&mut command, LIMIT).unwrap();
        let said = fs::read_to_string(&log).unwrap().replace("\r\n", "\n");
        assert!(ended.is_some(), "{program} did not end:\n{said}");
        assert!(said.contains(expected), "{program}:\n{said}");
        assert!(said.contains("exitcode=0x00000000"), "{program}:\n{said}");
        for line in said.lines().take(12) {
            eprintln!("{line}");
        }
    }
}
