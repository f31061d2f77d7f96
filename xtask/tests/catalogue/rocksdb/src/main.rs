//! Writes with each compression, counts with a merge operator, iterates, compacts and opens again.

use rocksdb::{DB, DBCompressionType, Direction, IteratorMode, MergeOperands, Options, WriteBatch};

/// Adds numbers of eight bytes.
fn add(_: &[u8], old: Option<&[u8]>, operands: &MergeOperands) -> Option<Vec<u8>> {
    let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap());
    let sum = old.map_or(0, number) + operands.iter().map(number).sum::<u64>();
    Some(sum.to_le_bytes().to_vec())
}

fn options(compression: DBCompressionType) -> Options {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.set_compression_type(compression);
    options.set_merge_operator_associative("add", add);
    options
}

fn main() {
    let value = "the same words again and ".repeat(40);
    for compression in [
        DBCompressionType::None,
        DBCompressionType::Snappy,
        DBCompressionType::Zlib,
        DBCompressionType::Bz2,
        DBCompressionType::Lz4,
        DBCompressionType::Lz4hc,
        DBCompressionType::Zstd,
    ] {
        let path = format!("/tmp/{compression:?}");
        {
            let db = DB::open(&options(compression), &path).unwrap();
            let mut batch = WriteBatch::default();
            for number in 0..2000_u32 {
                batch.put(number.to_be_bytes(), format!("{number} {value}"));
            }
            db.write(batch).unwrap();
            for _ in 0..3 {
                db.merge(b"count", 14_u64.to_le_bytes()).unwrap();
            }
            db.flush().unwrap();
            db.compact_range(None::<&[u8]>, None::<&[u8]>);
            let size = db.property_int_value("rocksdb.total-sst-files-size").unwrap().unwrap();
            let is_small = size < 400_000;
            assert_eq!(is_small, compression != DBCompressionType::None, "{compression:?}: {size}");
        }
        let db = DB::open(&options(compression), &path).unwrap();
        assert_eq!(db.get(b"count").unwrap().unwrap(), 42_u64.to_le_bytes());
        let from = IteratorMode::From(&1990_u32.to_be_bytes(), Direction::Forward);
        let found: Vec<_> = db.iterator(from).map(Result::unwrap).collect();
        assert_eq!(found.len(), 11, "ten numbers and the count");
        assert!(found[0].1.starts_with(b"1990 the same words"));
        db.delete(1990_u32.to_be_bytes()).unwrap();
        assert!(db.get(1990_u32.to_be_bytes()).unwrap().is_none());
    }
    assert!(DB::open(&Options::default(), "/proc/nowhere").is_err(), "an error and no crash");
}
