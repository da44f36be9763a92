"""Writes the Parquet files of the golden cases: good ones by pyarrow and polars, and bad ones by changing bytes.

    pip install pyarrow polars
    python tests/make_cases.py
"""

import json
import pathlib

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

CASES = pathlib.Path(__file__).parent.parent / "cases"
ROWS = 40_000  # Its bytes are found nowhere else in a footer.


def case(name, table=None, config=None, change=None, path="input.parquet", **options):
    folder = CASES / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config or {}) + "\n")
    if table is not None:
        pq.write_table(table, folder / path, **options)
    if change is not None:
        file = folder / path
        file.write_bytes(change(file.read_bytes() if file.exists() else b"", pq.read_metadata(file) if file.exists() else None))


def varint(value):
    """A whole number as thrift's compact protocol writes it."""
    value = value << 1 if value >= 0 else (-value << 1) - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + bytes([value]))


def footer_start(data):
    return len(data) - 8 - int.from_bytes(data[-8:-4], "little")


def replace(data, old, new, nth=0, start=0):
    assert len(old) == len(new), (old, new)
    at = start - 1
    for _ in range(nth + 1):
        at = data.index(old, at + 1)
    return data[:at] + new + data[at + len(old):]


def in_footer(old, new, nth=0):
    return lambda data, metadata: replace(data, old, new, nth, footer_start(data))


def good():
    people = pa.table({
        "id": pa.array([1, 2, 3], pa.int32()),
        "name": ["Ann", None, "Zoë"],
        "score": [0.5, None, -1.25],
        "active": [True, False, None],
        "since": pa.array([0, None, 1_700_000_000_123], pa.timestamp("ms", "UTC")),
        "team": pa.array(["red", "blue", "red"]).dictionary_encode(),
        "address": [{"city": "Ulm", "zip": 89073}, None, {"city": None, "zip": 10115}],
    })
    case("types", people)
    case("columns", people, {"columns": ["score", "address"], "categories": ["address.city"]})
    case("unknown-column", people, {"columns": ["score", "scores"]})
    case("category-of-numbers", people, {"categories": ["score"]})
    lists = people.append_column("tags", pa.array([["a"], [], None]))
    case("lists-refused", lists)
    case("lists-left-out", lists, {"columns": ["id"]})
    folder = CASES / "polars-zstd"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text("{}\n")
    pl.DataFrame({"a": [1, 2, None], "b": ["x", "y", "z"]}).write_parquet(folder / "input.parquet", compression="zstd")
    case("many-files", None, {"path": "part-*.parquet", "file_column": "file"})
    pq.write_table(people.select(["id", "name"]), CASES / "many-files/part-1.parquet")
    wider = people.select(["id", "name"]).set_column(0, "id", pa.array([4, 5, 6], pa.int64()))
    pq.write_table(wider, CASES / "many-files/part-2.parquet")
    case("other-columns", None, {"path": "part-*.parquet"})
    pq.write_table(people.select(["id", "name"]), CASES / "other-columns/part-1.parquet")
    pq.write_table(people.select(["id", "score"]), CASES / "other-columns/part-2.parquet")
    case("decimals-and-local-times", pa.table({
        "price": pa.array([1, None, -3], pa.decimal128(9, 2)),
        "at": pa.array([1, 2, 3], pa.timestamp("ns")),
    }))


def bad():
    column = pa.table({"a": pa.array([5] * ROWS, pa.int64())})
    texts = pa.table({"a": [f"text {number}" for number in range(50)]})
    case("bad-empty-file", None, change=lambda data, metadata: b"")
    case("bad-no-parquet", None, change=lambda data, metadata: b"id,name\n1,Ann\n2,Bob\n")
    case("bad-cut-off", texts, change=lambda data, metadata: data[:-20])
    case("bad-encrypted", texts, change=lambda data, metadata: data[:-4] + b"PARE")
    case("bad-footer-length", texts,
         change=lambda data, metadata: data[:-8] + (1 << 24).to_bytes(4, "little") + b"PAR1")
    case("bad-footer-bytes", texts,
         change=lambda data, metadata: data[:footer_start(data)] + b"\xff" * (len(data) - 8 - footer_start(data)) + data[-8:])
    case("bad-no-rows", texts.slice(0, 0))
    rows, more = varint(ROWS), varint(ROWS + 1)
    case("bad-row-count", column, change=in_footer(rows, more))
    case("bad-value-count", column, change=in_footer(rows, more, 1))
    def more_rows(data, metadata):
        start = footer_start(data)
        return data[:start] + data[start:].replace(rows, more)
    case("bad-rows-that-are-not-there", column, change=more_rows)
    def chunk(data, metadata):
        size = metadata.row_group(0).column(0).total_compressed_size
        return replace(data, b"\x16" + varint(size), b"\x16" + varint(size // 2), 1, footer_start(data))
    case("bad-chunk-length", texts, compression="none", change=chunk)
    def offset(data, metadata):
        at = metadata.row_group(0).column(0).data_page_offset
        return replace(data, b"\x26" + varint(at), b"\x26" + varint(len(data) - 1 if len(varint(len(data) - 1)) == len(varint(at)) else at + 40), 0, footer_start(data))
    case("bad-page-offset", texts, use_dictionary=False, change=offset)
    def damaged(at, byte=0xff):
        return lambda data, metadata: data[:at] + bytes([data[at] ^ byte]) + data[at + 1:]
    case("bad-checksum", texts, write_page_checksum=True, use_dictionary=False, change=damaged(120))
    case("bad-snappy", texts, use_dictionary=False, change=damaged(80))
    case("bad-zstd", texts, use_dictionary=False, compression="zstd",
         change=lambda data, metadata: replace(data, b"\x28\xb5\x2f\xfd", b"\x28\xb5\x2f\xfe"))
    case("bad-gzip", texts, use_dictionary=False, compression="gzip", change=damaged(90))
    case("bad-codec", texts, compression="brotli")
    case("bad-text", texts, compression="none", use_dictionary=False,
         change=lambda data, metadata: replace(data, b"text 42", b"text \xff2"))
    case("bad-text-length", texts, compression="none", use_dictionary=False,
         change=lambda data, metadata: replace(data, b"\x07\0\0\0text 42", b"\x07\0\1\0text 42"))
    def index(data, metadata):
        chunk = metadata.row_group(0).column(0)
        end = chunk.dictionary_page_offset + chunk.total_compressed_size
        return data[:end - 24] + b"\xff" * 24 + data[end:]
    required = texts.cast(pa.schema([pa.field("a", pa.string(), nullable=False)]))
    case("bad-dictionary-index", required, compression="none", change=index)
    case("bad-times", pa.table({"at": pa.array([2**62, 0], pa.timestamp("ms"))}))
    case("bad-unsigned", pa.table({"n": pa.array([1, 2**64 - 1], pa.uint64())}))


def main():
    for folder in CASES.glob("*"):
        for file in folder.glob("*.parquet"):
            file.unlink()
    good()
    bad()


main()
