//! Writes and reads archives through the crate `libarchive3-sys`: with each compression, and encrypted.

use std::ffi::{CStr, CString, c_char, c_int};
use std::ptr::{from_mut, null_mut};

use libarchive3_sys::ffi;

unsafe extern "C" {
    // Not in the crate, whose bindings are older.
    fn archive_write_set_passphrase(
        archive: *mut ffi::Struct_archive,
        passphrase: *const c_char,
    ) -> c_int;
    fn archive_read_add_passphrase(
        archive: *mut ffi::Struct_archive,
        passphrase: *const c_char,
    ) -> c_int;
}

const REGULAR_FILE: u32 = 0o100_000;

pub fn main() {
    // SAFETY: the function returns a constant text.
    let version = unsafe { CStr::from_ptr(ffi::archive_version_string()) };
    let version = version.to_str().unwrap().strip_prefix("libarchive ").unwrap();
    assert_eq!(version, std::env::var("MUSLIN_VERSION").unwrap());

    let text: Vec<u8> = (0..50_000u32).flat_map(|n| (n % 500).to_be_bytes()).collect();
    // What a compressed archive begins with.
    let filters: [(&str, &[u8]); 5] = [
        ("gzip", b"\x1f\x8b"),
        ("bzip2", b"BZh"),
        ("xz", b"\xfd7zXZ"),
        ("zstd", b"\x28\xb5\x2f\xfd"),
        ("lz4", b"\x04\x22\x4d\x18"),
    ];
    for (filter, magic) in filters {
        let packed = write("pax", filter, "", None, &text);
        assert!(packed.starts_with(magic) && packed.len() < text.len() / 4, "{filter}");
        assert_eq!(read(&packed, None), Ok(text.clone()), "{filter}");
    }
    let plain = write("7zip", "", "7zip:compression=lzma2", None, &text);
    assert_eq!(read(&plain, None), Ok(text.clone()));

    // AES by OpenSSL.
    let secret = write("zip", "", "zip:encryption=aes256", Some("horse"), &text);
    assert!(secret.starts_with(b"PK"));
    assert_eq!(read(&secret, Some("horse")), Ok(text.clone()));
    assert!(read(&secret, Some("house")).unwrap_err().contains("passphrase"));

    // Of the compressions, xz has a checksum that libarchive looks at.
    let mut damaged = write("pax", "xz", "", None, &text);
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0xff;
    assert!(read(&damaged, None).is_err());
}

/// An archive with one file.
fn write(format: &str, filter: &str, options: &str, key: Option<&str>, text: &[u8]) -> Vec<u8> {
    let [format, filter, options] = [format, filter, options].map(|it| CString::new(it).unwrap());
    let mut buffer = vec![0u8; text.len() * 2 + 100_000];
    let mut used = 0;
    // SAFETY: buffers are as long as is said and outlive the archive.
    unsafe {
        let archive = ffi::archive_write_new();
        assert_eq!(ffi::archive_write_set_format_by_name(archive, format.as_ptr()), 0);
        if !filter.is_empty() {
            assert_eq!(ffi::archive_write_add_filter_by_name(archive, filter.as_ptr()), 0);
        }
        if !options.is_empty() {
            assert_eq!(ffi::archive_write_set_options(archive, options.as_ptr()), 0);
        }
        if let Some(key) = key {
            let key = CString::new(key).unwrap();
            assert_eq!(archive_write_set_passphrase(archive, key.as_ptr()), 0);
        }
        let space = buffer.as_mut_ptr().cast();
        let opened =
            ffi::archive_write_open_memory(archive, space, buffer.len(), from_mut(&mut used));
        assert_eq!(opened, 0);
        let entry = ffi::archive_entry_new();
        ffi::archive_entry_set_pathname(entry, c"folder/file".as_ptr());
        ffi::archive_entry_set_filetype(entry, REGULAR_FILE);
        ffi::archive_entry_set_perm(entry, 0o644);
        ffi::archive_entry_set_size(entry, text.len() as i64);
        assert_eq!(ffi::archive_write_header(archive, entry), 0);
        let written = ffi::archive_write_data(archive, text.as_ptr().cast(), text.len());
        assert_eq!(written, text.len() as isize);
        ffi::archive_entry_free(entry);
        assert_eq!(ffi::archive_write_close(archive), 0);
        ffi::archive_write_free(archive);
    }
    buffer.truncate(used);
    buffer
}

/// The only file of an archive, or what is wrong.
fn read(packed: &[u8], key: Option<&str>) -> Result<Vec<u8>, String> {
    let mut packed = packed.to_vec();
    let mut text = vec![0u8; 1_000_000];
    // SAFETY: as above; libarchive does not write to what it reads.
    unsafe {
        let archive = ffi::archive_read_new();
        assert_eq!(ffi::archive_read_support_filter_all(archive), 0);
        assert_eq!(ffi::archive_read_support_format_all(archive), 0);
        if let Some(key) = key {
            let key = CString::new(key).unwrap();
            assert_eq!(archive_read_add_passphrase(archive, key.as_ptr()), 0);
        }
        ffi::archive_read_open_memory(archive, packed.as_mut_ptr().cast(), packed.len());
        let mut entry = null_mut();
        let found = ffi::archive_read_next_header(archive, &mut entry);
        let length = if found == 0 {
            assert_eq!(CStr::from_ptr(ffi::archive_entry_pathname(entry)), c"folder/file");
            ffi::archive_read_data(archive, text.as_mut_ptr().cast(), text.len())
        } else {
            -1
        };
        let result = if length < 0 {
            let error = CStr::from_ptr(ffi::archive_error_string(archive));
            Err(error.to_str().unwrap().to_owned())
        } else {
            text.truncate(length as usize);
            Ok(text)
        };
        ffi::archive_read_free(archive);
        result
    }
}
