//! A program in a terminal, which `script` makes.

use std::io::{Read as _, Write as _};
use std::iter;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use xtask::process::shell_word;

use crate::built::Built;

/// How long a text may take to be shown, on a machine with much else to do.
const PATIENCE: Duration = Duration::from_secs(60);
const ROWS: usize = 40;
const COLUMNS: usize = 120;

/// A program in a terminal.
pub struct Terminal {
    script: Child,
    output: Receiver<Vec<u8>>,
    written: Vec<u8>,
}

impl Terminal {
    /// Starts a program of those that were built, in their root.
    pub fn start(built: &Built, program: &str, arguments: &[&str]) -> Self {
        let mut command = built.command(program);
        command.args(arguments);
        let words = iter::once(command.get_program()).chain(command.get_args());
        let words: Vec<_> = words.map(|word| shell_word(&word.to_string_lossy())).collect();
        let line = format!("stty rows {ROWS} columns {COLUMNS}; exec {}", words.join(" "));
        let mut script = Command::new("script")
            .args(["--quiet", "--return", "--command", &line, "/dev/null"])
            .env("TERM", "xterm-256color")
            .env("SHELL", "/bin/sh")
            .env("HOME", "/tmp")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = script.stdout.take().unwrap();
        let (sender, output) = mpsc::channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = stdout.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { script, output, written: Vec::new() }
    }

    /// Waits until a text is on the screen.
    pub fn shows(&mut self, words: &str) {
        let started = Instant::now();
        while !screen(&self.written).contains(words) {
            let left = PATIENCE.saturating_sub(started.elapsed());
            let Ok(bytes) = self.output.recv_timeout(left) else {
                let _ = self.script.kill();
                panic!("`{words}` is not shown:\n{}", screen(&self.written))
            };
            self.written.extend(bytes);
        }
    }

    /// Presses keys.
    pub fn press(&mut self, keys: &str) {
        self.script.stdin.as_mut().unwrap().write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until the program has ended well.
    pub fn ends(mut self) {
        loop {
            match self.output.recv_timeout(PATIENCE) {
                Ok(bytes) => self.written.extend(bytes),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    let _ = self.script.kill();
                    panic!("it does not end:\n{}", screen(&self.written))
                }
            }
        }
        let status = self.script.wait().unwrap();
        assert!(status.success(), "{status}:\n{}", screen(&self.written));
    }
}

/// What a terminal shows when this was written to it: letters, where the cursor is moved to before
/// them (`CSI row ; column H`), and an emptied screen (`CSI 2 J`).
fn screen(written: &[u8]) -> String {
    let mut cells = [[' '; COLUMNS]; ROWS];
    let (mut row, mut column) = (0, 0);
    let text = String::from_utf8_lossy(written);
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '\x1b' {
            if let Some(cell) = cells.get_mut(row).and_then(|row| row.get_mut(column)) {
                *cell = letter;
            }
            column += 1;
        } else if letters.next() == Some('[') {
            let rest = letters.as_str();
            let Some(end) = rest.find(|letter: char| letter.is_ascii_alphabetic()) else { break };
            let (numbers, last) = (&rest[..end], rest.as_bytes()[end]);
            letters = rest[end + 1..].chars();
            match last {
                b'H' => {
                    let mut numbers = numbers.split(';').map(|it| it.parse().unwrap_or(1));
                    let mut place = || numbers.next().unwrap_or(1_usize).saturating_sub(1);
                    (row, column) = (place(), place());
                }
                b'J' => cells = [[' '; COLUMNS]; ROWS],
                _ => {}
            }
        }
    }
    let lines = cells.map(|row| row.iter().collect::<String>().trim_end().to_owned());
    lines.join("\n")
}
