"""Makes `data/vectors.json`: rows from a seed, and what scikit-learn and scipy say of them.

    pip install scikit-learn==1.9.1 scipy==1.17.1 pandas
    python make_vectors.py
"""

import itertools
import json
import pathlib

import numpy as np
import pandas as pd
from scipy import stats
from sklearn import metrics as m
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import calibration_curve
from sklearn.inspection import permutation_importance

random = np.random.default_rng(20261121)
MASK = (1 << 64) - 1


class SplitMix:
    """The plugin's random numbers, so that both shuffle alike."""

    def __init__(self, seed):
        self.state = seed

    def below(self, bound):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return ((z ^ (z >> 31)) * bound) >> 64

    def permutation(self, count):
        order = list(range(count))
        for last in range(count - 1, 0, -1):
            other = self.below(last + 1)
            order[last], order[other] = order[other], order[last]
        return order


class Model(ClassifierMixin, BaseEstimator):
    """What `tests.rs` predicts with."""

    classes_ = np.array(["no", "yes"])

    def __sklearn_is_fitted__(self):
        return True

    def fit(self, x, y):
        return self

    def predict_proba(self, x):
        z = 1.5 * x["a"].to_numpy() - x["b"].to_numpy() + 0.8 * (x["c"].to_numpy() == "x")
        p = 1 / (1 + np.exp(-z))
        return np.column_stack([1 - p, p])

    def predict(self, x):
        return self.classes_[(self.predict_proba(x)[:, 1] >= 0.5).astype(int)]


def importance():
    rows = 150
    x = pd.DataFrame(
        {"a": random.normal(size=rows), "b": random.normal(size=rows), "c": random.choice(list("xyz"), rows)}
    )
    model = Model()
    truth = model.classes_[(random.random(rows) < model.predict_proba(x)[:, 1]).astype(int)]
    scores = {
        "auc": lambda x: m.roc_auc_score(truth, model.predict_proba(x)[:, 1]),
        "accuracy": lambda x: m.accuracy_score(truth, model.predict(x)),
        "log_loss": lambda x: -m.log_loss(truth, model.predict_proba(x)),
        "brier": lambda x: -m.brier_score_loss(truth == "yes", model.predict_proba(x)[:, 1]),
    }
    expected = {}
    for name, score in scores.items():
        expected[name] = {}
        for column in x.columns:
            shuffles = SplitMix(11)
            losses = []
            for _ in range(8):
                shuffled = x.copy()
                shuffled[column] = x[column].to_numpy()[shuffles.permutation(rows)]
                losses.append(score(x) - score(shuffled))
            expected[name][column] = [float(np.mean(losses)), float(np.std(losses))]
        # With other shuffles scikit-learn comes to about the same.
        theirs = permutation_importance(model, x, truth, n_repeats=200, random_state=1, scoring=lambda e, x, y: score(x))
        for column, mean, deviation in zip(x.columns, theirs.importances_mean, theirs.importances_std):
            assert abs(expected[name][column][0] - mean) < 3 * deviation / np.sqrt(8) + 1e-12, (name, column)
    return {"columns": {column: x[column].tolist() for column in x}, "truth": truth.tolist(), "expected": expected}


def calibration(name, probabilities, bins, strategy):
    hits = random.random(len(probabilities)) < probabilities**1.3
    observed, mean = calibration_curve(hits, probabilities, n_bins=bins, strategy=strategy)
    edges = np.linspace(0, 1, bins + 1)
    if strategy == "quantile":
        edges = np.percentile(probabilities, edges * 100)
    counts = np.bincount(np.searchsorted(edges[1:-1], probabilities), minlength=bins)
    counts = counts[counts > 0]
    return {
        "name": name,
        "bins": bins,
        "binning": strategy,
        "probabilities": probabilities.tolist(),
        "hits": hits.tolist(),
        "brier": m.brier_score_loss(hits, probabilities),
        "ece": float(np.sum(counts / counts.sum() * np.abs(observed - mean))),
        "observed": observed.tolist(),
        "counts": counts.tolist(),
    }


def slices():
    """Every slice by one and two columns that has 20 rows, by the definition."""
    rows = 600
    x = pd.DataFrame({"p": random.choice(list("abc"), rows), "q": random.choice(list("uv"), rows), "r": random.choice(list("mn"), rows)})
    loss = random.gamma(2, 1, rows) + 1.5 * ((x.p == "a") & (x.q == "u")) + 0.8 * (x.r == "m")
    found = []
    for names in itertools.chain(itertools.combinations(x.columns, 1), itertools.combinations(x.columns, 2)):
        for values, group in x.groupby(list(names)):
            inside = x.index.isin(group.index)
            one, rest = loss[inside], loss[~inside]
            parents = [loss[x[n] == v].mean() for n, v in zip(names, values)] if len(names) > 1 else []
            found.append(
                {
                    "slice": ", ".join(f"{n}={v}" for n, v in zip(names, values)),
                    "rows": int(inside.sum()),
                    "gap": float(one.mean() - rest.mean()),
                    "effect": float(np.sqrt(2) * (one.mean() - rest.mean()) / np.sqrt(one.var() + rest.var())),
                    "p": float(stats.ttest_ind(one, rest, equal_var=False, alternative="greater").pvalue),
                    "worse": all(one.mean() > parent for parent in parents),
                }
            )
    found = [slice for slice in found if slice["rows"] >= 20]
    for slice, q in zip(found, stats.false_discovery_control([slice["p"] for slice in found])):
        slice["q"] = float(q)
    found = [s for s in found if s["q"] <= 0.05 and s["gap"] > 0 and s["worse"]]
    found.sort(key=lambda slice: -slice["effect"])
    return {"columns": {c: x[c].tolist() for c in x}, "loss": loss.tolist(), "expected": found}


vectors = {
    "importance": importance(),
    "calibration": [
        calibration("uniform", random.random(300), 10, "uniform"),
        calibration("skewed", random.random(500) ** 4, 7, "quantile"),
        calibration("with bounds", np.round(random.random(200), 1), 5, "uniform"),
    ],
    "slices": slices(),
}
path = pathlib.Path(__file__).parent / "data" / "vectors.json"
path.parent.mkdir(exist_ok=True)
path.write_text("{\n" + ",\n".join(f'"{key}": {json.dumps(value)}' for key, value in vectors.items()) + "\n}\n")
