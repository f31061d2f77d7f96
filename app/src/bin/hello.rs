//! The smallest program there is: it shows that the target's standard library works.

fn main() {
    println!("Hello, world!");
}
