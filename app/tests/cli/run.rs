//! Running certwatch in a folder of its own and with an environment of its own.

use std::env;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// Far more than any run takes; one that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder that goes with the test.
pub struct Sandbox {
    pub folder: PathBuf,
}

/// What a run left.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Sandbox {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let unique =
            format!("certwatch-{}-{}", process::id(), COUNT.fetch_add(1, Ordering::SeqCst));
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(unique);
        fs::create_dir_all(&folder).expect("make the test's folder");
        Self { folder }
    }

    pub fn db(&self) -> PathBuf {
        self.folder.join("hosts.db")
    }

    /// certwatch with an empty environment.
    pub fn bare(&self, args: &[&str]) -> Command {
        let mut command = program(env!("CARGO_BIN_EXE_certwatch"));
        command.env_clear().current_dir(&self.folder).args(args);
        command
    }

    /// certwatch with this sandbox's database and nothing else set.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = self.bare(args);
        command.env("CERTWATCH_DB", self.db());
        command
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        finish(&mut self.command(args))
    }

    /// Runs what must succeed.
    pub fn ok(&self, args: &[&str]) -> String {
        let ran = self.run(args);
        assert_eq!(ran.code, Some(0), "{args:?}: {ran:?}");
        ran.out
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Ran {
    /// The output as JSON.
    pub fn json(&self) -> Value {
        match serde_json::from_str(&self.out) {
            Ok(value) => value,
            Err(error) => panic!("not JSON ({error}): {self:?}"),
        }
    }

    /// Asserts a failure with exit code `code` that says each of `words`, and no success on the side.
    #[track_caller]
    pub fn fails(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(self.out.is_empty(), "{self:?}");
        for word in words {
            assert!(self.err.contains(word), "{word:?} is not in {self:?}");
        }
    }
}

/// The command for a built program. Where the tests' target does not run here by itself,
/// `CERTWATCH_TEST_RUNNER` names what runs it, such as an emulator.
pub fn program(path: &str) -> Command {
    let runner = env::var("CERTWATCH_TEST_RUNNER").unwrap_or_default();
    let mut words = runner.split_whitespace().chain([path]);
    let mut command = Command::new(words.next().expect("at least the path"));
    command.args(words);
    command
}

/// Runs `command` to its end.
pub fn finish(command: &mut Command) -> Ran {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    collect(child.expect("start the program"))
}

/// Waits for `child`, but not for ever.
pub fn collect(mut child: Child) -> Ran {
    let out = child.stdout.take().map(|pipe| thread::spawn(|| text(pipe)));
    let err = child.stderr.take().map(|pipe| thread::spawn(|| text(pipe)));
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("wait for the program") {
            break status;
        }
        if start.elapsed() > PATIENCE {
            let _ = child.kill();
            let _ = child.wait();
            panic!("the program did not end");
        }
        thread::sleep(Duration::from_millis(5));
    };
    let join = |reader: Option<thread::JoinHandle<String>>| {
        reader.map(|r| r.join().expect("the reader")).unwrap_or_default()
    };
    Ran { code: status.code(), out: join(out), err: join(err) }
}

fn text(mut pipe: impl Read) -> String {
    let mut bytes = Vec::new();
    pipe.read_to_end(&mut bytes).expect("read the program's output");
    String::from_utf8(bytes).expect("output in UTF-8")
}
