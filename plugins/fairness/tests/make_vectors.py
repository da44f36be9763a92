"""Makes `data/vectors.json`: predictions from a seed, and what fairlearn says of them.

    pip install fairlearn==0.15.0 scikit-learn==1.9.1
    python make_vectors.py
"""

import json
import pathlib

import numpy as np
from fairlearn import metrics as m
from sklearn.metrics import confusion_matrix, mean_absolute_error

random = np.random.default_rng(20261121)


def by_group(truth, chosen, groups, group):
    tn, fp, fn, tp = confusion_matrix(truth[groups == group], chosen[groups == group], labels=[0, 1]).ravel()
    return {
        "selection_rate": (tp + fp) / (tn + fp + fn + tp),
        "true_positive_rate": tp / (tp + fn),
        "false_positive_rate": fp / (fp + tn),
    }


def classes(name, classes, positive, groups, truth, probabilities, threshold=None):
    predicted = probabilities.argmax(axis=1)
    chosen = (predicted == positive if threshold is None else probabilities[:, positive] >= threshold).astype(int)
    is_positive = (truth == positive).astype(int)
    of = {"sensitive_features": groups}
    expected = {
        "demographic_parity_difference": m.demographic_parity_difference(is_positive, chosen, **of),
        "demographic_parity_ratio": m.demographic_parity_ratio(is_positive, chosen, **of),
        "disparate_impact": m.demographic_parity_ratio(is_positive, chosen, **of),
        "equal_opportunity_difference": m.equal_opportunity_difference(is_positive, chosen, **of),
        "equal_opportunity_ratio": m.equal_opportunity_ratio(is_positive, chosen, **of),
        "equalized_odds_difference": m.equalized_odds_difference(is_positive, chosen, **of),
        "equalized_odds_ratio": m.equalized_odds_ratio(is_positive, chosen, **of),
    }
    case = {"name": name, "classes": classes, "positive": classes[positive], "groups": groups.tolist()}
    if threshold is not None:
        case["threshold"] = threshold
    case |= {
        "truth": truth.tolist(),
        "predicted": predicted.tolist(),
        "probabilities": [column.tolist() for column in probabilities.T],
        "expected": {key: float(value) for key, value in expected.items()},
        "rates": {str(g): by_group(is_positive, chosen, groups, g) for g in np.unique(groups)},
    }
    return case


def numbers(name, groups, truth, predicted):
    means = [predicted[groups == g].mean() for g in np.unique(groups)]
    errors = [mean_absolute_error(truth[groups == g], predicted[groups == g]) for g in np.unique(groups)]
    return {
        "name": name,
        "classes": [],
        "groups": groups.tolist(),
        "truth": truth.tolist(),
        "predicted": predicted.tolist(),
        "probabilities": [],
        "expected": {
            "mean_prediction_difference": max(means) - min(means),
            "mean_absolute_error_difference": max(errors) - min(errors),
        },
        "rates": {
            str(g): {"mean_prediction": mean, "mean_absolute_error": error}
            for g, mean, error in zip(np.unique(groups), means, errors)
        },
    }


def softmax(scores):
    exponents = np.exp(scores - scores.max(axis=1, keepdims=True))
    return exponents / exponents.sum(axis=1, keepdims=True)


def make():
    cases = []
    for name, count, rows, threshold in [
        ("two groups", 2, 200, None),
        ("five groups and a threshold", 5, 400, 0.3),
        ("a high threshold", 3, 400, 0.8),
    ]:
        groups = np.array(list("abcde"))[random.integers(0, count, rows)]
        truth = random.integers(0, 2, rows)
        lift = (groups == "a") * 0.7
        scores = random.normal(size=(rows, 2)) + np.eye(2)[truth] * 1.2
        scores[:, 1] += lift
        cases.append(classes(name, ["no", "yes"], 1, groups, truth, softmax(scores), threshold))
    groups = np.array(list("abc"))[random.integers(0, 3, 300)]
    truth = random.integers(0, 4, 300)
    scores = random.normal(size=(300, 4)) + np.eye(4)[truth] * 1.5
    cases.append(classes("one class of four", ["w", "x", "y", "z"], 2, groups, truth, softmax(scores)))
    groups = np.array(list("ab"))[random.integers(0, 2, 100)]
    truth = random.normal(size=100)
    cases.append(numbers("numbers", groups, truth, truth + random.normal(size=100) + (groups == "a")))
    return cases


path = pathlib.Path(__file__).parent / "data" / "vectors.json"
path.parent.mkdir(exist_ok=True)
path.write_text("[\n" + ",\n".join(json.dumps(case) for case in make()) + "\n]\n")
