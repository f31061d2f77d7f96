//! What a command will surely need, worked out by a thread of its own while the command goes on.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;

use anyhow::{Result, bail};

/// A value that was begun early.
pub struct Early<T> {
    thread: Mutex<Option<JoinHandle<Result<T>>>>,
    value: OnceLock<T>,
}

impl<T: Send + 'static> Early<T> {
    /// Begins.
    pub fn begin(work: impl FnOnce() -> Result<T> + Send + 'static) -> Self {
        let thread = Mutex::new(Some(std::thread::spawn(work)));
        Self { thread, value: OnceLock::new() }
    }

    /// The value, waited for. An error is told to whoever asks first.
    pub fn get(&self) -> Result<&T> {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = thread.take() {
            match thread.join() {
                Ok(value) => drop(self.value.set(value?)),
                Err(_) => bail!("a thread panicked"),
            }
        }
        match self.value.get() {
            Some(value) => Ok(value),
            None => bail!("it could not be found out, as was said before"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stays_and_an_error_is_told_once() {
        let value = Early::begin(|| Ok(7));
        assert_eq!((*value.get().unwrap(), *value.get().unwrap()), (7, 7));
        let failed = Early::<u8>::begin(|| bail!("no disk"));
        assert_eq!(failed.get().unwrap_err().to_string(), "no disk");
        assert!(failed.get().unwrap_err().to_string().contains("said before"));
    }
}
