//! A root of its own: a fresh file system in memory, and in it the places of the view, `/dev` with
//! the harmless devices, an empty `/tmp`, and `/proc` of its own processes. Everything else of the
//! machine is gone, and the root itself cannot be written.

use std::collections::HashMap;
use std::ffi::CStr;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, symlink};
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind_recursive, mount_change,
    mount_remount, unmount,
};
use rustix::process::{chdir, pivot_root};

use super::enter::ID;
use super::spec::{Access, At as _, Place, Stage, Trouble, View, Way};

/// Where the machine's own root hangs until it is let go.
const OLD: &str = "/.outside";

/// Devices that tell nothing of the machine.
const DEVICES: [&str; 5] = ["null", "zero", "full", "random", "urandom"];

/// What no place but a writable one grants.
const CLOSED: MountFlags =
    MountFlags::BIND.union(MountFlags::RDONLY).union(MountFlags::NOSUID).union(MountFlags::NODEV);

/// The most that may be written to memory: to `/tmp` and `/dev/shm`, each.
const SCRATCH: &CStr = c"mode=1777,size=50%";

/// Builds the root and enters it. Must be called by the first process of a fresh namespace of
/// processes. Says whether the machine's own `/proc` had to be shown.
pub(super) fn build(view: &View, way: Way) -> Result<bool, Trouble> {
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
        .at(Stage::Mount, "making all mounts private")?;
    enter_fresh_root()?;
    make_devices()?;
    scratch("/tmp")?;
    let shared_proc = make_proc()?;
    let writable = set_aside(view)?;
    close_outside()?;
    // Last: a place may lie in one of those.
    for (index, place) in view.places.iter().enumerate() {
        let source = match place.access {
            Access::Read => below_old(&place.real),
            Access::Write => writable.join(index.to_string()),
        };
        show(place, &source)?;
    }
    for file in &view.files {
        let write = || fs::write(file, "-");
        write()
            .or_else(|_| make_parent(file).and_then(|()| write()))
            .at(Stage::Mount, &text(file))?;
    }
    write_identity(way).at(Stage::Mount, "writing /etc")?;
    for (inside, target) in &view.links {
        make_parent(inside)
            .and_then(|()| symlink(target, inside))
            .at(Stage::Mount, &text(inside))?;
    }
    restrict(view)?;
    let place_of = |index: usize| writable.join(index.to_string());
    for (index, _) in view.places.iter().enumerate().filter(|(_, it)| it.access == Access::Write) {
        unmount(place_of(index), UnmountFlags::DETACH).at(Stage::EnterRoot, "a writable place")?;
    }
    fs::remove_dir_all(&writable).at(Stage::EnterRoot, &text(&writable))?;
    unmount(OLD, UnmountFlags::DETACH).at(Stage::EnterRoot, "letting the old root go")?;
    fs::remove_dir(OLD).at(Stage::EnterRoot, OLD)?;
    let flags = MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV;
    mount_remount(c"/", MountFlags::BIND | flags, c"").at(Stage::EnterRoot, "closing the root")?;
    rustix::system::sethostname(b"localhost").at(Stage::EnterRoot, "host name")?;
    rustix::system::setdomainname(b"(none)").at(Stage::EnterRoot, "domain name")?;
    Ok(shared_proc)
}

/// Any folder will do as the place to mount the new root on; what it holds is found again below
/// [`OLD`], where nothing is mounted over it.
fn enter_fresh_root() -> Result<(), Trouble> {
    let base =
        ["/tmp", "/mnt", "/run", "/usr", "/proc"].into_iter().find(|path| Path::new(path).is_dir());
    let base = base.ok_or_else(|| Trouble::other(Stage::Mount, "no folder to mount a root on"))?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    mount("tmpfs", base, "tmpfs", flags, c"mode=0755")
        .at(Stage::Mount, "a file system in memory")?;
    let old = format!("{base}{OLD}");
    fs::create_dir(&old).at(Stage::Mount, &old)?;
    pivot_root(base, &*old).at(Stage::EnterRoot, "changing the root")?;
    chdir("/").at(Stage::EnterRoot, "/")
}

fn below_old(real: &Path) -> PathBuf {
    Path::new(OLD).join(real.strip_prefix("/").unwrap_or(real))
}

/// Mounts the writable places at `/.writable/<index>`, before the machine's own mounts are closed.
fn set_aside(view: &View) -> Result<PathBuf, Trouble> {
    let folder = PathBuf::from("/.writable");
    make_folder(&folder).at(Stage::Mount, &text(&folder))?;
    let places = view.places.iter().enumerate();
    for (index, place) in places.filter(|(_, place)| place.access == Access::Write) {
        let aside = Place { inside: folder.join(index.to_string()), ..place.clone() };
        show(&aside, &below_old(&place.real))?;
    }
    Ok(folder)
}

/// Takes from the machine's own mounts, as this namespace has them, all that a place may not grant:
/// what is mounted from them afterwards needs no call of its own for that. There are hundreds of
/// crates and a few dozen mounts. What cannot be changed here is seen to by [`restrict`].
fn close_outside() -> Result<(), Trouble> {
    let table =
        fs::read_to_string("/proc/self/mountinfo").at(Stage::Mount, "the table of mounts")?;
    let outside = table.lines().filter_map(mounted).filter(|(path, _)| path.starts_with(OLD));
    for (path, options) in outside {
        let _ = mount_remount(&path, CLOSED | locked(options), c"");
    }
    Ok(())
}

fn show(place: &Place, source: &Path) -> Result<(), Trouble> {
    let what = format!("showing {}", place.outside.display());
    let is_folder = fs::metadata(source).at(Stage::Mount, &what)?.is_dir();
    let make = || {
        let made = match is_folder {
            true => fs::DirBuilder::new().mode(0o755).create(&place.inside),
            false => File::create_new(&place.inside).map(drop),
        };
        made.or_else(|error| if place.inside.exists() { Ok(()) } else { Err(error) })
    };
    // Mostly the folder that it lies in has been made for another one, and one call is enough. A path
    // with `..` in it may turn out to be there only when that folder is.
    let prepare = || make().or_else(|_| make_parent(&place.inside).and_then(|()| make()));
    prepare().at(Stage::Mount, &what)?;
    mount_bind_recursive(source, &place.inside).at(Stage::Mount, &what)
}

fn make_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), make_folder)
}

fn make_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o755).create(path)
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// Not a file system of its own: in one that anyone may write to, a device could not be opened with
/// `>` by who does not own it.
fn make_devices() -> Result<(), Trouble> {
    for name in DEVICES {
        let path = PathBuf::from("/dev").join(name);
        let (outside, real) = (path.clone(), path.clone());
        let device = Place { outside, real, inside: path, access: Access::Write };
        show(&device, &below_old(&device.real))?;
    }
    let links = [("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")];
    for (name, number) in links {
        symlink(format!("/proc/self/fd{number}"), format!("/dev/{name}")).at(Stage::Mount, name)?;
    }
    scratch("/dev/shm")
}

fn scratch(path: &str) -> Result<(), Trouble> {
    make_folder(Path::new(path)).at(Stage::Mount, path)?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    mount("tmpfs", path, "tmpfs", flags, SCRATCH).at(Stage::Mount, path)
}

/// A fresh one is forbidden where parts of the old one are masked; then that one is shown. With
/// nothing but processes where the kernel can do that (Linux 5.8): the rest tells of the machine.
fn make_proc() -> Result<bool, Trouble> {
    make_folder(Path::new("/proc")).at(Stage::Mount, "/proc")?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    let fresh = |options: Option<&CStr>| mount("proc", "/proc", "proc", flags, options);
    match fresh(Some(c"subset=pid")).or_else(|_| fresh(None)) {
        Ok(()) => Ok(false),
        Err(Errno::PERM | Errno::ACCESS) => {
            mount_bind_recursive(below_old(Path::new("/proc")), "/proc")
                .at(Stage::Mount, "/proc")?;
            Ok(true)
        }
        Err(errno) => Err(Trouble::new(Stage::Mount, errno, "/proc")),
    }
}

/// The one user that there is. Without a user namespace it is root by number, not by rights.
fn write_identity(way: Way) -> io::Result<()> {
    let id = if way == Way::User { ID } else { 0 };
    make_folder(Path::new("/etc"))?;
    fs::write("/etc/passwd", format!("builder:x:{id}:{id}::/homeless:/bin/sh\n"))?;
    fs::write("/etc/group", format!("builder:x:{id}:\n"))?;
    fs::write("/etc/hosts", "127.0.0.1 localhost\n")
}

/// Takes away what the places do not grant, also of what is mounted below them: a mount's flags do
/// not reach those.
fn restrict(view: &View) -> Result<(), Trouble> {
    let table =
        fs::read_to_string("/proc/self/mountinfo").at(Stage::Mount, "the table of mounts")?;
    let grants = Grants::new(view);
    for line in table.lines() {
        let Some((path, options)) = mounted(line) else { continue };
        // Who is root outside may set the whole machine up by /proc/sys, whatever he is inside.
        let in_proc = path.starts_with("/proc").then_some(Access::Read);
        let Some(access) = grants.at(&path).or(in_proc) else { continue };
        let has = locked(options);
        let mut flags = MountFlags::NOSUID | MountFlags::NODEV;
        if access == Access::Read {
            flags |= MountFlags::RDONLY;
        }
        if has.contains(flags) {
            continue;
        }
        flags |= MountFlags::BIND | has;
        let what = format!("restricting {}", path.display());
        mount_remount(&path, flags, c"").at(Stage::Mount, &what)?;
    }
    Ok(())
}

/// Where a line of `mountinfo` has its mount, and with which options.
fn mounted(line: &str) -> Option<(PathBuf, &str)> {
    let mut fields = line.split(' ').skip(4);
    let (path, options) = (fields.next()?, fields.next()?);
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let escaped = tail.get(..3).filter(|_| byte == b'\\');
        let code =
            escaped.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 8).ok());
        bytes.push(code.unwrap_or(byte));
        rest = if code.is_some() { &tail[3..] } else { tail };
    }
    Some((
        PathBuf::from(<std::ffi::OsString as std::os::unix::ffi::OsStringExt>::from_vec(bytes)),
        options,
    ))
}

/// What the places of a view grant.
struct Grants<'a> {
    view: &'a View,
    by_path: HashMap<&'a Path, Access>,
}

impl<'a> Grants<'a> {
    fn new(view: &'a View) -> Self {
        let pair = |place: &'a Place| (place.inside.as_path(), place.access);
        Self { view, by_path: view.places.iter().map(pair).collect() }
    }

    /// What is granted at a mount: a place's own, or one that came along below a place. `None` if it
    /// is none of the view's.
    fn at(&self, path: &Path) -> Option<Access> {
        if let Some(access) = self.by_path.get(path) {
            return Some(*access);
        }
        let holding = self.view.places.iter().filter(|place| path.starts_with(&place.inside));
        holding.max_by_key(|place| place.inside.components().count()).map(|place| place.access)
    }
}

/// Flags that a mount has and must keep: in a user namespace they cannot be taken away.
fn locked(options: &str) -> MountFlags {
    let flag = |option: &str| match option {
        "ro" => MountFlags::RDONLY,
        "nosuid" => MountFlags::NOSUID,
        "nodev" => MountFlags::NODEV,
        "noexec" => MountFlags::NOEXEC,
        "noatime" => MountFlags::NOATIME,
        "nodiratime" => MountFlags::NODIRATIME,
        "relatime" => MountFlags::RELATIME,
        _ => MountFlags::empty(),
    };
    options.split(',').map(flag).fold(MountFlags::empty(), MountFlags::union)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_mountinfo_is_read() {
        let line =
            r"36 35 98:0 /root /mnt/a\040b\134c ro,noexec,relatime shared:1 - ext4 /dev/sda rw";
        let (path, options) = mounted(line).unwrap();
        assert_eq!(path, Path::new(r"/mnt/a b\c"));
        let flags = MountFlags::RDONLY | MountFlags::NOEXEC | MountFlags::RELATIME;
        assert_eq!(locked(options), flags);
    }

    #[test]
    fn the_deepest_place_grants() {
        let mut view = View::default();
        view.show_here(Path::new("/app"), Access::Read);
        view.show_here(Path::new("/app/target"), Access::Write);
        let grants = Grants::new(&view);
        for (path, access) in [
            ("/app", Some(Access::Read)),
            ("/app/src", Some(Access::Read)),
            ("/app/target/x", Some(Access::Write)),
            ("/dev/null", None),
        ] {
            assert_eq!(grants.at(Path::new(path)), access, "{path}");
        }
    }
}
