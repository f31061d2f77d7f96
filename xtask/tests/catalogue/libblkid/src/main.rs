//! Recognizes swap space and a partition table that are written into files.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::ptr::null_mut;

type Handle = *mut c_void;

#[link(name = "blkid", kind = "static")]
unsafe extern "C" {
    fn blkid_get_library_version(version: *mut *const c_char, date: *mut *const c_char) -> c_int;
    fn blkid_known_fstype(name: *const c_char) -> c_int;
    fn blkid_new_probe() -> Handle;
    fn blkid_free_probe(probe: Handle);
    fn blkid_probe_set_device(probe: Handle, file: c_int, offset: i64, size: i64) -> c_int;
    fn blkid_probe_enable_partitions(probe: Handle, on: c_int) -> c_int;
    fn blkid_do_safeprobe(probe: Handle) -> c_int;
    fn blkid_probe_lookup_value(
        probe: Handle,
        name: *const c_char,
        value: *mut *const c_char,
        length: *mut usize,
    ) -> c_int;
    fn blkid_probe_get_partitions(probe: Handle) -> Handle;
    fn blkid_partlist_numof_partitions(list: Handle) -> c_int;
    fn blkid_partlist_get_partition(list: Handle, number: c_int) -> Handle;
    fn blkid_partition_get_start(partition: Handle) -> i64;
    fn blkid_partition_get_size(partition: Handle) -> i64;
    fn blkid_partition_get_type(partition: Handle) -> c_int;
}

/// A look at a file with these bytes at its start.
struct Probe {
    handle: Handle,
    _file: File,
}

impl Probe {
    fn new(name: &str, bytes: &[u8]) -> Self {
        let path = format!("/tmp/{name}");
        std::fs::write(&path, bytes).unwrap();
        let file = File::open(path).unwrap();
        // SAFETY: the file stays open as long as the probe.
        let handle = unsafe {
            let handle = blkid_new_probe();
            assert!(!handle.is_null());
            assert_eq!(blkid_probe_set_device(handle, file.as_raw_fd(), 0, 0), 0);
            assert_eq!(blkid_probe_enable_partitions(handle, 1), 0);
            handle
        };
        Self { handle, _file: file }
    }

    /// Whether anything was recognized.
    fn finds(&self) -> bool {
        // SAFETY: a probe with a file.
        let found = unsafe { blkid_do_safeprobe(self.handle) };
        assert!(found == 0 || found == 1, "{found}");
        found == 0
    }

    fn value(&self, name: &CStr) -> Option<String> {
        let mut value = std::ptr::null();
        // SAFETY: a probe, a text with its end, and places for the answer, a text with its end.
        unsafe {
            let got = blkid_probe_lookup_value(self.handle, name.as_ptr(), &mut value, null_mut());
            (got == 0).then(|| CStr::from_ptr(value).to_str().unwrap().to_owned())
        }
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        // SAFETY: made by the library, and not used again.
        unsafe { blkid_free_probe(self.handle) };
    }
}

fn main() {
    let mut version = std::ptr::null();
    // SAFETY: the function returns a constant text.
    let version = unsafe {
        blkid_get_library_version(&mut version, null_mut());
        CStr::from_ptr(version)
    };
    assert_eq!(version.to_str().unwrap(), std::env::var("MUSLIN_VERSION").unwrap());
    for name in [c"ext4", c"btrfs", c"xfs", c"vfat", c"crypto_LUKS", c"zfs_member"] {
        // SAFETY: a text with its end.
        assert_eq!(unsafe { blkid_known_fstype(name.as_ptr()) }, 1, "{name:?}");
    }
    // SAFETY: a text with its end.
    assert_eq!(unsafe { blkid_known_fstype(c"nofs".as_ptr()) }, 0);

    let mut bytes = vec![0_u8; 1 << 20];
    assert!(!Probe::new("empty", &bytes).finds());

    // Swap space, as mkswap writes it for pages of 4 KiB.
    bytes[1024..1028].copy_from_slice(&1_u32.to_ne_bytes());
    bytes[1028..1032].copy_from_slice(&255_u32.to_ne_bytes());
    bytes[1036..1052].copy_from_slice(&(0x10..0x20).collect::<Vec<u8>>());
    bytes[1052..1056].copy_from_slice(b"mine");
    bytes[4086..4096].copy_from_slice(b"SWAPSPACE2");
    let probe = Probe::new("swap", &bytes);
    assert!(probe.finds());
    assert_eq!(probe.value(c"TYPE").unwrap(), "swap");
    assert_eq!(probe.value(c"LABEL").unwrap(), "mine");
    assert_eq!(probe.value(c"UUID").unwrap(), "10111213-1415-1617-1819-1a1b1c1d1e1f");
    assert_eq!(probe.value(c"PTTYPE"), None);

    // A table with two partitions.
    bytes.fill(0);
    bytes[440..444].copy_from_slice(&0x1234_abcd_u32.to_le_bytes());
    for (number, kind, start, size) in [(0, 0x83, 64_u32, 512_u32), (1, 0x82, 1024, 1000)] {
        let entry = &mut bytes[446 + 16 * number..][..16];
        entry[4] = kind;
        entry[8..12].copy_from_slice(&start.to_le_bytes());
        entry[12..16].copy_from_slice(&size.to_le_bytes());
    }
    bytes[510..512].copy_from_slice(&[0x55, 0xaa]);
    let probe = Probe::new("table", &bytes);
    assert!(probe.finds());
    assert_eq!(probe.value(c"PTTYPE").unwrap(), "dos");
    assert_eq!(probe.value(c"PTUUID").unwrap(), "1234abcd");
    // SAFETY: a probe with a file; what the calls return lives as long as it.
    unsafe {
        let list = blkid_probe_get_partitions(probe.handle);
        assert_eq!(blkid_partlist_numof_partitions(list), 2);
        let second = blkid_partlist_get_partition(list, 1);
        assert_eq!(blkid_partition_get_type(second), 0x82);
        assert_eq!(
            (blkid_partition_get_start(second), blkid_partition_get_size(second)),
            (1024, 1000)
        );
    }
}
