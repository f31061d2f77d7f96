//! A place to build in: this machine or another root, entered as some user, with something missing.
//!
//! Everything that a build is given hangs in one folder, by mounts that only the entered process has:
//! Rust, cargo's home, the checkout, the toolchain, all read-only. Nothing stays mounted.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use xtask::layout::remove_tree;
use xtask::process::{self, cargo_home, env_var, shell_word};

use crate::scratch::{Run, names};

/// A user that no machine has.
const NOBODY: u32 = 61_234;

/// How a root becomes that of the process.
#[derive(Clone, Debug)]
pub enum Root {
    /// This machine's own.
    Machine,
    /// A second mount of this machine's own, by chroot.
    SecondMount,
    /// Another system's, by chroot, in which the kernel makes no user namespaces.
    Chroot(PathBuf),
    /// Another system's, as if it had been started.
    Started(PathBuf),
}

/// Where, as whom and how to build.
#[derive(Clone, Debug)]
pub struct Place {
    pub root: Root,
    /// An unprivileged user, or root.
    pub is_nobody: bool,
    /// User namespaces are switched off.
    pub no_user_namespaces: bool,
    /// Parts of `/proc` are masked, as docker does it.
    pub masked_proc: bool,
    /// `--sandbox`.
    pub sandbox: &'static str,
}

impl Place {
    /// This machine, as root.
    pub fn machine() -> Self {
        Self {
            root: Root::Machine,
            is_nobody: false,
            no_user_namespaces: false,
            masked_proc: false,
            sandbox: "auto",
        }
    }

    /// The shell's commands that make the place out of what hangs in `base` and run `words` there.
    fn script(&self, base: &Path, words: &str) -> String {
        let mut script = String::new();
        if self.masked_proc {
            script.push_str(
                "for name in kcore keys timer_list; do\n\
                 [ ! -e /proc/$name ] || mount --bind /dev/null /proc/$name\ndone\n",
            );
        }
        let nobody = match self.is_nobody {
            true => format!("setpriv --reuid {NOBODY} --regid {NOBODY} --clear-groups "),
            false => String::new(),
        };
        let base = word(base);
        let inside = format!("{nobody}{words}");
        match &self.root {
            Root::Machine => script.push_str(&format!("set -- {inside}\n")),
            Root::SecondMount => script.push_str(&format!(
                "mkdir {base}/root\nmount --rbind / {base}/root\n\
                 set -- chroot {base}/root {inside}\n"
            )),
            Root::Chroot(root) => {
                script.push_str(&prepared(&word(root), &base));
                script.push_str(&format!("set -- chroot {} {inside}\n", word(root)));
            }
            Root::Started(root) => {
                script.push_str(&prepared(&word(root), &base));
                script.push_str(&format!(
                    "cd {}\nmkdir -p .outside\npivot_root . .outside\ncd /\numount -l /.outside\n\
                     set -- {inside}\n",
                    word(root)
                ));
            }
        }
        script.push_str(match self.no_user_namespaces {
            true => NO_USER_NAMESPACES,
            false => "echo\nread -r _\nexec \"$@\"\n",
        });
        script
    }
}

/// Waits in a user namespace until all users are known in it, then forbids further ones.
const NO_USER_NAMESPACES: &str = "exec unshare --user sh -ec 'echo; read -r _\n\
    exec sh -ec \"echo 0 > /proc/sys/user/max_user_namespaces; exec \\\"\\$@\\\"\" sh \"$@\"' sh \"$@\"\n";

/// Gives another root its `/proc`, `/dev` and the base.
fn prepared(root: &str, base: &str) -> String {
    format!(
        "mount --rbind {root} {root}\nmount -t proc proc {root}/proc\nmount --rbind /dev {root}/dev\n\
         mkdir -p {root}{base}\nmount --rbind {base} {root}{base}\n"
    )
}

fn word(path: &Path) -> String {
    shell_word(&path.to_string_lossy())
}

/// The folder in which all hangs; gone when dropped, unless the test failed.
pub struct Base {
    folder: PathBuf,
    mounts: Vec<(PathBuf, PathBuf)>,
}

impl Drop for Base {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = remove_tree(&self.folder);
        }
    }
}

impl Base {
    /// A folder that anyone can reach, with Rust, cargo's home and a checkout.
    pub fn new(name: &str, checkout: &Path) -> Self {
        let folder = std::env::temp_dir().join(format!("muslin-{name}-{}", std::process::id()));
        remove_tree(&folder).unwrap();
        fs::create_dir_all(folder.join("bin")).unwrap();
        fs::copy(env!("CARGO_BIN_EXE_xtask"), folder.join("bin/xtask")).unwrap();
        let cargo = PathBuf::from(env_var("CARGO").unwrap());
        let rust = cargo.ancestors().nth(2).unwrap().to_owned();
        let mut base = Self { folder, mounts: Vec::new() };
        base.hang(&rust, "rust");
        base.hang(&cargo_home().unwrap(), "cargo");
        base.hang(checkout, "checkout");
        base
    }

    /// Hangs a folder in it.
    pub fn hang(&mut self, from: &Path, to: &str) {
        let to = self.folder.join(to);
        fs::create_dir_all(&to).unwrap();
        self.mounts.push((from.to_owned(), to));
    }

    /// Hangs those entries of the filled store, whose name begins so, into the store.
    pub fn hang_entries(&mut self, beginnings: &[&str]) {
        let entries = PathBuf::from(env_var("MUSLIN_STORE").unwrap()).join("entries-v1");
        for name in names(&entries) {
            if beginnings.iter().any(|beginning| name.starts_with(beginning)) {
                self.hang(&entries.join(&name), &format!("store/entries-v1/{name}"));
            }
        }
    }

    /// Hangs what the filled store has downloaded into the store.
    pub fn hang_downloads(&mut self) {
        let filled = PathBuf::from(env_var("MUSLIN_STORE").unwrap());
        self.hang(&filled.join("downloads-v1"), "store/downloads-v1");
    }

    /// Where the packed programs are.
    pub fn dist(&self) -> PathBuf {
        self.folder.join("target/dist").join(crate::scratch::TRIPLE)
    }

    /// Empties the store, but for what hangs in it, and the target folder.
    fn clear(&self) {
        for name in ["store", "target", "root"] {
            remove_tree(&self.folder.join(name)).unwrap();
        }
        for (_, to) in &self.mounts {
            fs::create_dir_all(to).unwrap();
        }
        fs::create_dir_all(self.folder.join("target")).unwrap();
        fs::create_dir_all(self.folder.join("store/entries-v1")).unwrap();
    }

    /// Runs the xtask in the place, from an empty store and target folder.
    pub fn run(&self, place: &Place, arguments: &[&str]) -> Run {
        self.clear();
        if place.is_nobody {
            for name in ["target", "store", "store/entries-v1"] {
                chown(self.folder.join(name), Some(NOBODY), Some(NOBODY)).unwrap();
            }
        }
        let mut script = String::from("exec 2>&1\n");
        for (from, to) in &self.mounts {
            let (from, to) = (word(from), word(to));
            script.push_str(&format!("mount --bind {from} {to}\nmount -o remount,bind,ro {to}\n"));
        }
        script.push_str(&place.script(&self.folder, &self.words(place, arguments)));
        let mut command = process::command("unshare");
        command.args(["--mount", "--propagation", "private", "sh", "-ec", &script]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).env_clear();
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").current_dir("/");
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        stdout.read_line(&mut said).unwrap();
        if place.no_user_namespaces && said == "\n" {
            for map in ["uid_map", "gid_map"] {
                fs::write(format!("/proc/{}/{map}", child.id()), "0 0 65536").unwrap();
            }
        }
        // It may have ended with an error by now; that is seen below.
        let _ = child.stdin.take().unwrap().write_all(b"go\n");
        std::io::Read::read_to_string(&mut stdout, &mut said).unwrap();
        Run { status: child.wait().unwrap(), stdout: String::new(), stderr: said }
    }

    /// The command line, with all that the xtask is told.
    fn words(&self, place: &Place, arguments: &[&str]) -> String {
        let at = |name: &str| word(&self.folder.join(name));
        let mut words = format!(
            "env -i -C {0} PATH={1}:/usr/sbin:/usr/bin:/sbin:/bin CARGO_HOME={2} MUSLIN_STORE={3} \
             CARGO_TARGET_DIR={4} CARGO_MANIFEST_DIR={0}/xtask MUSLIN_SANDBOX={5} {6}",
            at("checkout"),
            at("rust/bin"),
            at("cargo"),
            at("store"),
            at("target"),
            place.sandbox,
            at("bin/xtask"),
        );
        for argument in arguments {
            words.push(' ');
            words.push_str(&shell_word(argument));
        }
        words
    }
}
