//! What Rust's own programs were asked before, kept in the store: to start them takes longer than all
//! else that is to be known of them.
//!
//! An answer counts while the files that it is about have the same [`Stamp`].

use std::fs;
use std::path::PathBuf;

use anyhow::Result;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::digest::Digest;
use crate::layout::{Stamp, Store, write_atomically};

/// Bump when an answer is kept in another form.
const FORMAT: &str = "rust 1";

/// Where answers are kept.
#[derive(Clone, Debug)]
pub struct Memory {
    store: Store,
    may_write: bool,
}

impl Memory {
    /// Answers in a store, which may be written to or not.
    pub fn new(store: &Store, may_write: bool) -> Self {
        Self { store: store.clone(), may_write }
    }

    /// The last answer to a question about some files, if it still counts; else a new one.
    pub fn recall<T: Serialize + DeserializeOwned>(
        &self,
        question: &str,
        files: &[PathBuf],
        is_still_true: impl Fn(&T) -> bool,
        ask: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let stamps: Vec<_> = files.iter().map(|file| Stamp::of(file)).collect();
        let key = format!("{FORMAT}\n{question}\n{files:?}\n{stamps:?}\n");
        let place = self.store.graph(&Digest::sha256_of(key.as_bytes()));
        let kept = fs::read(&place).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        if let Some(answer) = kept.filter(is_still_true) {
            return Ok(answer);
        }
        let answer = ask()?;
        // A store that cannot be written to is no error here: it costs time only.
        if let (true, Ok(bytes)) = (self.may_write, serde_json::to_vec(&answer)) {
            let _ = write_atomically(&place, &bytes);
        }
        Ok(answer)
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests have no store yet")]
mod tests {
    use super::*;
    use crate::layout::remove_tree;

    #[test]
    fn an_answer_counts_while_its_files_are_the_same() {
        let root = std::env::temp_dir().join(format!("muslin-rust-{}", std::process::id()));
        let memory = Memory::new(&Store::open(&root).unwrap(), true);
        let files = [root.join("rustc"), root.join("none")];
        let ask = |answer: u32| memory.recall("how?", &files, |_| true, || Ok(answer)).unwrap();
        fs::write(&files[0], "a").unwrap();
        assert_eq!((ask(1), ask(2)), (1, 1));
        fs::write(root.join("next"), "b").unwrap();
        fs::rename(root.join("next"), &files[0]).unwrap();
        assert_eq!((ask(3), ask(4)), (3, 3), "another file in its place");
        fs::write(&files[1], "").unwrap();
        assert_eq!((ask(5), ask(6)), (5, 5), "a file that was not there");
        let is_five = |answer: &u32| *answer == 5;
        assert_eq!(memory.recall("how?", &files, is_five, || Ok(7)).unwrap(), 5);
        assert_eq!(memory.recall("how?", &files, |_| false, || Ok(8)).unwrap(), 8);
        assert_eq!(memory.recall("why?", &files, |_: &u32| true, || Ok(9)).unwrap(), 9);
        let reader = Memory { may_write: false, ..memory.clone() };
        let ask = |answer: u32| reader.recall("when?", &files, |_| true, || Ok(answer)).unwrap();
        assert_eq!((ask(1), ask(2)), (1, 2), "nothing was written");
        remove_tree(&root).unwrap();
    }
}
