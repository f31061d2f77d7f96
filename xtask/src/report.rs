//! The door to the screen: the only module that prints.
//!
//! stderr is for people: cargo's look, a right-aligned green verb and its object, one line a step,
//! live progress on a terminal only. stdout is for data: paths, or JSON lines with
//! `--message-format json`.
#![allow(clippy::disallowed_macros, reason = "this is the door")]

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::exit::{Exit, Failure};
use crate::process::env_var;

/// How much to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Errors and warnings only.
    Quiet,
    /// One line a step.
    Normal,
    /// Also what was dropped, skipped, or found fresh.
    Verbose,
}

/// What stdout carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Paths, one a line.
    #[default]
    Human,
    /// One JSON object a line, each with a `reason`.
    Json,
}

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// When stderr is a terminal and `NO_COLOR` is not set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

struct Screen {
    verbosity: Verbosity,
    format: Format,
    color: bool,
    bars: MultiProgress,
    stdout: Mutex<io::Stdout>,
}

static SCREEN: OnceLock<Screen> = OnceLock::new();

/// Sets the manners for the whole process. The first call counts.
pub fn init(verbosity: Verbosity, format: Format, color: Color) {
    let no_color_wanted = env_var("NO_COLOR").is_some();
    let terminal = io::stderr().is_terminal();
    let color = match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => terminal && !no_color_wanted,
    };
    let target = if terminal && verbosity > Verbosity::Quiet {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bars = MultiProgress::with_draw_target(target);
    let _ = SCREEN.set(Screen { verbosity, format, color, bars, stdout: Mutex::new(io::stdout()) });
}

fn screen() -> &'static Screen {
    SCREEN.get_or_init(|| Screen {
        verbosity: Verbosity::Normal,
        format: Format::Human,
        color: false,
        bars: MultiProgress::with_draw_target(ProgressDrawTarget::hidden()),
        stdout: Mutex::new(io::stdout()),
    })
}

/// Whether people asked for `-v`.
pub fn is_verbose() -> bool {
    screen().verbosity >= Verbosity::Verbose
}

/// Whether people asked for `-q`.
pub fn is_quiet() -> bool {
    screen().verbosity == Verbosity::Quiet
}

/// Whether stdout carries JSON.
pub fn is_json() -> bool {
    screen().format == Format::Json
}

/// Whether stderr is coloured.
pub fn has_color() -> bool {
    screen().color
}

/// Whether stderr is a terminal that shows live progress.
pub fn is_live() -> bool {
    !screen().bars.is_hidden()
}

fn paint<'a>(text: &'a str, code: &str) -> Cow<'a, str> {
    if screen().color { format!("\x1b[{code}m{text}\x1b[0m").into() } else { text.into() }
}

/// Prints to stderr without tearing the progress lines. A closed stderr is nobody's error.
fn line(text: &str) {
    screen().bars.suspend(|| {
        let _ = writeln!(io::stderr().lock(), "{text}");
    });
}

fn verb_line(verb: &str, color: &str, object: &dyn Display) -> String {
    format!("{} {object}", paint(&format!("{verb:>12}"), color))
}

/// A step, in cargo's look: `    Building openssl 3.6.3`.
pub fn status(verb: &str, object: impl Display) {
    if screen().verbosity >= Verbosity::Normal {
        line(&verb_line(verb, "1;32", &object));
    }
}

/// A step that only `-v` shows.
pub fn detail(verb: &str, object: impl Display) {
    if is_verbose() {
        line(&verb_line(verb, "1;36", &object));
    }
}

/// Something that the user should know and that stops nothing.
pub fn warning(message: impl Display) {
    line(&format!("{}: {message}", paint("warning", "1;33")));
}

/// One calm line of information.
pub fn note(message: impl Display) {
    if screen().verbosity >= Verbosity::Normal {
        line(&format!("{}: {message}", paint("note", "1;36")));
    }
}

/// A finished text, such as a rendered diagnostic, as it is.
pub fn text(text: &str) {
    line(text.trim_end_matches('\n'));
}

/// Bytes of a child's stderr, passed on as they come (they may hold its own progress line).
pub fn passthrough(bytes: &[u8]) {
    if screen().verbosity >= Verbosity::Normal {
        let mut stderr = io::stderr().lock();
        let _ = stderr.write_all(bytes);
        let _ = stderr.flush();
    }
}

/// An error with its causes and what to do next; returns the process's exit code.
pub fn error(error: &anyhow::Error) -> Exit {
    let failure = Failure::find(error);
    let mut causes = error.chain().map(ToString::to_string);
    let first = causes.next().unwrap_or_default();
    line(&format!("{}: {first}", paint("error", "1;31")));
    let mut last = first;
    for cause in causes.filter(|cause| !cause.is_empty()) {
        if !last.ends_with(&cause) {
            line(&format!("  caused by: {}", cause.replace('\n', "\n    ")));
        }
        last = cause;
    }
    for help in failure.iter().flat_map(|failure| &failure.help) {
        line(&format!("{}: {help}", paint("help", "1;36")));
    }
    let exit = failure.map_or(Exit::Failed, |failure| failure.exit);
    event(
        "error",
        serde_json::json!({ "exit": exit as u8, "message": format!("{error:#}"),
            "help": failure.map(|failure| &failure.help) }),
    );
    exit
}

/// A line of data on stdout for people's scripts; nothing with `--message-format json`.
pub fn data(text: impl Display) {
    if !is_json() {
        write_stdout(&format!("{text}\n"));
    }
}

/// Text on stdout whatever the format: for commands whose whole result is a text (`env`).
pub fn output(text: &str) {
    write_stdout(text);
}

/// A JSON line on stdout, `{"reason": …, …fields}`; nothing without `--message-format json`.
pub fn event(reason: &str, mut fields: serde_json::Value) {
    if is_json() {
        if let Some(object) = fields.as_object_mut() {
            object.insert("reason".to_owned(), reason.into());
        }
        write_stdout(&format!("{fields}\n"));
    }
}

fn write_stdout(text: &str) {
    screen().bars.suspend(|| {
        let mut stdout = screen().stdout.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    });
}

/// Live progress of one thing; on a terminal only, gone when dropped.
pub struct Progress(ProgressBar);

impl Progress {
    /// Bytes that arrive: total (if known), rate, time left. `done` bytes are there already.
    pub fn bytes(object: impl Display, total: Option<u64>, done: u64) -> Self {
        let bar = ProgressBar::new(total.unwrap_or(0)).with_position(done);
        let template = match total {
            Some(_) => {
                "{prefix:>12.bold.cyan} {msg} {bar:24} {bytes}/{total_bytes} {bytes_per_sec} eta {eta}"
            }
            None => "{prefix:>12.bold.cyan} {msg} {bytes} {bytes_per_sec}",
        };
        Self::start(bar, template, "Fetching", object, Duration::from_millis(100))
    }

    /// Something whose length nobody knows: elapsed time only.
    pub fn spinner(verb: &'static str, object: impl Display) -> Self {
        let template = "{prefix:>12.bold.cyan} {msg} ({time})";
        Self::start(ProgressBar::new_spinner(), template, verb, object, Duration::from_secs(1))
    }

    fn start(
        bar: ProgressBar,
        template: &str,
        verb: &'static str,
        object: impl Display,
        tick: Duration,
    ) -> Self {
        let bar = screen().bars.add(bar);
        if let Ok(style) = ProgressStyle::with_template(template) {
            let time = |state: &ProgressState, out: &mut dyn std::fmt::Write| {
                let _ = out.write_str(&human_seconds(state.elapsed()));
            };
            bar.set_style(style.progress_chars("=> ").with_key("time", time));
        }
        bar.set_prefix(verb);
        bar.set_message(object.to_string());
        if is_live() {
            bar.enable_steady_tick(tick);
        }
        Self(bar)
    }

    /// So many more bytes are there.
    pub fn advance(&self, bytes: u64) {
        self.0.inc(bytes);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// `1234567` as `1.2 MB`: powers of 1000, as the sizes in the issue and on download pages.
pub fn human_bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1000.0;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// A duration as people say it: `0.4 s`, `12 s`, `3 min 05 s`.
pub fn human_duration(duration: Duration) -> String {
    match duration.as_secs() {
        0..10 => format!("{:.1} s", duration.as_secs_f64()),
        _ => human_seconds(duration),
    }
}

/// The same in whole seconds, for a clock that ticks once a second.
fn human_seconds(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_read_as_people_write_them() {
        let sizes = [0, 999, 1000, 999_949, 999_999, 101_083_562].map(human_bytes);
        assert_eq!(sizes, ["0 B", "999 B", "1.0 kB", "999.9 kB", "1.0 MB", "101.1 MB"]);
        let times = [400, 9_990, 59_900, 185_000]
            .map(|millis| human_duration(Duration::from_millis(millis)));
        assert_eq!(times, ["0.4 s", "10.0 s", "59 s", "3 min 05 s"]);
    }
}
