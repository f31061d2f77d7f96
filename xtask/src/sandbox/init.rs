//! The processes of a sandbox: the first one in its namespace starts the program, buries what the
//! program leaves, and ends with it; then the kernel ends all that is left, daemons too.
#![allow(
    unsafe_code,
    reason = "fork, and signals and files as the program finds them, have no safe form"
)]

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{ExitCode, Stdio};

use rustix::io::Errno;
use rustix::process::{
    Pid, Resource, Rlimit, Signal, WaitOptions, WaitStatus, kill_process, set_child_subreaper,
    set_parent_process_death_signal, setrlimit, setsid, wait, waitpid,
};
use rustix::thread::set_no_new_privs;

use super::enter::answer;
use super::filter;
use super::spec::{At as _, Probe, Stage, Trouble, View};

/// What to run.
pub(super) struct Program<'a> {
    /// Its name and arguments.
    pub(super) words: Vec<OsString>,
    /// The folder to start it in.
    pub(super) folder: &'a Path,
    /// What it sees.
    pub(super) view: &'a View,
}

/// Leaves what is the caller's: its terminal, its open files, its ideas about signals and limits.
pub(super) fn detach(view: &View) {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    if !view.terminal {
        // Fails only for the leader of a group, which has left its session before.
        let _ = setsid();
    }
    for signal in 1..=libc::SIGRTMAX() {
        // SAFETY: puts the default action back; there are no handlers in this process.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    close_all_but(&view.keep);
    leave_keys();
    // Someone may have started us as a program for another machine, whose name `uname -m` then tells.
    // SAFETY: no pointers.
    unsafe { libc::personality(0) };
    // Only root may; where others have more groups than one, their number stays visible.
    let _ = rustix::thread::set_thread_groups(&[]);
    for (resource, value) in
        [(Resource::Core, 0), (Resource::Nofile, 4096), (Resource::Stack, 8 << 20)]
    {
        let _ = setrlimit(resource, fitted(resource, value));
    }
}

/// A fixed limit, or less where this machine allows less.
fn fitted(resource: Resource, value: u64) -> Rlimit {
    let maximum = rustix::process::getrlimit(resource).maximum;
    let value = maximum.map_or(value, |maximum| maximum.min(value));
    Rlimit { current: Some(value), maximum: Some(value) }
}

/// An open folder would be a way out of any root.
fn close_all_but(kept: &[i32]) {
    let mut kept: Vec<u32> = kept.iter().filter_map(|number| u32::try_from(*number).ok()).collect();
    kept.sort_unstable();
    let mut first = 3;
    for number in kept.into_iter().chain([u32::MAX]) {
        let last = number.saturating_sub(u32::from(number != u32::MAX));
        if first <= last {
            close_between(first, last);
        }
        first = number.saturating_add(1);
    }
}

fn close_between(first: u32, last: u32) {
    // SAFETY: nothing in this process owns an open file yet, beside the three streams.
    if unsafe { libc::close_range(first, last, 0) } == 0 {
        return;
    }
    // Before Linux 5.9, or where a filter forbids it.
    let names = std::fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let number = |name: OsString| name.to_str()?.parse::<u32>().ok();
    // The list is read to its end first: reading it needs an open file, too.
    let open: Vec<_> = names.filter_map(|item| number(item.file_name())).collect();
    for number in open.into_iter().filter(|number| (first..=last).contains(number)) {
        // SAFETY: as above; the number of the list itself is closed again by now, which is no harm.
        unsafe { libc::close(number.cast_signed()) };
    }
}

/// Leaves the keys and tickets of the caller's session, which the kernel keeps.
fn leave_keys() {
    const JOIN_SESSION_KEYRING: libc::c_long = 1;
    const NO_NAME: libc::c_long = 0;
    // SAFETY: no name means a new keyring, and no pointer is read.
    unsafe { libc::syscall(libc::SYS_keyctl, JOIN_SESSION_KEYRING, NO_NAME) };
}

/// Makes orphans of the program come to this process.
pub(super) fn become_subreaper() -> Result<(), Trouble> {
    let this = rustix::process::getpid();
    set_child_subreaper(Some(this)).at(Stage::Start, "becoming the parent of orphans")
}

/// Forks the first process of the new namespace, which builds its view by `prepare` and runs the
/// program; this one waits for it and ends the same way.
pub(super) fn as_first_process(
    prepare: impl FnOnce() -> Result<bool, Trouble>,
    program: Option<Program<'_>>,
) -> Result<ExitCode, Trouble> {
    let (read, write) =
        rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).at(Stage::Start, "a pipe")?;
    // SAFETY: this process has one thread, so the child may do all that this one may.
    let child = unsafe { libc::fork() };
    if child < 0 {
        return Err(io::Error::last_os_error()).at(Stage::Start, "the first process");
    }
    if child == 0 {
        drop(read);
        // The kernel ends this one, and so all in its namespace, when the one outside is gone.
        let _ = set_parent_process_death_signal(Some(Signal::KILL));
        let ended = prepare().and_then(|shared_proc| match program {
            None => Ok(Ended { started: true, shared_proc, ..Ended::default() }),
            Some(program) => {
                no_new_rights()?;
                // A kernel without filters has hardly a network that namespaces do not divide.
                let _ = filter::forbid_sockets_but(&filter::OF_NAMESPACE);
                run(program)
            }
        });
        let ended =
            ended.unwrap_or_else(|trouble| Ended { trouble: Some(trouble), ..Ended::default() });
        let _ = serde_json::to_writer(File::from(write), &ended);
        std::process::exit(0);
    }
    drop(write);
    let is_probe = program.is_none();
    let ended: Ended = serde_json::from_reader(File::from(read))
        .map_err(|_| Trouble::other(Stage::Start, "the first process of the sandbox was ended"))?;
    // The kernel has ended all that the program left when the first process is gone; and only by this
    // does the time that they took count as that of this one's children.
    let _ = waitpid(Pid::from_raw(child), WaitOptions::empty());
    match ended {
        Ended { trouble: Some(trouble), .. } => Err(trouble),
        Ended { shared_proc, .. } if is_probe => Ok(answer(&Probe::Works { shared_proc })),
        ended => Ok(end_like(&ended)),
    }
}

/// Runs the program as a child of this process, without namespaces; what it leaves is ended.
pub(super) fn run_here(program: Option<Program<'_>>) -> Result<ExitCode, Trouble> {
    let Some(program) = program else { return Ok(answer(&Probe::Works { shared_proc: false })) };
    no_new_rights()?;
    let ended = run(program)?;
    end_children();
    Ok(end_like(&ended))
}

/// How the program ended.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
struct Ended {
    started: bool,
    shared_proc: bool,
    code: Option<i32>,
    signal: Option<i32>,
    trouble: Option<Trouble>,
}

fn no_new_rights() -> Result<(), Trouble> {
    set_no_new_privs(true).at(Stage::DropRights, "no new rights")
}

fn run(program: Program<'_>) -> Result<Ended, Trouble> {
    let mut words = program.words.into_iter();
    let name = words.next().ok_or_else(|| Trouble::other(Stage::Start, "no program"))?;
    let terminal = program.view.terminal;
    let mut command = crate::process::command(&name);
    command.args(words).current_dir(program.folder);
    command.stdin(if terminal { Stdio::inherit() } else { Stdio::null() });
    hold_signals(libc::SIG_BLOCK);
    // SAFETY: a few system calls between fork and exec, no allocation.
    unsafe { command.pre_exec(become_program) };
    let child = command.spawn().at(Stage::Start, &format!("starting `{}`", name.display()))?;
    let child = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some((pid, status))) if Some(pid) == child => return Ok(ended(status)),
            Ok(None) if next_signal() == libc::SIGTERM => {
                let signal = Some(libc::SIGTERM);
                return Ok(Ended { started: true, signal, ..Ended::default() });
            }
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(Trouble::new(Stage::Start, errno, "waiting for the program")),
        }
    }
}

/// The signals that are waited for: a child has ended, and whoever started this process is gone or
/// wants an end, which must be that of all that the program has started.
fn awaited_signals() -> libc::sigset_t {
    // SAFETY: fills a set that is plain data.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, libc::SIGCHLD);
        libc::sigaddset(&mut set, libc::SIGTERM);
        set
    }
}

/// Keeps those signals for [`next_signal`], or lets them through again.
fn hold_signals(how: i32) {
    // SAFETY: the set is a whole one, and no old one is asked for.
    unsafe { libc::sigprocmask(how, &awaited_signals(), std::ptr::null_mut()) };
}

/// Waits for one of them.
fn next_signal() -> i32 {
    let mut signal = 0;
    // SAFETY: both places live as long as the call.
    unsafe { libc::sigwait(&awaited_signals(), &mut signal) };
    signal
}

/// What the program's process does before it is the program; it ends with the one that waits for it.
fn become_program() -> io::Result<()> {
    hold_signals(libc::SIG_UNBLOCK);
    set_parent_process_death_signal(Some(Signal::KILL))?;
    drop_rights()
}

/// Root's rights, where there is no user namespace that ends them: all but those over files that
/// are in the view anyway.
fn drop_rights() -> io::Result<()> {
    use rustix::thread::{
        CapabilitySet, capabilities, remove_capability_from_bounding_set, set_capabilities,
    };
    let kept = CapabilitySet::DAC_OVERRIDE
        | CapabilitySet::FOWNER
        | CapabilitySet::CHOWN
        | CapabilitySet::FSETID;
    for capability in CapabilitySet::all().difference(kept).iter() {
        // Those that the kernel does not know, or that we may not drop for want of any, are gone anyway.
        let _ = remove_capability_from_bounding_set(capability);
    }
    let mut sets = capabilities(None)?;
    sets.effective &= kept;
    sets.permitted &= kept;
    sets.inheritable = CapabilitySet::empty();
    Ok(set_capabilities(None, sets)?)
}

fn ended(status: WaitStatus) -> Ended {
    Ended {
        started: true,
        code: status.exit_status(),
        signal: status.terminating_signal(),
        ..Ended::default()
    }
}

/// Ends this process as the program ended: also by a signal, which says more than a number.
fn end_like(ended: &Ended) -> ExitCode {
    if let Some(signal) = ended.signal.and_then(Signal::from_named_raw) {
        hold_signals(libc::SIG_UNBLOCK);
        let _ = kill_process(rustix::process::getpid(), signal);
    }
    let code = ended.code.or_else(|| ended.signal.map(|signal| 128 + signal)).unwrap_or(1);
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

/// Ends what the program left running, with all that it has started.
fn end_children() {
    let list = format!("/proc/self/task/{}/children", rustix::thread::gettid().as_raw_nonzero());
    loop {
        let children = std::fs::read_to_string(&list).unwrap_or_default();
        for pid in children.split_whitespace().filter_map(|word| Pid::from_raw(word.parse().ok()?))
        {
            let _ = kill_process(pid, Signal::KILL);
        }
        match wait(WaitOptions::empty()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return,
        }
    }
}
