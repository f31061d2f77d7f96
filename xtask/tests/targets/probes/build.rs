//! Compiles the probes in C and, if asked for, those in C++.

fn main() {
    println!("cargo::rerun-if-changed=src/probes.c");
    println!("cargo::rerun-if-changed=src/probes.cc");
    // A callback of Rust's unwinds through these frames.
    cc::Build::new().file("src/probes.c").flag("-fexceptions").compile("probes");
    if std::env::var_os("CARGO_FEATURE_CXX").is_some() {
        cc::Build::new().cpp(true).std("c++17").file("src/probes.cc").compile("probes-cxx");
    }
}
