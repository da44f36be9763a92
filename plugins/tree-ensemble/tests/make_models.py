"""Writes `tests/data`: small models of XGBoost and LightGBM, 1,000 rows, and what the libraries predict for them.

    pip install numpy scikit-learn xgboost-cpu lightgbm
    python plugins/tree-ensemble/tests/make_models.py

`rows.f64` holds the rows, one after the other, little-endian; `<case>.expected.f64` each row's answers: one number for
regression, one probability for each class otherwise. `cases.json` lists the models and the versions that wrote them.
"""

import json
import pathlib

import lightgbm as lgb
import numpy as np
import xgboost as xgb

DATA = pathlib.Path(__file__).parent / "data"
COLUMNS = ["size", "price", "count", "gap", "sparse", "region", "kind"]
CATEGORICAL = [5, 6]
ROWS = 1000
cases = []


def make_rows(rows, rng):
    """Numbers, gaps, many zeros, and two columns of category codes."""
    size = rng.normal(size=rows)
    price = rng.lognormal(size=rows)
    count = rng.integers(0, 20, rows).astype(float)
    gap = np.where(rng.random(rows) < 0.2, np.nan, rng.normal(size=rows))
    sparse = np.where(rng.random(rows) < 0.5, 0.0, rng.normal(size=rows) * 3)
    region = np.where(rng.random(rows) < 0.05, np.nan, rng.integers(0, 45, rows).astype(float))
    kind = rng.integers(0, 5, rows).astype(float)
    return np.column_stack([size, price, count, gap, sparse, region, kind])


def signal(x):
    region = np.nan_to_num(x[:, 5], nan=3) % 7
    return (
        x[:, 0] + 0.5 * np.log(x[:, 1]) + 0.1 * x[:, 2] * (x[:, 6] == 2) + np.where(np.isnan(x[:, 3]), -1, x[:, 3])
        + 0.3 * np.abs(x[:, 4]) + 0.4 * region - 1.5
    )


rng = np.random.default_rng(17)
train = make_rows(3000, rng)
noise = rng.normal(size=3000) * 0.3
rows = make_rows(ROWS, rng)
# Categories that no model has seen, values at the edges of float32, and rows of nothing but gaps.
rows[:20, 5] = 60 + np.arange(20)
rows[20:24, 0] = [1e-40, -1e-40, 3e38, -3e38]
rows[24] = np.nan
rows[25] = 0
target = {
    "regression": signal(train) + noise,
    "binary": (signal(train) + noise > 0.5).astype(int),
    "multiclass": np.digitize(signal(train) + noise, [-0.5, 1.5]),
    "positive": np.exp(np.clip(signal(train) / 3, -3, 3)) + 0.01,
    "count": rng.poisson(np.exp(np.clip(signal(train) / 3, -3, 3))),
    "share": 1 / (1 + np.exp(-signal(train) - noise)),
}


def keep(name, file, form, task, answers):
    answers = np.asarray(answers, dtype="<f8")
    if task == "binary":
        answers = np.column_stack([1 - answers, answers])
    answers.reshape(ROWS, -1).astype("<f8").tofile(DATA / f"{name}.expected.f64")
    cases.append({"name": name, "file": file, "format": form, "task": task})


def xgboost(name, task, y, extra=(), rounds=6, ubj=False, **parameters):
    types = ["c" if i in CATEGORICAL and parameters.get("categorical") else "q" for i in range(len(COLUMNS))]
    with_categories = parameters.pop("categorical", False)
    options = {"max_depth": 4, "eta": 0.4, "nthread": 1, "seed": 3, "tree_method": "hist", **parameters}

    def matrix(x, label=None):
        return xgb.DMatrix(x, label=label, feature_names=COLUMNS, feature_types=types, enable_categorical=with_categories)

    labelled = matrix(train, target[y])
    booster = xgb.train(options, labelled, rounds, **dict(extra))
    file = f"{name}.{'ubj' if ubj else 'json'}"
    booster.save_model(DATA / file)
    best = booster.attributes().get("best_iteration")
    kept = (0, int(best) + 1) if best else (0, 0)
    unseen = rows.copy()
    answers = booster.predict(matrix(unseen), iteration_range=kept, output_margin=False)
    if parameters["objective"] == "multi:softmax":
        # Its answer is the class; the probabilities are the softmax of the margins.
        margins = booster.predict(matrix(unseen), output_margin=True).astype(float)
        answers = np.exp(margins) / np.exp(margins).sum(axis=1, keepdims=True)
    keep(name, file, "xgboost", task, answers)


def lightgbm(name, task, y, rounds=6, categories=False, **parameters):
    options = {
        "num_leaves": 12, "learning_rate": 0.3, "num_threads": 1, "seed": 3, "deterministic": True, "verbose": -1,
        **parameters,
    }
    data = lgb.Dataset(
        train, target[y], feature_name=COLUMNS, categorical_feature=CATEGORICAL if categories else [], params=options
    )
    booster = lgb.train(options, data, rounds)
    file = f"{name}.txt"
    booster.save_model(DATA / file)
    keep(name, file, "lightgbm", task, booster.predict(rows))


for old in DATA.glob("*"):
    old.unlink()
DATA.mkdir(exist_ok=True)
rows.astype("<f8").tofile(DATA / "rows.f64")

for ubj in [False, True]:
    end = "_ubj" if ubj else ""
    xgboost(f"xgb_binary{end}", "binary", "binary", ubj=ubj, objective="binary:logistic")
    xgboost(f"xgb_softprob{end}", "multiclass", "multiclass", ubj=ubj, objective="multi:softprob", num_class=3)
    xgboost(f"xgb_regression{end}", "regression", "regression", ubj=ubj, objective="reg:squarederror")
    xgboost(f"xgb_categories{end}", "binary", "binary", ubj=ubj, objective="binary:logistic", categorical=True,
            max_cat_to_onehot=8)
xgboost("xgb_softmax", "multiclass", "multiclass", objective="multi:softmax", num_class=3, max_depth=3)
xgboost("xgb_base_score", "regression", "regression", objective="reg:squarederror", base_score=2.25)
xgboost("xgb_binary_base_score", "binary", "binary", objective="binary:logistic", base_score=0.2)
xgboost("xgb_poisson", "regression", "count", objective="count:poisson")
xgboost("xgb_gamma", "regression", "positive", objective="reg:gamma")
xgboost("xgb_tweedie", "regression", "count", objective="reg:tweedie", tweedie_variance_power=1.3)
xgboost("xgb_logistic_share", "regression", "share", objective="reg:logistic")
xgboost("xgb_hinge", "binary", "binary", objective="binary:hinge")
xgboost("xgb_absolute", "regression", "regression", objective="reg:absoluteerror")
xgboost("xgb_huber", "regression", "regression", objective="reg:pseudohubererror")
xgboost("xgb_dart", "binary", "binary", objective="binary:logistic", booster="dart", rate_drop=0.4, rounds=10,
        max_depth=3)
xgboost("xgb_forest", "multiclass", "multiclass", objective="multi:softprob", num_class=3, num_parallel_tree=3,
        subsample=0.5, rounds=2, max_depth=3)
# The labels to watch are mostly noise, so that rounds soon stop helping.
watched_rows = make_rows(300, rng)
labels = (signal(watched_rows) + 2 * rng.normal(size=300) > 0.5).astype(int)
watched = xgb.DMatrix(watched_rows, label=labels, feature_names=COLUMNS)
xgboost("xgb_best_iteration", "binary", "binary", objective="binary:logistic", rounds=14, max_depth=3, eta=0.2,
        extra={"evals": [(watched, "watched")], "early_stopping_rounds": 5, "verbose_eval": False}.items())
xgboost("xgb_exact_stump", "regression", "regression", objective="reg:squarederror", tree_method="exact", max_depth=1,
        rounds=3)

lightgbm("lgb_binary", "binary", "binary", objective="binary")
lightgbm("lgb_binary_sigmoid", "binary", "binary", objective="binary", sigmoid=2.5)
lightgbm("lgb_multiclass", "multiclass", "multiclass", objective="multiclass", num_class=3)
lightgbm("lgb_multiclassova", "multiclass", "multiclass", objective="multiclassova", num_class=3)
lightgbm("lgb_regression", "regression", "regression", objective="regression")
lightgbm("lgb_regression_sqrt", "regression", "positive", objective="regression", reg_sqrt=True)
lightgbm("lgb_l1", "regression", "regression", objective="regression_l1")
lightgbm("lgb_poisson", "regression", "count", objective="poisson")
lightgbm("lgb_gamma", "regression", "positive", objective="gamma")
lightgbm("lgb_tweedie", "regression", "count", objective="tweedie")
lightgbm("lgb_cross_entropy", "regression", "share", objective="cross_entropy")
lightgbm("lgb_categories", "binary", "binary", objective="binary", categories=True, min_data_per_group=10)
lightgbm("lgb_zero_as_missing", "binary", "binary", objective="binary", zero_as_missing=True)
lightgbm("lgb_no_missing", "regression", "regression", objective="regression", use_missing=False)
lightgbm("lgb_dart", "regression", "regression", objective="regression", boosting="dart", drop_rate=0.5)
lightgbm("lgb_forest", "regression", "regression", objective="regression", boosting="rf", bagging_freq=1,
         bagging_fraction=0.5)
lightgbm("lgb_constant", "regression", "regression", objective="regression", min_data_in_leaf=5000, rounds=2)

versions = {"numpy": np.__version__, "xgboost": xgb.__version__, "lightgbm": lgb.__version__}
text = json.dumps({"versions": versions, "columns": COLUMNS, "rows": ROWS, "cases": cases}, indent=1)
(DATA / "cases.json").write_text(text + "\n")
