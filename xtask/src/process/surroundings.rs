//! A child in other surroundings than ours: another user, host name, file mode mask, fewer CPUs.
//!
//! For `verify`, which builds under all of them. A user namespace gives another user without any
//! right of root, and the files that were ours stay reachable; where the kernel allows none, root can
//! really become another user.

use std::ffi::CStr;
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::fs::{Mode, OFlags};
use rustix::process::{Gid, Uid, getegid, geteuid, umask};
use rustix::thread::{
    CpuSet, UnshareFlags, sched_getaffinity, sched_setaffinity, set_thread_groups,
    set_thread_res_gid, set_thread_res_uid, unshare_unsafe,
};

/// How a child gets another user's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// In a user namespace: to the rest of the machine it is still us.
    Mapped(u32),
    /// Really, by root.
    Real(u32),
}

/// What is different around a child; what is `None` or `false` is as it is around us.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Its user and group.
    pub identity: Option<Identity>,
    /// The host's name, in a namespace of its own.
    pub host_name: Option<String>,
    /// Its file mode mask.
    pub umask: Option<u32>,
    /// Whether it may use one CPU only.
    pub one_cpu: bool,
}

impl Surroundings {
    /// Makes a command start in them. Starting it fails if this machine does not allow them.
    pub fn apply(&self, command: &mut Command) {
        let wanted = self.clone();
        let is_root = geteuid().is_root();
        let inside = match wanted.identity {
            Some(Identity::Mapped(id)) => Some((id, id)),
            // Only root may name a host without a user namespace.
            None if wanted.host_name.is_some() && !is_root => {
                Some((geteuid().as_raw(), getegid().as_raw()))
            }
            _ => None,
        };
        let maps = inside.map(|(uid, gid)| {
            let map = |inside: u32, outside: u32| format!("{inside} {outside} 1");
            (map(uid, geteuid().as_raw()), map(gid, getegid().as_raw()))
        });
        // SAFETY: the closure runs in the child between fork and exec. It makes system calls and
        // reads what was prepared above: no allocation, no lock, no panic, and no thread shares what
        // it unshares, for a forked child has only one.
        #[allow(unsafe_code, reason = "std has no safe way to set a child up before its exec")]
        unsafe {
            command.pre_exec(move || wanted.enter(maps.as_ref()))
        };
    }

    fn enter(&self, maps: Option<&(String, String)>) -> io::Result<()> {
        if let Some((uid_map, gid_map)) = maps {
            unshare(UnshareFlags::NEWUSER)?;
            // An unprivileged process may map its group only after giving up setgroups (Linux 3.19).
            write_whole(c"/proc/self/setgroups", "deny")?;
            write_whole(c"/proc/self/uid_map", uid_map)?;
            write_whole(c"/proc/self/gid_map", gid_map)?;
        }
        if let Some(name) = &self.host_name {
            unshare(UnshareFlags::NEWUTS)?;
            rustix::system::sethostname(name.as_bytes())?;
        }
        if self.one_cpu {
            let mine = sched_getaffinity(None)?;
            let mut one = CpuSet::new();
            if let Some(first) = (0..CpuSet::MAX_CPU).find(|cpu| mine.is_set(*cpu)) {
                one.set(first);
                sched_setaffinity(None, &one)?;
            }
        }
        if let Some(mask) = self.umask {
            umask(Mode::from_raw_mode(mask));
        }
        if let Some(Identity::Real(id)) = self.identity {
            let (uid, gid) = (Uid::from_raw(id), Gid::from_raw(id));
            set_thread_groups(&[])?;
            set_thread_res_gid(gid, gid, gid)?;
            set_thread_res_uid(uid, uid, uid)?;
        }
        Ok(())
    }
}

fn unshare(flags: UnshareFlags) -> rustix::io::Result<()> {
    // SAFETY: nothing here shares file descriptors or other tables with another thread.
    #[allow(unsafe_code, reason = "unsafe for what other threads share, and there are none")]
    unsafe {
        unshare_unsafe(flags)
    }
}

fn write_whole(file: &CStr, text: &str) -> rustix::io::Result<()> {
    let file = rustix::fs::open(file, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::io::write(file.as_fd(), text.as_bytes()).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::{capture, command};

    /// What a shell says in such surroundings; `None` where the machine does not allow them.
    fn said(surroundings: &Surroundings, script: &str) -> Option<String> {
        let mut shell = command("sh");
        shell.args(["-c", script]);
        surroundings.apply(&mut shell);
        capture(&mut shell).ok().map(|captured| captured.stdout)
    }

    #[test]
    fn a_child_sees_another_mask_and_one_cpu() {
        let surroundings = Surroundings { umask: Some(0o077), one_cpu: true, ..Default::default() };
        assert_eq!(said(&surroundings, "umask; nproc").unwrap(), "0077\n1\n");
    }

    #[test]
    fn a_child_is_another_user_on_another_host() {
        let identity = Some(Identity::Mapped(4711));
        let host_name = Some("far-away".to_owned());
        let surroundings = Surroundings { identity, host_name, ..Default::default() };
        match said(&surroundings, "id -u; id -g; uname -n") {
            Some(text) => assert_eq!(text, "4711\n4711\nfar-away\n"),
            None => crate::report::text("SKIPPED: this machine allows no user namespace"),
        }
    }
}
