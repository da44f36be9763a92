"""Writes `data/vectors.json`: inputs and scikit-learn's answers, for the tests of `linear-model`.

    python3 -m venv venv && venv/bin/pip install scikit-learn==1.9.1
    venv/bin/python make_vectors.py

Logistic regression is solved by scikit-learn's `newton-cholesky` to a gradient of 1e-10, so that the answers are those
of the objective and not of a solver's patience.
"""

import json
import pathlib
import warnings

import numpy
import sklearn
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge

warnings.simplefilter("error")
random = numpy.random.default_rng(20261121)


def features(rows, columns, scale=1.0, shift=0.0, correlated=False):
    values = random.normal(size=(rows, columns))
    if correlated:
        values = values @ random.normal(size=(columns, columns))
    return numpy.round(values * scale + shift, 3)


def classes(x, count, noise=1.0):
    standard = (x - x.mean(axis=0)) / numpy.where(x.std(axis=0) > 0, x.std(axis=0), 1)
    scores = standard @ random.normal(size=(x.shape[1], count)) + noise * random.normal(size=(x.shape[0], count))
    return scores.argmax(axis=1)


def case(name, config, x, y, model, weights=None, centre=False):
    # An intercept that is not penalised takes up what is taken off the features: the same model, easier to find.
    mean = x.mean(axis=0) if centre else numpy.zeros(x.shape[1])
    model.fit(x - mean, y, sample_weight=weights)
    if centre:
        model.intercept_ = model.intercept_ - model.coef_ @ mean
    answer = {"coefficients": numpy.atleast_2d(model.coef_).tolist()}
    answer["intercepts"] = numpy.atleast_1d(model.intercept_).astype(float).tolist()
    if config["task"] == "regression":
        answer["predictions"] = model.predict(x[:5]).tolist()
    else:
        answer["probabilities"] = model.predict_proba(x[:5]).tolist()
        if len(model.classes_) == 2 and not config.get("fit_intercept", True):
            answer["intercepts"] = [0.0]
    weights = None if weights is None else weights.tolist()
    return {"name": name, "config": config, "x": x.T.tolist(), "y": y.tolist(), "weights": weights, "expected": answer}


def logistic(**options):
    return LogisticRegression(solver="newton-cholesky", tol=1e-10, max_iter=1000, **options)


def least_squares(**options):
    # By default scikit-learn drops directions that are a millionth of the longest, which are real in mixed units.
    return LinearRegression(tol=1e-13, **options)


def binary_cases():
    x = features(120, 4)
    y = classes(x, 2)
    yield case("binary", {"task": "binary"}, x, y, logistic())
    yield case("binary_weak_penalty", {"task": "binary", "c": 100.0}, x, y, logistic(C=100.0))
    yield case("binary_strong_penalty", {"task": "binary", "c": 0.01}, x, y, logistic(C=0.01))
    yield case("binary_without_intercept", {"task": "binary", "fit_intercept": False}, x, y, logistic(fit_intercept=False))
    yield case("two_classes_as_multiclass", {"task": "multiclass"}, x, y, logistic())

    weights = numpy.round(random.uniform(0, 3, size=120), 2)
    weights[:5] = 0
    yield case("binary_weights", {"task": "binary"}, x, y, logistic(), weights)
    rare = (classes(x, 5) == 0).astype(int)
    config = {"task": "binary", "class_weight": "balanced"}
    yield case("binary_balanced", config, x, rare, logistic(class_weight="balanced"))
    yield case("binary_balanced_weights", config, x, rare, logistic(class_weight="balanced"), weights)

    separable = (x[:, 0] > 0).astype(int)
    yield case("binary_separable", {"task": "binary"}, x, separable, logistic())
    far = features(150, 2, scale=5.0, shift=100_000.0)
    y = classes(far, 2)
    yield case("binary_far_from_zero", {"task": "binary"}, far, y, logistic(), centre=True)
    wide = features(150, 80, correlated=True)
    y = classes(wide, 2)
    yield case("binary_many_features", {"task": "binary", "c": 0.5}, wide, y, logistic(C=0.5))


def multiclass_cases():
    x = features(150, 4, scale=2.0, correlated=True)
    y = classes(x, 3)
    yield case("multiclass", {"task": "multiclass"}, x, y, logistic())
    yield case("multiclass_weak_penalty", {"task": "multiclass", "c": 50.0}, x, y, logistic(C=50.0))
    config = {"task": "multiclass", "fit_intercept": False}
    yield case("multiclass_without_intercept", config, x, y, logistic(fit_intercept=False))
    y = classes(x, 5)
    weights = numpy.round(random.uniform(0.5, 3, size=150), 2)
    config = {"task": "multiclass", "class_weight": "balanced"}
    yield case("multiclass_balanced_weights", config, x, y, logistic(class_weight="balanced"), weights)


def regression_cases():
    def target(x):
        return numpy.round(x @ random.normal(size=x.shape[1]) + random.normal(size=x.shape[0]) + 3, 3)

    x = features(140, 5, scale=3.0, shift=10.0, correlated=True)
    y = target(x)
    weights = numpy.round(random.uniform(0, 3, size=140), 2)
    yield case("least_squares", {"task": "regression"}, x, y, least_squares())
    config = {"task": "regression", "fit_intercept": False}
    yield case("least_squares_without_intercept", config, x, y, least_squares(fit_intercept=False))
    yield case("least_squares_weights", {"task": "regression"}, x, y, least_squares(), weights)
    yield case("ridge", {"task": "regression", "alpha": 2.5}, x, y, Ridge(alpha=2.5, solver="svd"))
    yield case("ridge_weights", {"task": "regression", "alpha": 10.0}, x, y, Ridge(alpha=10.0, solver="svd"), weights)
    config = {"task": "regression", "alpha": 1.0, "fit_intercept": False}
    yield case("ridge_without_intercept", config, x, y, Ridge(alpha=1.0, fit_intercept=False, solver="svd"))

    units = x * numpy.array([1e-3, 1e3, 1.0, 10.0, 0.1])
    yield case("least_squares_mixed_units", {"task": "regression"}, units, y, least_squares())
    hot = numpy.eye(4)[random.integers(0, 4, size=140)]
    dependent = numpy.hstack([x[:, :2], 2 * x[:, :1], hot])
    yield case("least_squares_dependent", {"task": "regression"}, dependent, y, least_squares())
    wide = features(12, 20)
    yield case("least_squares_few_rows", {"task": "regression"}, wide, target(wide), least_squares())


if __name__ == "__main__":
    cases = [*binary_cases(), *multiclass_cases(), *regression_cases()]
    folder = pathlib.Path(__file__).parent / "data"
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    made_by = f"make_vectors.py with scikit-learn {sklearn.__version__} and numpy {numpy.__version__}"
    (folder / "vectors.json").write_text(f'{{"made_by":"{made_by}","cases":[\n{lines}\n]}}\n')
