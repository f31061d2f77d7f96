//! Why a sandbox could not be had, and how to get it: the kernel's own words mislead here.

use rustix::io::Errno;

use super::spec::{Stage, Trouble, Way};

/// Said where a fresh `/proc` is forbidden, as in a container that masks parts of its own.
pub(super) const SHARED_PROC: &str = "no /proc of its own, since this container masks parts of /proc: \
    `--security-opt systempaths=unconfined` of docker or podman allows it";

/// One reason in words, with the remedy where there is one.
pub(super) fn trouble(way: Way, trouble: &Trouble) -> String {
    let known = trouble.errno().and_then(|errno| match way {
        Way::User => user(trouble.stage, errno),
        Way::Root => root(trouble.stage, errno),
        Way::Landlock | Way::Off => landlock(errno),
    });
    known.map_or_else(|| unknown(way, trouble), str::to_owned)
}

fn user(stage: Stage, errno: Errno) -> Option<&'static str> {
    Some(match (stage, errno) {
        (Stage::Unshare, Errno::NOSPC | Errno::USERS) => {
            "user namespaces are switched off: `sysctl -w user.max_user_namespaces=15000` allows them"
        }
        (Stage::Unshare, Errno::PERM | Errno::ACCESS) if is_chroot() => {
            "the kernel makes no user namespaces in a chroot"
        }
        (Stage::Unshare, Errno::PERM | Errno::ACCESS) => {
            "user namespaces are not allowed: in a container `--security-opt seccomp=unconfined` allows \
             them, on Debian `sysctl -w kernel.unprivileged_userns_clone=1`"
        }
        (Stage::Unshare, Errno::INVAL | Errno::NOSYS) => "this kernel has no user namespaces",
        (_, Errno::PERM | Errno::ACCESS) => {
            "user namespaces are restricted by AppArmor, as on Ubuntu 24.04: `sysctl -w \
             kernel.apparmor_restrict_unprivileged_userns=0` lifts it, or an AppArmor profile with \
             `userns` for this checkout's target/debug/xtask"
        }
        _ => return None,
    })
}

fn root(stage: Stage, errno: Errno) -> Option<&'static str> {
    Some(match (stage, errno) {
        (Stage::Unshare, Errno::PERM | Errno::ACCESS) => {
            "this root may not make namespaces: in a container `--cap-add SYS_ADMIN` allows it"
        }
        (Stage::Mount | Stage::EnterRoot, Errno::PERM | Errno::ACCESS) => {
            "mounting is forbidden: in a container `--security-opt apparmor=unconfined` allows it"
        }
        _ => return None,
    })
}

fn landlock(errno: Errno) -> Option<&'static str> {
    match errno {
        Errno::NOSYS | Errno::OPNOTSUPP => Some(
            "this kernel has no Landlock: it has to be 5.13 or newer with `landlock` in `lsm=`",
        ),
        _ => None,
    }
}

fn unknown(way: Way, trouble: &Trouble) -> String {
    let why = trouble.errno().map(|errno| format!(": {errno}")).unwrap_or_default();
    let what = match way {
        Way::User => "user namespaces",
        Way::Root => "root's namespaces",
        Way::Landlock | Way::Off => "Landlock",
    };
    format!("{what} failed at {:?}, {}{why}", trouble.stage, trouble.detail)
}

/// Whether it is for a changed root that the kernel makes no user namespace: the root folder is not
/// that of the first process, or nothing else forbids them. The first process's root may be secret,
/// and in a chroot to a second mount of it both are the same folder.
fn is_chroot() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let identity = |path: &str| std::fs::metadata(path).map(|data| (data.dev(), data.ino())).ok();
    let differs = match (identity("/"), identity("/proc/1/root/")) {
        (Some(ours), Some(first)) => ours != first,
        _ => false,
    };
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    differs
        || nothing_forbids(
            &read("/proc/self/status"),
            &read("/proc/sys/kernel/unprivileged_userns_clone"),
        )
}

/// No filter of system calls, as a container has, and not Debian's switch.
fn nothing_forbids(status: &str, switch: &str) -> bool {
    status.lines().any(|line| line == "Seccomp:\t0") && switch.trim() != "0"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(way: Way, stage: Stage, errno: Errno) -> String {
        trouble(way, &Trouble::new(stage, errno, "x"))
    }

    #[test]
    fn a_full_disk_is_not_blamed_for_forbidden_namespaces() {
        let told = text(Way::User, Stage::Unshare, Errno::NOSPC);
        assert!(told.contains("max_user_namespaces") && !told.contains("space left"), "{told}");
    }

    #[test]
    fn a_chroot_is_what_is_left_when_nothing_else_forbids() {
        assert!(nothing_forbids("Name:\txtask\nSeccomp:\t0\nSeccomp_filters:\t0\n", ""));
        assert!(!nothing_forbids("Seccomp:\t2\nSeccomp_filters:\t1\n", ""));
        assert!(!nothing_forbids("Seccomp:\t0\n", "0\n"));
        assert!(!nothing_forbids("", ""));
    }

    #[test]
    fn each_refusal_names_its_remedy() {
        assert!(text(Way::User, Stage::MapIds, Errno::PERM).contains("apparmor_restrict"));
        assert!(text(Way::User, Stage::Mount, Errno::ACCESS).contains("apparmor_restrict"));
        assert!(text(Way::Root, Stage::Unshare, Errno::PERM).contains("SYS_ADMIN"));
        assert!(text(Way::Landlock, Stage::Landlock, Errno::NOSYS).contains("5.13"));
        assert!(text(Way::User, Stage::Mount, Errno::INVAL).contains("Mount, x"));
    }
}
