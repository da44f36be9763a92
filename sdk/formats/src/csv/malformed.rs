//! Malformed, odd and hostile files, each with what it must end in: an error with the file and the place, or rows.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use serde_json::{Value, json};

use super::*;

enum Expected {
    /// The call fails, and its message holds all of these.
    Error(&'static [&'static str]),
    /// So many rows, and so many bad ones.
    Rows(u64, u64),
}

use Expected::{Error as Fails, Rows};

struct Case {
    name: &'static str,
    bytes: Vec<u8>,
    with: Value,
    expected: Expected,
}

fn case(name: &'static str, bytes: impl AsRef<[u8]>, expected: Expected) -> Case {
    Case { name, bytes: bytes.as_ref().to_vec(), with: json!({}), expected }
}

fn with(name: &'static str, bytes: impl AsRef<[u8]>, with: Value, expected: Expected) -> Case {
    Case { name, bytes: bytes.as_ref().to_vec(), with, expected }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

/// With the byte at `at` (from the end where negative) turned around.
fn damaged(mut bytes: Vec<u8>, at: isize) -> Vec<u8> {
    let at = if at < 0 { bytes.len().strict_sub(at.unsigned_abs()) } else { at.unsigned_abs() };
    bytes[at] ^= 0x55;
    bytes
}

fn cut(bytes: Vec<u8>, end: usize) -> Vec<u8> {
    bytes[..bytes.len() - end].to_vec()
}

/// Numbers that do not compress to nothing.
fn table(rows: u64) -> Vec<u8> {
    let row = |row: u64| format!("{row},{}\n", row.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 1_000_003);
    format!("a,b\n{}", (0..rows).map(row).collect::<String>()).into_bytes()
}

fn texts() -> Vec<Case> {
    let skip = || json!({ "bad_rows": "skip" });
    let typed = |data_type: &str| json!({ "columns": { "a": data_type } });
    vec![
        case("nothing", b"", Fails(&["`f` is empty"])),
        case("a byte order mark alone", b"\xef\xbb\xbf", Fails(&["`f` is empty"])),
        case("a byte order mark", b"\xef\xbb\xbfa,b\n1,2\n", Rows(1, 0)),
        case("line ends alone", b"\n\r\n\n\n", Fails(&["`f` is empty"])),
        case("many line ends", vec![b'\n'; 3 << 20], Fails(&["`f` is empty"])),
        case("a header alone", b"a,b\n", Fails(&["`f` holds a header and no rows"])),
        case("a header without an end", b"a,b", Fails(&["`f` holds a header and no rows"])),
        case("UTF-16, little-endian", b"\xff\xfea\0,\0b\0\n\0", Fails(&["`f` is UTF-16"])),
        case("UTF-16, big-endian", b"\xfe\xff\0a\0,\0b\0\n", Fails(&["`f` is UTF-16"])),
        case("an open quote at the end", b"a,b\n1,2\n3,\"x\n4,5\n", Fails(&["`f` has a quote that opens on line 3"])),
        case("an open quote in the header", b"\"a,b\n1,2\n", Fails(&["opens on line 1"])),
        case("too few cells", b"a,b\n1,2\n3\n", Fails(&["1 row of `f`", "line 3: 1 cell where the first row has 2"])),
        case("too many cells", b"a,b\n1,2,3\n", Fails(&["line 2: 3 cells where the first row has 2"])),
        case("a delimiter at each end", b"a,b\n1,2,\n3,4,\n", Fails(&["2 rows", "line 2: 3 cells", "line 3: 3 cells"])),
        with("ragged rows, skipped", b"a,b\n1\n1,2\n1,2,3\n", skip(), Rows(1, 2)),
        case("two names alike", b"a,b,a\n1,2,3\n", Fails(&["columns 1 and 3 are both named `a`"])),
        case("an empty name", b"a,,b\n1,2,3\n", Fails(&["column 2 has no name"])),
        case("blank names", b"  ,\t\n1,2\n", Fails(&["column 1 has no name", "column 2 has no name"])),
        case("bytes that are not UTF-8", b"a,b\n1,2\n\xff,3\n", Fails(&["line 3: bytes that are not UTF-8"])),
        case("a name that is not UTF-8", b"a,\xff\n1,2\n", Fails(&["`f` has no readable first row", "line 1"])),
        case("half a character at the end", b"a,b\n1,\xc3", Fails(&["line 2: bytes that are not UTF-8"])),
        case("half a surrogate", b"a,b\n1,\xed\xa0\x80\n", Fails(&["line 2: bytes that are not UTF-8"])),
        case("bytes that are 0 in texts", b"a,b\n\0,1\n", Rows(1, 0)),
        with("bytes that are 0 in numbers", b"a\n1\n2\0\n", typed("s64"), Fails(&["line 3", "`2\\0` is not a whole"])),
        case("bytes that are 0 and nothing else", [0; 4096], Fails(&["holds a header and no rows"])),
        case("line ends of all kinds", b"a,b\r\n1,2\n3,4\r\n\r\n5,6", Rows(3, 0)),
        case("carriage returns alone", b"a,b\r1,2\r3,4\r", Fails(&["carriage return alone"])),
        with("a carriage return in a number", b"a\n1\r2\n", typed("s64"), Fails(&["line 2: column `a`: `1\\r2`"])),
        case("text behind a quote", b"a,b\n\"1\"x,2\n", Fails(&["line 2: text after a closing quote"])),
        case("quotes within", b"a,b\n1\"2,3\n", Rows(1, 0)),
        with("beyond 64 bits", b"a\n9223372036854775808\n", typed("s64"), Fails(&["line 2", "9223372036854775808"])),
        case("beyond 64 bits, inferred", b"a\n1\n9223372036854775808\n", Rows(2, 0)),
        with("beyond every number", b"a\n1e999\n", typed("f64"), Rows(1, 0)),
        with("no such day", b"a\n2025-02-30\n", typed("timestamp"), Fails(&["line 2", "`2025-02-30` is not a time"])),
        case("no such day, inferred", b"a\n2025-02-28\n2025-02-30\n", Rows(2, 0)),
        with("no such hour", b"a\n2025-02-03 24:00\n", typed("timestamp"), Fails(&["line 2", "is not a time"])),
        with(
            "a comma in a number",
            b"a;b\n1,5;2\n",
            json!({ "delimiter": ";", "columns": { "a": "f64" } }),
            Fails(&["line 2: column `a`: `1,5` is not a number"]),
        ),
        with("neither true nor false", b"a\ntrue\nmaybe\n", typed("bool"), Fails(&["line 3", "`maybe`"])),
        with("only bad rows", b"a,b\n1\n2\n", skip(), Fails(&["2 rows of `f`", "there are no others"])),
        with("an unknown column", b"a\n1\n", json!({ "columns": { "z": "f64" } }), Fails(&["z"])),
        case("a line of 17 MiB", long_line(false), Fails(&["a row on line 2 that is longer than 16 MiB"])),
        case("a quoted cell of 17 MiB", long_line(true), Fails(&["a row on line 2 that is longer than 16 MiB"])),
        case("a header of 17 MiB", vec![b'a'; 17 << 20], Fails(&["a row on line 1 that is longer than 16 MiB"])),
        case("a million columns", wide(1_000_000, 1_000_000), Fails(&["1000000 columns", "at most"])),
        case("a thousand columns", wide(1_000, 1_000), Rows(1, 0)),
        case("a million cells in a row", wide(2, 1_000_000), Fails(&["line 2: 1000000 cells where"])),
    ]
}

fn long_line(quoted: bool) -> Vec<u8> {
    let mut bytes = if quoted { b"a\n\"".to_vec() } else { b"a\n".to_vec() };
    bytes.resize(17 << 20, b'x');
    bytes
}

/// A header and one row.
fn wide(columns: usize, cells: usize) -> Vec<u8> {
    let names: Vec<String> = (0..columns).map(|column| column.to_string()).collect();
    format!("{}\n{}1\n", names.join(","), "1,".repeat(cells - 1)).into_bytes()
}

fn compressed() -> Vec<Case> {
    let (text, rows) = (table(20_000), || Rows(20_000, 0));
    let (gz, zst) = (gzip(&text), zstd(&text));
    let halves = text.split_at(text.len() / 2);
    let header = gz[..10].to_vec();
    let skippable = |length: u32| [&[0x50, 0x2a, 0x4d, 0x18][..], &length.to_le_bytes(), b"skip"].concat();
    vec![
        case("gzip", &gz, rows()),
        case("gzip of two members", [gzip(halves.0), gzip(halves.1)].concat(), rows()),
        case("gzip with an empty member", [gz.clone(), gzip(b"")].concat(), rows()),
        case("gzip with zeros behind", [&gz[..], &[0; 1000]].concat(), rows()),
        case(
            "gzip with text behind",
            [&gz[..], b"tail"].concat(),
            Fails(&["`f` holds damaged gzip data", "behind the end"]),
        ),
        case("gzip without its end", cut(gz.clone(), 9), Fails(&["`f` is cut off", "at byte"])),
        case("half of gzip", cut(gz.clone(), gz.len() / 2), Fails(&["`f` is cut off", "at byte"])),
        case("gzip without its length", cut(gz.clone(), 4), Fails(&["`f` is cut off"])),
        case("gzip with another checksum", damaged(gz.clone(), -8), Fails(&["damaged gzip data", "checksum"])),
        case("gzip with another length", damaged(gz.clone(), -1), Fails(&["damaged gzip data"])),
        case("gzip with other bytes", damaged(gz.clone(), 5_000), Fails(&["`f` holds damaged gzip data before byte"])),
        case("gzip by its mark alone", b"\x1f\x8b", Fails(&["`f` is cut off", "at byte 2"])),
        case("gzip without deflate", damaged(header, 2), Fails(&["gzip"])),
        case("gzip of nothing", gzip(b""), Fails(&["`f` is empty"])),
        case("gzip of gzip", gzip(&gz), Fails(&["`f`"])),
        case("zstd", &zst, rows()),
        case("zstd of two frames", [zstd(halves.0), zstd(halves.1)].concat(), rows()),
        case("zstd with a frame to skip", [skippable(4), zst.clone()].concat(), rows()),
        case("zstd with too long a frame to skip", skippable(u32::MAX), Fails(&["`f` is cut off", "at byte 12"])),
        case(
            "zstd with text behind",
            [&zst[..], b"tail"].concat(),
            Fails(&["`f` holds damaged zstd data before byte"]),
        ),
        case("half of zstd", cut(zst.clone(), zst.len() / 2), Fails(&["`f` is cut off", "zstd data end at byte"])),
        case("zstd without its checksum", cut(zst.clone(), 2), Fails(&["`f` is cut off"])),
        case("zstd with another checksum", damaged(zst.clone(), -1), Fails(&["damaged zstd data", "checksum"])),
        case("zstd with other bytes", damaged(zst.clone(), 300), Fails(&["damaged zstd data"])),
        case(
            "zstd with a window of 2 TiB",
            [&zst[..4], &[0, 0xf8, 1, 0, 0]].concat(),
            Fails(&["damaged zstd data", "window"]),
        ),
        case(
            "zstd with a window of 1 GiB",
            [&zst[..4], &[0, 0xa0, 1, 0, 0]].concat(),
            Fails(&["a window of 1024 MiB, and 128 are allowed", "without `--long`"]),
        ),
        case("zstd with a dictionary", [&zst[..4], &[1, 0x50, 7, 1, 0, 0]].concat(), Fails(&["a dictionary"])),
        case("zstd by its mark alone", &zst[..4], Fails(&["`f` is cut off", "at byte 4"])),
        case("zstd of nothing", zstd(b""), Fails(&["`f` is empty"])),
        case("an open quote in gzip", gzip(b"a,b\n1,2\n\"3"), Fails(&["opens on line 3"])),
        case("bad rows in zstd", zstd(b"a,b\n1,2\n3\n"), Fails(&["line 3: 1 cell"])),
    ]
}

fn run(case: &Case) -> Result<SourceReport> {
    let options = serde_json::from_value(case.with.clone()).expect("options");
    let (mut writer, _written) = TableWriter::memory();
    super::read(&Sources::memory("f", "path", case.bytes.clone()), &options, &mut writer)
}

#[test]
fn each_ends_in_a_typed_error_or_in_rows() {
    let mut differences = Vec::new();
    for case in texts().iter().chain(&compressed()) {
        match (run(case), &case.expected) {
            (Ok(report), Rows(rows, bad)) if (report.rows, report.bad_rows) == (*rows, *bad) => {}
            (Err(error), Fails(parts)) if is_typed(&error) && parts.iter().all(|part| error.message.contains(part)) => {
            }
            (result, _) => differences.push(format!("{}: {result:?}", case.name)),
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

fn is_typed(error: &Error) -> bool {
    matches!(error.code, ErrorCode::InvalidInput | ErrorCode::InvalidConfig) && error.field.is_some()
}
