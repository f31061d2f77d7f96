//! What programs are linked with beside the libraries that they name, in a plan: the runtime of C++,
//! and that of C where Rust brings none.

use anyhow::Result;

use super::{Done, Plan, Request};

impl Plan {
    /// Adds what C++ is linked with, whatever the toolchain calls it; nothing if it brings that itself.
    pub(super) fn add_runtime_cxx(
        &mut self,
        request: &Request<'_>,
        done: &mut Done,
    ) -> Result<Option<usize>> {
        let name = request.toolchain.runtime_cxx();
        name.map(|name| self.add_library(name, request, done)).transpose()
    }

    /// Adds the C runtime that the standard library is linked with. It is no part of the sysroot:
    /// libraries are compiled against the toolchain's headers of it, and rustc has its own place for it.
    pub(super) fn add_runtime_rust(
        &mut self,
        request: &Request<'_>,
        done: &mut Done,
    ) -> Result<()> {
        for name in request.recipes.rust_std.iter().flat_map(|std| &std.runtime) {
            let index = self.add_library(name, request, done)?;
            self.runtime.push(index);
        }
        done.libraries.clear();
        Ok(())
    }
}
