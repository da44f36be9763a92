"""Makes `data/vectors.json`: scores from a seed, and what scikit-learn says of them.

    pip install scikit-learn==1.9.1
    python make_vectors.py
"""

import json
import pathlib

import numpy as np
from sklearn import metrics as m
from sklearn.calibration import calibration_curve

random = np.random.default_rng(20261121)


def case(name, truth, scores, bins):
    truth, scores = np.asarray(truth), np.asarray(scores)
    false_positive, true_positive, _ = m.roc_curve(truth, scores, drop_intermediate=False)
    precision, recall, thresholds = m.precision_recall_curve(truth, scores)
    share, mean = calibration_curve(truth, scores, n_bins=bins)
    place = np.minimum((scores * bins).astype(int), bins - 1)
    weights = np.bincount(place, minlength=bins)
    weights = weights[weights > 0] / len(truth)
    return {
        "name": name,
        "truth": truth.tolist(),
        "scores": scores.tolist(),
        "bins": bins,
        "roc": list(zip(false_positive.tolist(), true_positive.tolist())),
        # From the highest threshold down, without the point (0, 1) that has none.
        "recall_precision": list(zip(recall[:-1][::-1].tolist(), precision[:-1][::-1].tolist())),
        "average_precision": m.average_precision_score(truth, scores),
        "calibration": list(zip(mean.tolist(), share.tolist())),
        "ece": float(np.sum(weights * np.abs(mean - share))),
    }


def logistic(rows, share, digits):
    truth = (random.random(rows) < share).astype(int)
    scores = 1 / (1 + np.exp(-(random.normal(size=rows) + 2 * truth - 1)))
    return truth, np.round(scores, digits)


cases = [
    case("distinct scores", *logistic(120, 0.4, 12), 10),
    # Off the edges of the bins, where scikit-learn puts a score on an edge into the bin below.
    case("many ties", *(lambda truth, scores: (truth, np.clip(scores, 0.05, 0.95)))(*logistic(150, 0.3, 1)), 7),
    case("rare", *logistic(300, 0.03, 12), 5),
    case("perfect", [0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9], 10),
    case("all the same", [0, 1, 0, 1], [0.5, 0.5, 0.5, 0.5], 3),
]
path = pathlib.Path(__file__).parent / "data" / "vectors.json"
path.parent.mkdir(exist_ok=True)
path.write_text(json.dumps(cases, indent=None) + "\n")
