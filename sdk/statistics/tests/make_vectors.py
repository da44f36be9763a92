"""Makes `data/kolmogorov.json`: p-values of scipy for sample sizes of every method it has.

    pip install scipy==1.17.1
    python make_vectors.py
"""

import json
import pathlib
from math import gcd

import numpy as np
from scipy import stats
from scipy.stats._stats_py import _attempt_exact_2kssamp

random = np.random.default_rng(20261121)


def p_value(n, m, distance):
    """What `ks_2samp(method="auto")` does once it has the statistic; None where rounding makes it give up (p > 1)."""
    if max(n, m) <= 10_000:
        success, _, p = _attempt_exact_2kssamp(n, m, gcd(n, m), distance / (n * m), "two-sided")
        return float(p) if success else None
    effective = np.round(n * m / (n + m))
    return float(np.clip(stats.kstwo.sf(distance / (n * m), effective), 0, 1))


def distances(n, m, count):
    """Statistics that occur: multiples of the greatest common divisor, most of them near the critical value."""
    critical = 1.36 * np.sqrt((n + m) / (n * m))
    d = np.minimum(random.uniform(0.2, 2.5, count) * critical, 1)
    step = gcd(n, m)
    return sorted({int(max(1, round(x * n * m / step)) * step) for x in d} | {step, n * m})


sizes = [(1, 1), (2, 3), (5, 5), (7, 12), (30, 30), (30, 31), (50, 1000), (200, 426), (1000, 1000), (997, 1000)]
sizes += [(2500, 10_000), (10_000, 10_000), (10_001, 40), (10_001, 100), (20_000, 160), (20_000, 3000)]
sizes += [(100_000, 100_000), (100_000, 50_001), (1_000_000, 200_000)]
two_sample = [(n, m, d, p_value(n, m, d)) for n, m in sizes for d in distances(n, m, 6)]
two_sample = [case for case in two_sample if case[3] is not None]

one_sample = []
for n in [1, 2, 10, 60, 139, 140, 141, 500, 5000, 50_000, 100_000, 300_000, 2_000_000]:
    for d in [0.3 / n, 0.7 / n, 1.2 / n, 0.4 / n**0.5, 0.6 / n**0.5, 0.87 / n**0.5, 1.1 / n**0.5, 1.4 / n**0.5, 1.8 / n**0.5]:
        one_sample.append((n, min(d, 1.0), float(stats.kstwo.sf(min(d, 1.0), n))))

path = pathlib.Path(__file__).parent / "data" / "kolmogorov.json"
line = ",\n    ".join
path.write_text(
    '{\n  "two_sample": [\n    ' + line(json.dumps(v) for v in two_sample)
    + '\n  ],\n  "one_sample": [\n    ' + line(json.dumps(v) for v in one_sample) + "\n  ]\n}\n"
)
print(f"{path}: {len(two_sample)} + {len(one_sample)} cases")
