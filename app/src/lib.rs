//! certwatch remembers hosts, reads their TLS certificate chains, and says which expire soon.
//!
//! [`cli`] is the way in; it parses the command line and calls [`commands`]. Those use [`store`] (the
//! SQLite database), [`trust`] (the CA certificates), [`tls`] (one connection to one host) and
//! [`report`] (what a connection means, as text and as JSON).

pub mod cli;
pub mod clock;
pub mod commands;
pub mod outcome;
pub mod output;
pub mod paths;
pub mod pool;
pub mod report;
pub mod store;
pub mod target;
pub mod tls;
pub mod trust;
