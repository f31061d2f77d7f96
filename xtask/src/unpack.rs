//! `VerifiedArchive` → source tree: refuses every unsafe entry.
