"""Makes `data/vectors.json`: samples, and what scipy says of them.

    pip install scipy==1.17.1
    python make_vectors.py
"""

import json
import pathlib
import warnings

import numpy as np
import scipy
from scipy import stats
from scipy.spatial import distance

random = np.random.default_rng(20261121)


def psi(p, q):
    """The population stability index, with Evidently's share for empty categories. Scipy has none."""
    p, q = (np.where(s == 0, s[s > 0].min() / 1e6 if s[s > 0].min() <= 1e-4 else 1e-4, s) for s in (p, q))
    return np.sum((p - q) * np.log(p / q))


def of_counts(reference, window):
    p, q = reference / reference.sum(), window / window.sum()
    table = np.array([reference, window])
    table = table[:, table.sum(axis=0) > 0]
    expected = {"psi": psi(p, q), "jensenshannon": distance.jensenshannon(p, q, base=2)}
    if table.shape[1] > 1:
        expected["chisquare"] = stats.chi2_contingency(table, correction=False).pvalue
    if table.shape[1] == 2:
        # The test of two proportions with pooled variance.
        (_, a), (_, b) = reference, window
        n, m = reference.sum(), window.sum()
        pooled = (a + b) / (n + m)
        z = (a / n - b / m) / np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
        expected["z"] = 2 * stats.norm.sf(abs(z))
    return expected


def numbers(name, reference, window, spec=None):
    """Bins hold about equally many reference values; few different values are categories."""
    r, w = (np.array([x for x in s if x is not None and np.isfinite(x)]) for s in (reference, window))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ks = stats.ks_2samp(r, w)
    deviation = r.std()
    expected = {
        "ks": ks.pvalue,
        "wasserstein": stats.wasserstein_distance(r, w) / (deviation if deviation > 0 else 0.001),
    }
    values = np.unique(np.concatenate([r, w]))
    if len(values) <= 5:
        expected |= of_counts(*(np.array([(s == v).sum() for v in values]) for s in (r, w)))
    else:
        bounds = np.unique(np.sort(r)[[k * len(r) // 10 for k in range(1, 10)]])
        bins = lambda s: np.bincount(np.searchsorted(bounds, s, side="right"), minlength=len(bounds) + 1)
        expected |= of_counts(bins(r), bins(w))
    plain = lambda s: [None if x is None else float(x) for x in s]
    reference, window = spec or (plain(reference), plain(window))
    return {"name": name, "reference": reference, "window": window, "expected": {k: float(v) for k, v in expected.items()}}


def texts(name, reference, window):
    r, w = ([x for x in s if x is not None] for s in (reference, window))
    values = list(dict.fromkeys(r + w))
    expected = of_counts(*(np.array([s.count(v) for v in values]) for s in (r, w)))
    return {"name": name, "reference": reference, "window": window, "expected": {k: float(v) for k, v in expected.items()}}


def lattice(rows, step, low=0.0, scale=1.0, power=1, grain=0.0):
    """The same numbers as the test makes: products and quotients alone, which round alike everywhere."""
    spec = {"rows": rows, "step": step, "low": low, "scale": scale, "power": power, "grain": grain}
    part = np.arange(rows, dtype=np.int64) * step % rows / rows
    powered = part
    for _ in range(1, power):
        powered = powered * part
    values = low + scale * powered
    return spec, np.floor(values / grain) * grain if grain else values


def large(name, reference, window):
    return numbers(name, reference[1], window[1], (reference[0], window[0]))


normal = lambda rows, shift=0.0, scale=1.0: (shift + scale * random.normal(size=rows)).round(6)
with_nulls = [None if random.random() < 0.2 else x for x in normal(90)]
country = lambda rows, shares: [str(x) for x in random.choice(["de", "fr", "it", "es"], size=rows, p=shares)]

cases = [
    numbers("two normal samples", normal(60), normal(45)),
    numbers("shifted", normal(60), normal(60, 0.8)),
    numbers("wider", normal(80), normal(50, scale=3)),
    numbers("equal sizes, far apart", normal(40), normal(40, 5)),
    numbers("many ties", normal(120).round(), normal(70, 0.4).round()),
    numbers("ties in tenths", normal(150).round(1), normal(100, 0.2).round(1)),
    numbers("a few rows", normal(5), normal(4)),
    numbers("one row against many", normal(30), normal(1)),
    numbers("three different values", random.integers(0, 3, 60).astype(float), random.integers(0, 3, 50).astype(float)),
    numbers("a new value among few", [0.0] * 30 + [1.0] * 30, [0.0] * 20 + [1.0] * 20 + [2.0] * 20),
    numbers("two different values", [0.0] * 30 + [1.0] * 30, [0.0] * 10 + [1.0] * 25),
    numbers("nulls", with_nulls, [None] + list(normal(60, 0.3))),
    numbers("a constant that changes", [2.0] * 40, [3.0] * 30),
    numbers("skewed", (normal(100) ** 2).round(4), (1.4 * normal(80) ** 2).round(4)),
    texts("countries", country(120, [0.4, 0.3, 0.2, 0.1]), country(90, [0.3, 0.3, 0.2, 0.2])),
    texts("countries that moved", country(150, [0.4, 0.3, 0.2, 0.1]), country(90, [0.1, 0.2, 0.3, 0.4])),
    texts("a new country", country(100, [0.5, 0.3, 0.2, 0.0]), country(80, [0.4, 0.3, 0.1, 0.2])),
    texts("two classes with nulls", ["a", "b", "a", None] * 20, ["a", "b", None, "b"] * 15),
    large("1,000 against 900", lattice(1000, 617), lattice(900, 607, low=0.03)),
    large("10,000 and 9,999, exact", lattice(10_000, 617), lattice(9_999, 607, low=0.005)),
    large("ties, exact", lattice(5_000, 617, grain=0.01), lattice(4_000, 607, low=0.01, grain=0.01)),
    large("100,000 each, the same", lattice(100_000, 61_717), lattice(100_000, 61_723, scale=1.004)),
    large("100,000 each, moved", lattice(100_000, 61_717, power=2), lattice(100_000, 61_723, low=0.01, power=2)),
    large("100,000 against 2,000", lattice(100_000, 61_717), lattice(2_000, 617, power=1, scale=0.97)),
    large("20,000 against 50, asymptotic", lattice(20_000, 617), lattice(50, 17, low=0.1)),
    large("20,000 against 150 with ties", lattice(20_000, 617, grain=0.05), lattice(150, 17, low=0.07, grain=0.05)),
]

path = pathlib.Path(__file__).parent / "data" / "vectors.json"
made_with = f"scipy {scipy.__version__}, numpy {np.__version__}"
lines = ",\n".join(json.dumps(case) for case in cases)
path.write_text(f'{{"made_with": "{made_with}", "cases": [\n{lines}\n]}}\n')
print(f"{path}: {len(cases)} cases")
for case in cases:
    print(case["name"], {k: f"{v:.4g}" for k, v in case["expected"].items()})
