//! Runs the real programs: against TLS servers made here, with a CA made here, and no network.

mod check;
mod database;
mod hosts;
mod peers;
mod pki;
mod run;
mod server;
mod trust;
