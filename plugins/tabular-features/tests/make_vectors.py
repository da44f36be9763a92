"""Writes `data/vectors.json`: tables and scikit-learn's features of them, for the tests of `tabular-features`.

    python3 -m venv venv && venv/bin/pip install scikit-learn==1.9.1
    venv/bin/python make_vectors.py

Cross-fitting needs the same folds on both sides. They follow from a hash of each row's key columns, which is written
down here a second time, so that it cannot change unseen.
"""

import json
import pathlib
import struct
import warnings

import numpy
import sklearn
from sklearn.feature_extraction import FeatureHasher
from sklearn.model_selection import PredefinedSplit
from sklearn.preprocessing import (
    KBinsDiscretizer,
    MinMaxScaler,
    OrdinalEncoder,
    PowerTransformer,
    RobustScaler,
    TargetEncoder,
)

warnings.simplefilter("error")
random = numpy.random.default_rng(20261121)
BITS = (1 << 64) - 1


def mix(bits):
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & BITS
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & BITS
    return bits ^ (bits >> 31)


def value_hash(value):
    if value is None:
        return 0x7FF8000000000000
    if isinstance(value, str):
        hashed = 0xCBF29CE484222325
        for byte in value.encode():
            hashed = ((hashed ^ byte) * 0x100000001B3) & BITS
        return hashed
    return struct.unpack("<Q", struct.pack("<d", float(value) + 0.0))[0]


def fold(row, folds):
    hashed = 0
    for value in row:
        hashed = mix(((hashed + 0x9E3779B97F4A7C15) & BITS) ^ value_hash(value))
    return ((hashed >> 32) * folds) >> 32


def case(name, config, table, expected, rows=None):
    columns = [{"name": name, "type": kind, "values": list(values)} for name, (kind, values) in table.items()]
    return {"name": name, "config": config, "table": columns, "rows": rows, "expected": expected}


def plain(values):
    return [None if value is None or value != value else float(value) for value in values]


def objects(values):
    return numpy.array(values, dtype=object).reshape(-1, 1)


def target_cases():
    count = 120
    cities = [None if random.random() < 0.1 else f"city {int(random.integers(9) ** 1.3)}" for _ in range(count)]
    ids = list(range(1000, 1000 + count))
    new = [None, "city 0", "city 1", "city 5", "elsewhere"]
    score = random.normal(size=count)
    targets = {
        "binary": ("utf8", ["yes" if value > 0.3 else "no" for value in score]),
        "multiclass": ("utf8", ["abc"[int(value > -0.4) + int(value > 0.5)] for value in score]),
        "regression": ("f64", [round(float(value) * 100 + 500, 2) for value in score]),
    }
    folds = numpy.array([fold(row, 4) for row in zip(cities, ids)])
    cases = []
    for task, (kind, target) in targets.items():
        for smooth in ["auto", 7.5]:
            y = numpy.array(target)
            encoder = TargetEncoder(
                smooth=smooth,
                target_type="continuous" if task == "regression" else task,
                cv=PredefinedSplit(folds),
            )
            learned = encoder.fit_transform(objects(cities), y)
            others = encoder.transform(objects(new))
            names = ["city.target"] if task != "multiclass" else [f"city.target={c}" for c in "abc"]
            config = {
                "target": "y",
                "scale": "none",
                "encode": {"city": ["target"]},
                "target_encoding": {"cross_fit": {"folds": 4}},
            }
            if smooth != "auto":
                config["target_encoding"]["smooth"] = smooth
            table = {"city": ("utf8", cities), "id": ("s64", ids), "y": (kind, target)}
            learned = {name: plain(learned[:, index]) for index, name in enumerate(names)}
            others = {name: plain(others[:, index]) for index, name in enumerate(names)}
            rows = [{"name": "city", "type": "utf8", "values": new}, {"name": "id", "type": "s64", "values": [1] * 5}]
            cases.append(case(f"target, {task}, smooth {smooth}, rows learned from", config, table, learned))
            cases.append(case(f"target, {task}, smooth {smooth}, other rows", config, table, others, rows))
    return cases


def number_cases():
    cases = []
    columns = {
        "skewed": numpy.round(random.lognormal(2, 1.2, 80), 3),
        "signed": numpy.round(random.normal(3, 20, 80), 3),
        "left": numpy.round(-random.lognormal(0, 0.7, 80), 3),
        "whole": random.integers(0, 12, 80).astype(float),
    }
    for name, values in columns.items():
        x, table = values.reshape(-1, 1), {"x": ("f64", plain(values))}

        def of(encodings, expected, what):
            config = {"scale": "none", "encode": {"x": encodings}}
            cases.append(case(f"{what} of {name}", config, table, expected))

        of(["min_max"], {"x": plain(MinMaxScaler().fit_transform(x)[:, 0])}, "min_max")
        of(["robust"], {"x": plain(RobustScaler().fit_transform(x)[:, 0])}, "robust")
        power = PowerTransformer(standardize=False).fit_transform(x)[:, 0]
        of(["power"], {"x.power": plain(power)}, "power")
        config = {"encode": {"x": ["power"]}}
        power = PowerTransformer(standardize=True).fit_transform(x)[:, 0]
        cases.append(case(f"standardised power of {name}", config, table, {"x.power": plain(power)}))
        if (values > -1).all():
            of(["log1p"], {"x.log1p": plain(numpy.log1p(values))}, "log1p")
        for count in [3, 7]:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                quantile = KBinsDiscretizer(count, encode="ordinal", strategy="quantile", quantile_method="linear")
                width = KBinsDiscretizer(count, encode="ordinal", strategy="uniform")
                quantile, width = quantile.fit_transform(x)[:, 0], width.fit_transform(x)[:, 0]
            of([{"bins": {"quantile": count}}], {"x.bin": plain(quantile)}, f"{count} quantile bins")
            of([{"bins": {"width": count}}], {"x.bin": plain(width)}, f"{count} bins of one width")
            hot = {f"x.bin_{bin}": plain(width == bin) for bin in range(count)}
            of([{"one_hot_bins": {"width": count}}], hot, f"{count} one-hot bins")
    return cases


def text_cases():
    values = [["b", "ä", "a", "B", "b", "c"][int(random.integers(6))] for _ in range(30)]
    ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1).fit(objects(values))
    rows = ["a", "b", "zz", "ä", "B"]
    config = {"scale": "none", "encode": {"x": ["ordinal"]}}
    expected = {"x.ordinal": plain(ordinal.transform(objects(rows))[:, 0])}
    rows = [{"name": "x", "type": "utf8", "values": rows}]
    cases = [case("ordinal", config, {"x": ("utf8", values)}, expected, rows)]
    texts = ["a b c", "Größe and größe", "", "x1,x2;x1", "the the the cat", "naïve 東京 2024-01-02"]
    words = [["a", "b", "c"], ["größe", "and", "größe"], [], ["x1", "x2", "x1"], ["the"] * 3 + ["cat"],
             ["naïve", "東京", "2024", "01", "02"]]
    for features in [5, 16]:
        hasher = FeatureHasher(features, input_type="string", alternate_sign=True)
        for of, tokens in [("words", words), ("value", [[text] for text in texts])]:
            hashed = hasher.transform(tokens).toarray()
            config = {"encode": {"x": [{"hash": {"features": features, "of": of}}]}}
            expected = {f"x.hash_{index}": plain(hashed[:, index]) for index in range(features)}
            cases.append(case(f"hash of {of} to {features}", config, {"x": ("utf8", texts)}, expected))
    return cases


cases = target_cases() + number_cases() + text_cases()
path = pathlib.Path(__file__).parent / "data" / "vectors.json"
path.parent.mkdir(exist_ok=True)
path.write_text(json.dumps({"scikit_learn": sklearn.__version__, "cases": cases}, ensure_ascii=False) + "\n")
print(len(cases), "cases,", path.stat().st_size, "bytes")
