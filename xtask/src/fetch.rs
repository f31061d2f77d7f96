//! Source → `VerifiedArchive`: only this module can make one.
