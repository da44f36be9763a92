"""Writes small Parquet files of every encoding and codec, and what pyarrow reads of them, as kept vectors.

    pip install pyarrow polars pandas
    python tests/make_parquet.py
"""

import datetime as dt
import decimal
import json
import math
import pathlib
import random
import uuid

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

DATA = pathlib.Path(__file__).parent / "data"
ROWS = 40
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
rng = random.Random(7)


def nulls(values, share=0.2):
    return [None if rng.random() < share else value for value in values]


def numbers(rows=ROWS):
    return pa.table({
        "whole": pa.array(nulls([rng.randint(-(2**63), 2**63 - 1) for _ in range(rows)]), pa.int64()),
        "small": pa.array(nulls([rng.randint(-128, 127) for _ in range(rows)]), pa.int8()),
        "middle": pa.array(nulls([rng.randint(-(2**31), 2**31 - 1) for _ in range(rows)]), pa.int32()),
        "unsigned": pa.array(nulls([rng.randint(0, 2**32 - 1) for _ in range(rows)]), pa.uint32()),
        "big_unsigned": pa.array([rng.randint(0, 2**63 - 1) for _ in range(rows)], pa.uint64()),
        "number": pa.array(nulls([rng.gauss(0, 1e9) for _ in range(rows)]), pa.float64()),
        "single": pa.array(nulls([rng.gauss(0, 1) for _ in range(rows)]), pa.float32()),
        "truth": pa.array(nulls([rng.random() < 0.5 for _ in range(rows)]), pa.bool_()),
        "special": pa.array([float("nan"), float("inf"), -0.0, None] * (rows // 4), pa.float64()),
        "nothing": pa.array([None] * rows, pa.float64()),
    })


def texts(rows=ROWS):
    words = ["", "a", "Straße", "日本", "x" * 40, "tab\tquote\""]
    return pa.table({
        "text": pa.array(nulls([rng.choice(words) + str(rng.randint(0, 30)) for _ in range(rows)])),
        "other": pa.array([f"prefix-{number:05}-{rng.randint(0, 9)}" for number in range(rows)]),
        "bytes": pa.array(nulls([bytes([number % 256, 255]) for number in range(rows)]), pa.binary()),
        "fixed": pa.array(nulls([bytes([number % 256] * 3) for number in range(rows)]), pa.binary(3)),
        "colour": pa.array(nulls([rng.choice(["red", "green", "blue"]) for _ in range(rows)])).dictionary_encode(),
    })


def moments(rows=ROWS):
    micros = [rng.randint(-(10**15), 4 * 10**15) for _ in range(rows)]
    def of(unit, tz, factor):
        return pa.array(nulls([micro // factor if factor > 0 else micro * -factor for micro in micros]), pa.timestamp(unit, tz))
    return pa.table({
        "seconds": of("s", "UTC", 10**6),
        "millis": of("ms", "Europe/Berlin", 1000),
        "micros": of("us", "UTC", 1),
        "nanos": pa.array(nulls([micro * 1000 + 7 for micro in micros]), pa.timestamp("ns", "UTC")),
        "local": of("us", None, 1),
        "day": pa.array(nulls([rng.randint(-30000, 30000) for _ in range(rows)]), pa.date32()),
    })


def decimals(rows=ROWS):
    def of(precision, scale):
        whole = [rng.randint(-(10**precision) + 1, 10**precision - 1) for _ in range(rows)]
        return pa.array(nulls([decimal.Decimal(value).scaleb(-scale, decimal.Context(prec=40)) for value in whole]),
                        pa.decimal128(precision, scale))
    return pa.table({"price": of(7, 2), "rate": of(16, 6), "exact": of(38, 12)})


def odd(rows=ROWS):
    ids = [uuid.UUID(int=rng.getrandbits(128)) for _ in range(rows)]
    inner = pa.array(nulls([{"city": rng.choice(["Ulm", None, "Köln"]), "zip": number} for number in range(rows)]),
                     pa.struct([("city", pa.string()), ("zip", pa.int32())]))
    return pa.table({
        "id": pa.array([value.bytes for value in ids], pa.uuid()),
        "half": pa.array(nulls([rng.gauss(0, 1) for _ in range(rows)]), pa.float16()),
        "address": inner,
    })


def value(column_type, cell):
    """As the table has it."""
    if cell is None:
        return None
    if isinstance(cell, pd.Timestamp):
        return cell.value // 1000
    if isinstance(cell, dt.datetime):
        cell = cell if cell.tzinfo else cell.replace(tzinfo=dt.timezone.utc)
        return (cell - EPOCH) // dt.timedelta(microseconds=1)
    if isinstance(cell, dt.date):
        return (cell - EPOCH.date()).days * 86_400_000_000
    if isinstance(cell, decimal.Decimal):
        return float(cell)
    if isinstance(cell, bytes):
        return list(cell)
    if isinstance(cell, uuid.UUID):
        return str(cell)
    if isinstance(cell, float) and not math.isfinite(cell):
        return str(cell)
    if pa.types.is_float16(column_type):
        return float(cell)
    return cell


def kept(path):
    table = pq.read_table(path)
    while any(pa.types.is_struct(field.type) for field in table.schema):
        table = table.flatten()
    return {
        field.name: [value(field.type, cell.as_py()) for cell in table.column(field.name)] for field in table.schema
    }


def main():
    DATA.mkdir(exist_ok=True)
    files = {}

    def write(name, table, **options):
        path = DATA / f"{name}.parquet"
        pq.write_table(table, path, **options)
        files[name] = kept(path)

    for codec in ["none", "snappy", "gzip", "lz4", "zstd"]:
        write(f"numbers-{codec}", numbers(), compression=codec, write_page_checksum=codec == "gzip")
    write("numbers-pages", numbers(240), row_group_size=100, data_page_size=256, write_batch_size=16)
    write("numbers-plain-v2", numbers(), use_dictionary=False, data_page_version="2.0", compression="snappy")
    split = {name: "BYTE_STREAM_SPLIT" for name in ["number", "single", "special"]}
    delta = {name: "DELTA_BINARY_PACKED" for name in ["whole", "small", "middle", "unsigned", "big_unsigned"]}
    write("numbers-encodings", numbers(140), use_dictionary=False, data_page_version="2.0",
          column_encoding={**split, **delta, "truth": "RLE", "nothing": "PLAIN"}, compression="zstd")
    write("texts-dictionary", texts())
    write("texts-plain", texts(), use_dictionary=False, compression="none")
    write("texts-fallback", texts(400), dictionary_pagesize_limit=300, data_page_size=512, write_batch_size=32)
    encodings = {"text": "DELTA_LENGTH_BYTE_ARRAY", "other": "DELTA_BYTE_ARRAY", "bytes": "DELTA_BYTE_ARRAY",
                 "fixed": "BYTE_STREAM_SPLIT"}
    write("texts-encodings", texts(140).drop(["colour"]), use_dictionary=False, column_encoding=encodings, data_page_version="2.0")
    write("moments", moments())
    write("moments-int96", moments().select(["micros", "nanos"]), use_deprecated_int96_timestamps=True)
    write("decimals", decimals())
    write("decimals-as-integers", decimals().select(["price", "rate"]), store_decimal_as_integer=True)
    write("odd", odd())

    frame = pl.from_arrow(numbers(100)).with_columns(kind=pl.Series(["a", "b"] * 50, dtype=pl.Categorical))
    frame.write_parquet(DATA / "polars.parquet", compression="zstd", row_group_size=64)
    files["polars"] = kept(DATA / "polars.parquet")
    frame = pd.DataFrame({"n": range(50), "c": pd.Categorical(["x", "y", None, "x", "z"] * 10),
                          "when": pd.date_range("2026-01-01", periods=50, freq="h")})
    frame.to_parquet(DATA / "pandas.parquet", index=False)
    files["pandas"] = kept(DATA / "pandas.parquet")

    (DATA / "parquet.json").write_text(json.dumps(files, ensure_ascii=False, separators=(",", ":")) + "\n")


main()
