//! Objects and archives of a few bytes, each with one known difference.
use super::*;
