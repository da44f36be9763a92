"""Writes `data/vectors.json`: small tables and how well LightGBM, XGBoost and scikit-learn predict held-out rows of them,
for the tests of `gbdt`.

    python3 -m venv venv && venv/bin/pip install lightgbm==4.7.0 xgboost scikit-learn==1.9.1 pandas
    venv/bin/python make_vectors.py

All with 100 rounds, 31 leaves (XGBoost grows by leaf too), a learning rate of 0.1, 20 rows in a leaf and one thread.
"""

import json
import os
import pathlib

os.environ["OMP_NUM_THREADS"] = "1"

import lightgbm
import numpy
import pandas
import sklearn
import xgboost
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import log_loss, mean_pinball_loss, mean_squared_error, roc_auc_score

random = numpy.random.default_rng(20261121)


def lightgbm_of(task, **more):
    kind = lightgbm.LGBMRegressor if task == "regression" else lightgbm.LGBMClassifier
    return kind(n_estimators=100, num_leaves=31, learning_rate=0.1, n_jobs=1, verbose=-1, **more)


def xgboost_of(task, **more):
    kind = xgboost.XGBRegressor if task == "regression" else xgboost.XGBClassifier
    return kind(n_estimators=100, max_leaves=31, max_depth=0, grow_policy="lossguide", learning_rate=0.1, n_jobs=1,
                tree_method="hist", reg_lambda=0, min_child_weight=1e-3, **more)


def sklearn_of(task, **more):
    kind = HistGradientBoostingRegressor if task == "regression" else HistGradientBoostingClassifier
    return kind(max_iter=100, max_leaf_nodes=31, learning_rate=0.1, min_samples_leaf=20, early_stopping=False, **more)


def quality(config, model, x, y):
    if config["task"] == "regression":
        found = model.predict(x)
        if config.get("loss") == "quantile":
            return {"pinball": mean_pinball_loss(y, found, alpha=config["quantile"])}
        return {"rmse": mean_squared_error(y, found) ** 0.5}
    found = model.predict_proba(x)
    if config["task"] == "multiclass":
        return {"log_loss": log_loss(y, found)}
    return {"log_loss": log_loss(y, found[:, 1]), "auc": roc_auc_score(y, found[:, 1])}


def case(name, config, numbers, y, texts=None, models=None):
    rows = len(y)
    frame = pandas.DataFrame({f"x{at}": column for at, column in enumerate(numbers.T)})
    if texts is not None:
        frame["text"] = pandas.Categorical(texts)
    is_test = numpy.arange(rows) % 3 == 2
    models = models or {"lightgbm": lightgbm_of, "xgboost": xgboost_of, "sklearn": sklearn_of}
    options = {
        "lightgbm": {}, "xgboost": {"enable_categorical": True}, "sklearn": {"categorical_features": "from_dtype"}
    }
    if config.get("loss") == "quantile":
        options["lightgbm"] = {"objective": "quantile", "alpha": config["quantile"]}
    reached = {}
    for library, make in models.items():
        model = make(config["task"], **options[library]).fit(frame[~is_test], y[~is_test])
        reached[library] = quality(config, model, frame[is_test], y[is_test])
    def plain(column):
        return [None if numpy.isnan(value) else float(value) for value in column]

    x = [plain(column) for column in numbers.T]
    return {"name": name, "config": config, "x": x, "texts": texts, "y": y.tolist(), "reached": reached}


def cases():
    cancer = load_breast_cancer()
    yield case("breast_cancer", {"task": "binary"}, cancer.data[:, :10], cancer.target)
    diabetes = load_diabetes(scaled=False)
    yield case("diabetes", {"task": "regression"}, diabetes.data, diabetes.target)
    digits = load_digits()
    yield case("digits", {"task": "multiclass"}, digits.data[:600, 10:40], digits.target[:600])

    x = numpy.round(random.normal(size=(1500, 5)), 2)
    letters = random.choice(list("abcdefghijkl"), size=1500)
    effect = dict(zip("abcdefghijkl", random.normal(size=12)))
    score = x[:, 0] + x[:, 1] * x[:, 2] + 1.5 * numpy.array([effect[letter] for letter in letters])
    gaps = x.copy()
    gaps[random.uniform(size=1500) < 0.3, 0] = numpy.nan
    noisy = score + random.normal(size=1500)
    y = (noisy > 0).astype(int)
    yield case("gaps_and_texts", {"task": "binary"}, gaps, y, letters.tolist())
    noisy = numpy.round(noisy, 3)
    yield case("regression_with_texts", {"task": "regression"}, gaps, noisy, letters.tolist())
    config = {"task": "regression", "loss": "quantile", "quantile": 0.8}
    yield case("quantile", config, x, noisy, models={"lightgbm": lightgbm_of})


if __name__ == "__main__":
    folder = pathlib.Path(__file__).parent / "data"
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases())
    versions = f"lightgbm {lightgbm.__version__}, xgboost {xgboost.__version__}, scikit-learn {sklearn.__version__}"
    (folder / "vectors.json").write_text(f'{{"made_by":"make_vectors.py with {versions}","cases":[\n{lines}\n]}}\n')
