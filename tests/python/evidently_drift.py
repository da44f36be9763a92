"""Times Evidently's drift report on the values that `cargo xtask bench drift` has made.

    python3 -m venv /tmp/ev && /tmp/ev/bin/pip install evidently 'pandas<3'
    cargo xtask bench --python /tmp/ev/bin/python drift

FOLDER holds `reference` and `window`: columns one after the other, little-endian float64. For each statistic the faster of
two reports counts, and how many columns it finds drifted. Loading is not timed. Writes JSON.
"""

import json
import sys
import time
import warnings

import numpy as np
import pandas as pd

warnings.simplefilter("ignore")
import evidently
from evidently import Report
from evidently.presets import DataDriftPreset

REPEATS = 2


def table(path, columns):
    values = np.fromfile(path, dtype="<f8").reshape(columns, -1)
    return pd.DataFrame({f"c{index}": column for index, column in enumerate(values)})


def drifted(result):
    counts = [metric["value"]["count"] for metric in json.loads(result.json())["metrics"]
              if metric["metric_name"].startswith("DriftedColumnsCount")]
    return int(counts[0])


def main(folder, columns, statistics):
    reference, window = (table(f"{folder}/{name}", columns) for name in ("reference", "window"))
    answer = {"version": evidently.__version__}
    for statistic in statistics:
        seconds, found = float("inf"), None
        for _ in range(REPEATS):
            begun = time.perf_counter()
            result = Report([DataDriftPreset(num_method=statistic)]).run(window, reference)
            found = drifted(result)
            seconds = min(seconds, time.perf_counter() - begun)
        answer[statistic] = {"seconds": seconds, "found": found}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
