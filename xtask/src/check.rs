//! Program → `Checked`, or all findings: static, portable, no leaked paths.
