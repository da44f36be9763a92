"""Writes data/vectors.json: joins, groups and windows as pandas computes them.

    python3 -m venv venv && venv/bin/pip install pandas && venv/bin/python make_vectors.py
"""

import json
import pathlib

import numpy
import pandas

random = numpy.random.default_rng(7)


def column(values):
    return [None if pandas.isna(value) else value for value in values]


def payments(rows, start):
    """Times are microseconds, all different, so that no tool has a choice."""
    return pandas.DataFrame(
        {
            "customer": random.choice(["ann", "bob", "eve"], rows),
            "shop": random.integers(0, 3, rows),
            "time": start + numpy.sort(random.choice(10_000, rows, replace=False)) * 1_000,
            "amount": numpy.where(random.random(rows) < 0.15, numpy.nan, random.normal(50, 20, rows).round(3)),
            "row": numpy.arange(rows),
        }
    )


def as_table(frame):
    return {name: column(frame[name].tolist()) for name in frame.columns}


left, right = payments(60, 0), payments(40, 5)


def merged(how):
    found = left.merge(right, on=["customer", "shop"], how=how, suffixes=("", "_right"))
    return {"row": column(found["row"].tolist()), "row_right": column(found["row_right"].tolist())}


def asof(tolerance, exact):
    found = pandas.merge_asof(
        left, right, on="time", by=["customer", "shop"], suffixes=("", "_right"), tolerance=tolerance,
        allow_exact_matches=exact,
    )
    return {"row_right": column(found["row_right"].tolist())}


def grouped():
    groups = left.groupby(["customer", "shop"], sort=False)["amount"]
    found = groups.agg(["count", "sum", "mean", "min", "max", "median", "std", "first", "last", "nunique"])
    found["quantile"] = groups.quantile(0.9)
    return {name: column(found[name].tolist()) for name in found.columns}


FUNCTIONS = ["count", "sum", "mean", "min", "max", "median", "std"]


def rolled(window, **options):
    times = left.set_index(pandas.to_datetime(left["time"], unit="us")) if isinstance(window, str) else left
    parts = []
    for _, group in times.groupby("customer"):
        rolling = group["amount"].rolling(window, closed="left", min_periods=0, **options)
        part = pandas.DataFrame({name: getattr(rolling, name)() for name in FUNCTIONS})
        part["quantile"] = rolling.quantile(0.9)
        part["row"] = group["row"].to_numpy()
        parts.append(part)
    found = pandas.concat(parts).sort_values("row")
    return {name: column(found[name].tolist()) for name in [*FUNCTIONS, "quantile"]}


vectors = {
    "left": as_table(left),
    "right": as_table(right),
    "merge": {"inner": merged("inner"), "left": merged("left")},
    "merge_asof": {
        "any": asof(None, True),
        "tolerance": asof(800_000, True),
        "strictly_before": asof(None, False),
    },
    "groupby": grouped(),
    "rolling": {"rows": rolled(3), "within": rolled("2s")},
}
path = pathlib.Path(__file__).parent / "data" / "vectors.json"
path.write_text(json.dumps(vectors, indent=1) + "\n")
