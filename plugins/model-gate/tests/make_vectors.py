"""Makes `data/vectors.json`: predictions from a seed, and what scikit-learn says of them.

    pip install scikit-learn==1.9.1
    python make_vectors.py
"""

import json
import pathlib
import warnings

import numpy as np
from sklearn import metrics as m

warnings.filterwarnings("ignore")
random = np.random.default_rng(20261121)


def softmax(scores):
    exponents = np.exp(scores - scores.max(axis=1, keepdims=True))
    return exponents / exponents.sum(axis=1, keepdims=True)


def classification(name, classes, truth, probabilities, positive=None, threshold=None, predicted=None):
    """`truth` and `predicted` are indexes; `probabilities` is rows x classes, or None for a model that gives none."""
    if predicted is None:
        if threshold is not None:
            predicted = np.where(probabilities[:, positive] >= threshold, positive, 1 - positive)
        else:
            predicted = probabilities.argmax(axis=1)
    two = len(classes) == 2
    labels = np.arange(len(classes))
    average = {"average": "binary", "pos_label": 1 if positive is None else positive} if two else {"average": "macro"}
    expected = {
        "accuracy": m.accuracy_score(truth, predicted),
        "balanced_accuracy": m.balanced_accuracy_score(truth, predicted),
        "precision": m.precision_score(truth, predicted, zero_division=0, **average),
        "recall": m.recall_score(truth, predicted, zero_division=0, **average),
        "f1": m.f1_score(truth, predicted, zero_division=0, **average),
        "mcc": m.matthews_corrcoef(truth, predicted),
    }
    case = {"name": name, "task": "classification", "classes": classes}
    if positive is not None:
        case["positive"] = classes[positive]
    if threshold is not None:
        case["threshold"] = threshold
    if probabilities is not None:
        expected["log_loss"] = m.log_loss(truth, probabilities, labels=labels)
        expected["brier"] = m.brier_score_loss(truth, probabilities, labels=labels)
        if two:
            one = 1 if positive is None else positive
            expected["average_precision"] = m.average_precision_score(truth == one, probabilities[:, one])
            if len(set(truth)) == 2:
                expected["auc"] = m.roc_auc_score(truth == one, probabilities[:, one])
        else:
            hot = np.eye(len(classes))[truth]
            expected["auc"] = m.roc_auc_score(truth, probabilities, multi_class="ovr", average="macro", labels=labels)
            expected["average_precision"] = m.average_precision_score(hot, probabilities, average="macro")
        case["probabilities"] = [column.tolist() for column in probabilities.T]
    case |= {"truth": np.asarray(truth).tolist(), "predicted": np.asarray(predicted).tolist(), "expected": expected}
    return case


def regression(name, truth, predicted):
    expected = {
        "rmse": m.root_mean_squared_error(truth, predicted),
        "mae": m.mean_absolute_error(truth, predicted),
        "mape": m.mean_absolute_percentage_error(truth, predicted),
        "max_error": m.max_error(truth, predicted),
        "median_absolute_error": m.median_absolute_error(truth, predicted),
    }
    if len(truth) > 1:
        expected["r2"] = m.r2_score(truth, predicted)
    truth, predicted = (np.asarray(values, dtype=float).tolist() for values in (truth, predicted))
    return {"name": name, "task": "regression", "truth": truth, "predicted": predicted, "expected": expected}


def two_classes(rows, skill=1.0, share=0.5, digits=None):
    truth = (random.random(rows) < share).astype(int)
    one = 1 / (1 + np.exp(-(skill * (2 * truth - 1) + random.normal(size=rows))))
    if digits is not None:
        one = one.round(digits)
    return truth, np.column_stack([1 - one, one])


def many_classes(rows, classes, skill=1.5, shares=None):
    truth = random.choice(classes, size=rows, p=shares)
    return truth, softmax(skill * np.eye(classes)[truth] + random.normal(size=(rows, classes)))


cases = []
cases.append(classification("two classes", ["0", "1"], *two_classes(200)))
cases.append(classification("ties", ["0", "1"], *two_classes(200, digits=1)))
cases.append(classification("first class positive", ["ill", "well"], *two_classes(150, share=0.8), positive=0))
cases.append(classification("few positives", ["0", "1"], *two_classes(200, skill=0.5, share=0.03)))
cases.append(classification("threshold", ["0", "1"], *two_classes(100), positive=1, threshold=0.3))
cases.append(classification("threshold of the first class", ["a", "b"], *two_classes(100), positive=0, threshold=0.7))
truth, probabilities = two_classes(60)
cases.append(classification("all called negative", ["0", "1"], truth, probabilities, positive=1, threshold=1.0))
cases.append(classification("one class in the truth", ["0", "1"], np.zeros(40, dtype=int), two_classes(40)[1]))
cases.append(classification("perfect", ["0", "1"], truth, np.eye(2)[truth]))
cases.append(classification("certain and wrong", ["0", "1"], truth, np.eye(2)[1 - truth]))
cases.append(classification("one row", ["0", "1"], np.array([1]), np.array([[0.25, 0.75]])))
cases.append(classification("three classes", ["a", "b", "c"], *many_classes(200, 3)))
cases.append(classification("five classes, uneven", list("vwxyz"), *many_classes(250, 5, shares=[0.6, 0.2, 0.1, 0.06, 0.04])))
truth, probabilities = many_classes(120, 3)
probabilities[:, 2] = 0
probabilities /= probabilities.sum(axis=1, keepdims=True)
cases.append(classification("a class never called", ["a", "b", "c"], truth, probabilities))
truth = random.integers(0, 3, 90)
cases.append(classification("no probabilities", ["a", "b", "c"], truth, None, predicted=random.integers(0, 3, 90)))

truth = random.normal(3, 2, 200)
cases.append(regression("numbers", truth, truth + random.normal(0, 0.5, 200)))
cases.append(regression("large offset", 1e6 + truth, 1e6 + truth + random.normal(0, 0.1, 200)))
cases.append(regression("zeros in the truth", np.round(truth), np.round(truth) + random.normal(0, 0.5, 200)))
cases.append(regression("odd number of rows", truth[:7], truth[:7] ** 2))
cases.append(regression("worse than the mean", truth, -truth))
cases.append(regression("truth never varies", np.full(20, 4.0), random.normal(4, 1, 20)))
cases.append(regression("truth never varies, perfect", np.full(20, 4.0), np.full(20, 4.0)))
cases.append(regression("one row of numbers", [2.0], [2.5]))

path = pathlib.Path(__file__).parent / "data" / "vectors.json"
path.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
print(f"{path}: {len(cases)} cases")
