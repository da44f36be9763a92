"""Compares `csv-source`, `json-source` and `parquet-source` with pandas, pyarrow and polars: time and memory.

    cargo build --release
    python3 tests/python/compare_readers.py target/release/wasmlops

Installs the three in a virtual environment (`--venv DIR`, kept there; else a temporary one), makes the files with fixed
seeds (`--data DIR` keeps them), and reads each with one thread of each reader, in a process of its own. `--plugin NAME=FILE`
uses a component instead of the one in the binary, `--files NAME…` takes some files alone, `--scale 0.1` a tenth of the
rows. Prints Markdown.

Two tables: `numbers` has 500,000 rows of 30 numbers (whole ones, few digits, all digits), `mixed` a million rows of ten
columns: numbers, times, dates, truth values, categories, texts of which some need quotes, and nulls. Each lies there as CSV
(plain, gzip, zstd), NDJSON and Parquet (snappy, zstd).

Times are the faster of two. With us it is the step's `duration_ms` with nothing in the cache: the sandbox's start, reading
the file, finding the types, and the finished table as an Arrow file in the store are in it; with the others the call that
gives a table in memory, types found as each does by default. MB/s are millions of bytes of the uncompressed text a
second; for Parquet those of the same table as CSV, so that rows compare. Memory is the peak resident set of the whole
process. Seconds of the processor say more than MB/s where something else is at work on the machine; with us they are
those of the whole process: putting the file into the store, and copying it for the sandbox, are in them.
"""

import argparse
import gzip
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PACKAGES = ["numpy", "pandas", "pyarrow", "polars", "zstandard"]
REPEATS = 2
ONE_THREAD = {name: "1" for name in ["POLARS_MAX_THREADS", "OMP_NUM_THREADS", "ARROW_NUM_THREADS", "OPENBLAS_NUM_THREADS"]}
TABLES = {"numbers": 500_000, "mixed": 1_000_000}
KINDS = {
    "csv": "csv-source", "csv.gz": "csv-source", "csv.zst": "csv-source", "ndjson": "json-source",
    "snappy.parquet": "parquet-source", "zstd.parquet": "parquet-source",
}
OTHERS = ["pandas", "pyarrow", "polars"]


def main():
    arguments = parse_arguments()
    if os.environ.get("WASMLOPS_COMPARE_INSIDE") != "1":
        with tempfile.TemporaryDirectory() as temporary:
            venv = Path(arguments.venv or temporary)
            inside = os.environ | ONE_THREAD | {"WASMLOPS_COMPARE_INSIDE": "1"}
            sys.exit(subprocess.call([python_of(venv), *sys.argv], env=inside))
    if arguments.worker:
        return worker(arguments, *arguments.worker)
    import numpy, pandas, polars, pyarrow
    versions = {"pandas": pandas, "pyarrow": pyarrow, "polars": polars, "numpy": numpy}
    print(", ".join(f"{name} {module.__version__}" for name, module in versions.items()), end=". ")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(arguments.data or temporary)
        folder.mkdir(parents=True, exist_ok=True)
        compare(arguments, folder)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", nargs="?", help="the built `wasmlops`; without it only the others are measured")
    parser.add_argument("--files", nargs="*", help=f"of {', '.join(f'{table}.{kind}' for table in TABLES for kind in KINDS)}")
    parser.add_argument("--venv")
    parser.add_argument("--data")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--plugin", action="append", default=[], metavar="NAME=FILE")
    parser.add_argument("--generate", action="store_true", help="make the files and stop")
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    return parser.parse_args()


def python_of(venv):
    python = venv / "bin/python"
    if not python.exists():
        subprocess.check_call([sys.executable, "-m", "venv", venv])
    if subprocess.call([python, "-c", "import numpy, pandas, polars, pyarrow, zstandard"], stderr=subprocess.DEVNULL):
        subprocess.check_call([python, "-m", "pip", "install", "--quiet", *PACKAGES])
    return python


# The files.


def numbers(rows):
    import numpy as np
    import polars as pl
    random = np.random.default_rng(1)
    columns = {}
    for index in range(10):
        columns[f"whole_{index}"] = random.integers(-(10 ** (index + 1)), 10 ** (index + 1), rows)
    for index in range(10):
        columns[f"short_{index}"] = np.round(random.normal(0, 10.0 ** (index % 5), rows), 2 + index % 4)
    for index in range(10):
        columns[f"long_{index}"] = random.normal(0, 10.0 ** (index - 4), rows)
    return pl.DataFrame(columns)


def mixed(rows):
    import numpy as np
    import polars as pl
    random = np.random.default_rng(2)
    words = np.array("the of and to in a is that for it as was with be by on not he his but at are this have from".split())
    countries = np.array(["DE", "FR", "IT", "ES", "PL", "NL", "BE", "AT", "SE", "CZ", "GB", "US"])
    seconds = np.datetime64("2026-01-01", "s") + np.sort(random.integers(0, 180 * 86_400, rows)).astype("timedelta64[s]")
    text = words[random.integers(0, len(words), (rows, 4))]
    note = [" ".join(row) for row in text]
    for at in np.flatnonzero(random.random(rows) < 0.1):
        note[at] = note[at].replace(" ", ", ", 1)
    for at in np.flatnonzero(random.random(rows) < 0.02):
        note[at] = f'say "{note[at]}"'
    amount = np.round(random.lognormal(3, 1.2, rows), 2)
    score = random.normal(0, 1, rows)
    return pl.DataFrame({
        "id": np.arange(rows) + 10_000_000,
        "time": np.char.replace(np.datetime_as_string(seconds, "s"), "T", " "),
        "birthday": np.datetime_as_string(np.datetime64("1950-01-01") + random.integers(0, 20_000, rows)),
        "amount": amount,
        "score": pl.Series(score).set(pl.Series(random.random(rows) < 0.05), None),
        "country": countries[random.integers(0, len(countries), rows)],
        "customer": np.char.add("c", random.integers(0, 50_000, rows).astype(str)),
        "note": note,
        "member": random.random(rows) < 0.3,
        "items": pl.Series(random.integers(0, 40, rows)).set(pl.Series(random.random(rows) < 0.02), None),
    })


def generate(folder, table, scale):
    """The table's files, but those that are there."""
    import polars as pl
    paths = {kind: folder / f"{table}.{kind}" for kind in KINDS}
    if all(path.exists() for path in paths.values()):
        return
    frame = {"numbers": numbers, "mixed": mixed}[table](int(TABLES[table] * scale))
    frame.write_csv(paths["csv"])
    with open(paths["csv"], "rb") as plain, gzip.open(paths["csv.gz"], "wb", compresslevel=6) as packed:
        shutil.copyfileobj(plain, packed, 1 << 20)
    import pyarrow as pa
    with open(paths["csv"], "rb") as plain, pa.CompressedOutputStream(str(paths["csv.zst"]), "zstd") as packed:
        shutil.copyfileobj(plain, packed, 1 << 20)
    frame.write_ndjson(paths["ndjson"])
    if table == "mixed":
        time, birthday = pl.col("time").str.to_datetime("%Y-%m-%d %H:%M:%S", time_zone="UTC"), pl.col("birthday").str.to_date()
        frame = frame.with_columns(time, birthday, pl.col("country").cast(pl.Categorical))
    for codec in ["snappy", "zstd"]:
        frame.write_parquet(paths[f"{codec}.parquet"], compression=codec)


# The readers.


def worker(arguments, reader, kind, path):
    """Reads once, and prints seconds, the peak of memory in KiB, and seconds of the processor."""
    if reader == "wasmlops":
        with tempfile.TemporaryDirectory(dir=Path(path).parent) as folder:
            seconds = Project(arguments, Path(folder), KINDS[kind]).read(Path(path))
        # Of the largest child: this process has no other.
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        print(json.dumps([seconds, usage.ru_maxrss, usage.ru_utime + usage.ru_stime]))
        return
    read = READERS[reader](kind)
    start, processor = time.perf_counter(), time.process_time()
    read(path)
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, processor]))


def of_pandas(kind):
    import pandas as pd
    if kind.startswith("csv"):
        return pd.read_csv
    return pd.read_parquet if kind.endswith("parquet") else lambda path: pd.read_json(path, lines=True)


def of_pyarrow(kind):
    import pyarrow as pa
    pa.set_cpu_count(1)
    if kind.startswith("csv"):
        from pyarrow import csv
        return lambda path: csv.read_csv(path, read_options=csv.ReadOptions(use_threads=False))
    if kind.endswith("parquet"):
        from pyarrow import parquet
        return lambda path: parquet.read_table(path, use_threads=False)
    from pyarrow import json as pa_json
    return lambda path: pa_json.read_json(path, read_options=pa_json.ReadOptions(use_threads=False))


def of_polars(kind):
    import polars as pl
    if kind.startswith("csv"):
        return lambda path: pl.read_csv(path, try_parse_dates=True)
    return pl.read_parquet if kind.endswith("parquet") else pl.read_ndjson


READERS = {"pandas": of_pandas, "pyarrow": of_pyarrow, "polars": of_polars}


def in_a_process(arguments, reader, kind, path):
    plugins = [part for given in arguments.plugin for part in ("--plugin", given)]
    binary = [arguments.binary] if arguments.binary else []
    command = [sys.executable, __file__, *binary, *plugins, "--worker", reader, kind, str(path)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        print(f"{reader}, {path.name}: {(done.stderr.strip().splitlines() or ['no message'])[-1]}", file=sys.stderr)
        return None
    return json.loads(done.stdout)


class Project:
    """A project of one step in a folder of its own."""

    def __init__(self, arguments, folder, plugin):
        self.binary, self.folder, self.plugin = Path(arguments.binary).resolve(), folder, plugin
        own = dict(given.split("=", 1) for given in arguments.plugin)
        listed = "*"
        if plugin in own:
            shutil.copyfile(own[plugin], folder / f"{plugin}.wasm")
            listed = {"version": "*", "path": f"./{plugin}.wasm"}
        self.write("wasmlops.yaml", {"project": "compare", "plugins": {plugin: listed}, "policy": {"read": ["data"]}})
        (folder / "pipelines").mkdir()
        (folder / "data").mkdir()

    def write(self, path, content):
        (self.folder / path).write_text(json.dumps(content))

    def read(self, path):
        os.link(path, self.folder / "data" / path.name)
        step = {"uses": f"{self.plugin}@*", "with": {"path": f"data/{path.name}"}, "grants": {"read": ["data"]},
                "limits": {"timeout": "10m"}}
        (self.folder / "pipelines/read.yaml").write_text(json.dumps({"pipeline": "read", "steps": {"read": step}}))
        done = subprocess.run([self.binary, "run", "read", "--json", "--quiet"], stdout=subprocess.PIPE, cwd=self.folder)
        run = json.loads(done.stdout or "{}")
        if run.get("status") != "succeeded":
            sys.exit(json.dumps(run.get("error") or run["steps"][0].get("error") if "steps" in run else run))
        return run["steps"][0]["duration_ms"] / 1000


# The table.


def compare(arguments, folder):
    print(f"Load before: {', '.join(f'{load:.1f}' for load in os.getloadavg())} on {os.cpu_count()} cores.\n")
    wanted = arguments.files or [f"{table}.{kind}" for table in TABLES for kind in KINDS]
    for table in TABLES:
        if any(name.startswith(f"{table}.") for name in wanted):
            generate(folder, table, arguments.scale)
    if arguments.generate:
        return
    readers = (["wasmlops"] if arguments.binary else []) + OTHERS
    print(f"| file | MB of text | MB on disk | {' | '.join(f'{reader} MB/s' for reader in readers)} | to the fastest other | MiB at the peak | CPU s |")
    print("|---" * (len(readers) + 6) + "|")
    for name in wanted:
        table, kind = name.split(".", 1)
        text = (folder / f"{table}.{'ndjson' if kind == 'ndjson' else 'csv'}").stat().st_size / 1e6
        results = {reader: measured(arguments, reader, kind, folder / name) for reader in readers}
        print(row(folder / name, text, results), flush=True)
    print(f"\nLoad after: {', '.join(f'{load:.1f}' for load in os.getloadavg())}.")


def measured(arguments, reader, kind, path):
    """The faster of two, and the memory of one."""
    results = []
    for _ in range(REPEATS):
        results.append(in_a_process(arguments, reader, kind, path))
    results = [result for result in results if result]
    return min(results, key=lambda result: result[0]) if results else None


def row(path, text, results):
    speed = {reader: text / result[0] if result else None for reader, result in results.items()}
    memory = [f"{result[1] / 1024:.0f}" if result else "–" for result in results.values()]
    processor = [f"{result[2]:.1f}" if result else "–" for result in results.values()]
    best = max((speed[reader] for reader in OTHERS if speed[reader]), default=None)
    ours = speed.get("wasmlops")
    ratio = f"{ours / best:.2f} ×" if ours and best else "–"
    cells = [f"`{path.name}`", f"{text:.0f}", f"{path.stat().st_size / 1e6:.0f}"]
    cells += [f"{value:.0f}" if value else "–" for value in speed.values()] + [ratio, " / ".join(memory), " / ".join(processor)]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
