//! How long a place may take, and how much it may send.

use std::time::Duration;

/// What is put up with before a place is given up.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Until a connection stands.
    pub connect: Duration,
    /// Without a single byte.
    pub stall: Duration,
    /// The largest file.
    pub size_bytes: u64,
    /// Tries at one address.
    pub tries: u32,
    /// The pause before the second try; it doubles.
    pub backoff: Duration,
    /// The longest `Retry-After` that is obeyed rather than given up on.
    pub retry_after_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            stall: Duration::from_secs(30),
            size_bytes: 2 << 30,
            tries: 4,
            backoff: Duration::from_secs(1),
            retry_after_max: Duration::from_secs(60),
        }
    }
}
