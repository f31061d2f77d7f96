//! Writes, reads and searches a database through the crate `lmdb-rkv`.

use std::ffi::CStr;
use std::path::Path;

use lmdb::{Cursor, DatabaseFlags, Environment, Error, Transaction, WriteFlags};

pub fn main() {
    // SAFETY: the function returns a constant text, and takes null for what nobody asks for.
    let version = unsafe {
        CStr::from_ptr(lmdb_sys::mdb_version(
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            std::ptr::null_mut(),
        ))
    };
    let version = version.to_str().unwrap();
    let wanted = format!("LMDB {}:", std::env::var("MUSLIN_VERSION").unwrap());
    assert!(version.starts_with(&wanted), "{version}");

    let folder = Path::new("/tmp/database");
    std::fs::create_dir(folder).unwrap();
    let open = || Environment::new().set_max_dbs(2).set_map_size(16 << 20).open(folder).unwrap();
    let environment = open();
    let numbers = environment.create_db(Some("numbers"), DatabaseFlags::empty()).unwrap();
    let mut writing = environment.begin_rw_txn().unwrap();
    for number in 0..10_000u32 {
        let key = number.to_be_bytes();
        let value = (number * number % 9973).to_string();
        writing.put(numbers, &key, &value, WriteFlags::NO_OVERWRITE).unwrap();
    }
    let again = writing.put(numbers, &0u32.to_be_bytes(), b"", WriteFlags::NO_OVERWRITE);
    assert_eq!(again, Err(Error::KeyExist));
    writing.commit().unwrap();

    let mut undone = environment.begin_rw_txn().unwrap();
    undone.clear_db(numbers).unwrap();
    undone.abort();
    drop(environment);

    let environment = open();
    let numbers = environment.open_db(Some("numbers")).unwrap();
    let reading = environment.begin_ro_txn().unwrap();
    assert_eq!(reading.get(numbers, &1234u32.to_be_bytes()), Ok(&b"6860"[..]));
    assert_eq!(reading.get(numbers, &10_000u32.to_be_bytes()), Err(Error::NotFound));
    let mut cursor = reading.open_ro_cursor(numbers).unwrap();
    let keys: Vec<u32> = cursor
        .iter_from(9_990u32.to_be_bytes())
        .map(|entry| u32::from_be_bytes(entry.unwrap().0.try_into().unwrap()))
        .collect();
    assert_eq!(keys, (9_990..10_000).collect::<Vec<_>>(), "in order, from there on");
}
