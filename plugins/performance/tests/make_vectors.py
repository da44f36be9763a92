"""Makes `data/vectors.json`: predictions from a seed, what scikit-learn says of them, and what CBPE expects of them.

    pip install scikit-learn==1.9.1
    python make_vectors.py
"""

import json
import pathlib
import warnings

import numpy as np
import sklearn
from sklearn import metrics as m
from sklearn.isotonic import IsotonicRegression

warnings.filterwarnings("ignore")
random = np.random.default_rng(20261121)
EPS = np.finfo(float).eps


def measured(labels, predicted, p, positive):
    """Metrics of rows with labels."""
    classes = np.arange(p.shape[1])
    two = len(classes) == 2
    average = {"average": "binary", "pos_label": positive} if two else {"average": "macro"}
    scores = {
        "accuracy": m.accuracy_score(labels, predicted),
        "balanced_accuracy": m.balanced_accuracy_score(labels, predicted),
        "precision": m.precision_score(labels, predicted, zero_division=0, **average),
        "recall": m.recall_score(labels, predicted, zero_division=0, **average),
        "f1": m.f1_score(labels, predicted, zero_division=0, **average),
        "log_loss": m.log_loss(labels, p, labels=classes),
        "brier": m.brier_score_loss(labels, p, labels=classes),
    }
    if two and len(set(labels)) == 2:
        scores["auc"] = m.roc_auc_score(labels == positive, p[:, positive])
    elif not two:
        scores["auc"] = m.roc_auc_score(labels, p, multi_class="ovr", average="macro", labels=classes)
    return scores


def calibrated(p, reference):
    if reference is None:
        return p
    labels, given = reference
    fit = lambda k: IsotonicRegression(out_of_bounds="clip").fit(given[:, k], labels == k).predict(p[:, k])
    if p.shape[1] == 2:
        one = fit(1)
        return np.column_stack([1 - one, one])
    c = np.column_stack([fit(k) for k in range(p.shape[1])])
    return c / c.sum(axis=1, keepdims=True)


def expected(c, predicted, p, positive):
    """CBPE: metrics where each row is each class with its calibrated probability (NannyML's formulas)."""
    rows, k = p.shape
    hot = np.eye(k)[predicted]
    hits, real, called = (hot * c).sum(axis=0), c.sum(axis=0), hot.sum(axis=0)
    ratio = lambda part, whole: np.divide(part, whole, out=np.zeros(k), where=whole > 0)
    choose = lambda values: values[positive] if k == 2 else values.mean()

    def auc(j):
        # Each row twice, as positive and as negative, weighted: ties then count half.
        score, truth = np.tile(p[:, j], 2), np.repeat([1, 0], rows)
        return m.roc_auc_score(truth, score, sample_weight=np.concatenate([c[:, j], 1 - c[:, j]]))

    square = np.array([((p - np.eye(k)[t]) ** 2).sum(axis=1) for t in range(k)]).T
    return {
        "accuracy": hits.sum() / rows,
        "balanced_accuracy": (hits / real).mean(),
        "precision": choose(ratio(hits, called)),
        "recall": choose(ratio(hits, real)),
        "f1": choose(ratio(2 * hits, real + called)),
        "auc": auc(positive) if k == 2 else np.mean([auc(j) for j in range(k)]),
        "log_loss": (c * -np.log(np.clip(p, EPS, 1 - EPS))).sum(axis=1).mean(),
        "brier": (c * square).sum(axis=1).mean() / (2 if k == 2 else 1),
    }


def rows(classes, labels, predicted, p):
    plain = lambda s: [None if x is None else float(x) for x in s]
    return {"classes": classes, "labels": plain(labels), "predicted": plain(predicted), "probabilities": p.T.tolist()}


def classification(name, classes, sample, labelled, reference=None, positive=1, config=None):
    """The first `labelled` rows of `sample` have labels; `reference` is another sample, all labelled."""
    labels, p = sample
    predicted = p.argmax(axis=1)
    scores = measured(labels[:labelled], predicted[:labelled], p[:labelled], positive) if labelled else {}
    c = calibrated(p, reference)
    scores |= {f"estimated_{key}": value for key, value in expected(c, predicted, p, positive).items()}
    return {
        "name": name,
        "config": (config or {}) | ({"positive": classes[positive]} if positive == 0 else {}),
        "window": rows(classes, [x if i < labelled else None for i, x in enumerate(labels)], predicted, p),
        "reference": reference and rows(classes, reference[0], reference[1].argmax(axis=1), reference[1]),
        "expected": {key: float(value) for key, value in scores.items()},
    }


def regression(name, truth, predicted):
    has = [x is not None for x in truth]
    y, guess = np.array([x for x in truth if x is not None]), np.array(predicted)[has]
    scores = {"rmse": m.root_mean_squared_error(y, guess), "mae": m.mean_absolute_error(y, guess), "r2": m.r2_score(y, guess)}
    empty = np.zeros((0, 0))
    return {
        "name": name,
        "config": {},
        "window": rows([], truth, predicted, empty),
        "reference": None,
        "expected": {key: float(value) for key, value in scores.items()},
    }


def two_classes(count, skill=1.0, sure=1.0, digits=4):
    truth = random.integers(0, 2, count)
    one = (1 / (1 + np.exp(-sure * (skill * (2 * truth - 1) + random.normal(size=count))))).round(digits)
    return truth, np.column_stack([1 - one, one])


def many_classes(count, k, skill=1.5):
    truth = random.integers(0, k, count)
    scores = np.exp(skill * np.eye(k)[truth] + random.normal(size=(count, k)))
    return truth, scores / scores.sum(axis=1, keepdims=True)


cases = [
    classification("all labelled", ["0", "1"], two_classes(120), 120),
    classification("half labelled", ["0", "1"], two_classes(120), 60),
    classification("no labels, calibrated", ["0", "1"], two_classes(100), 0, two_classes(150, sure=2.0)),
    classification("too sure, calibrated", ["0", "1"], two_classes(100, sure=3.0), 40, two_classes(150, sure=3.0)),
    classification("first class positive", ["ill", "well"], two_classes(90), 50, two_classes(80), positive=0),
    classification("ties in tenths", ["0", "1"], two_classes(90, digits=1), 50, two_classes(80, digits=1)),
    classification("three classes", ["a", "b", "c"], many_classes(120, 3), 70),
    classification("three classes, calibrated", ["a", "b", "c"], many_classes(120, 3), 70, many_classes(150, 3)),
    classification("as they are", ["0", "1"], two_classes(60), 0, None, config={"calibrate": "none"}),
]
truth = random.normal(3, 2, 60).round(4)
cases.append(regression("numbers", list(truth), list((truth + random.normal(0, 0.5, 60)).round(4))))
cases.append(regression("numbers, some labelled", [x if i % 3 else None for i, x in enumerate(truth)], list(truth**2)))

path = pathlib.Path(__file__).parent / "data" / "vectors.json"
made_with = f"scikit-learn {sklearn.__version__}, numpy {np.__version__}"
lines = ",\n".join(json.dumps(case) for case in cases)
path.write_text(f'{{"made_with": "{made_with}", "cases": [\n{lines}\n]}}\n')
print(f"{path}: {len(cases)} cases")
