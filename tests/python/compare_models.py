"""Compares the plugins `gbdt` and `linear-model` with LightGBM, XGBoost and scikit-learn: quality, time, memory.

    cargo build --release
    python3 tests/python/compare_models.py target/release/wasmlops

Installs the three in a virtual environment (`--venv DIR`, kept there; else a temporary one), makes the data with fixed
seeds, trains on the same rows with the settings below on one thread, and prints two Markdown tables. `--cases NAME…`
takes some cases alone; `--plugin NAME=FILE` uses a component instead of the one in the binary; `--payments FILE` is the
component of examples/payments/source, without which that case is skipped, and the output says so.

What is timed: with us the step's `duration_ms` (the sandbox's start, reading the table from the store and keeping the
model are in it), with the others `fit` and `predict` on arrays in memory. The faster of two times counts. What is
measured as memory is the peak resident set of the whole process that trains, data included.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PACKAGES = ["lightgbm", "xgboost", "scikit-learn", "pandas", "pyarrow"]
ROUNDS, LEAVES, RATE, LEAF_ROWS, BINS = 100, 31, 0.1, 20, 255
REPEATS = 2
THREADS = {name: "1" for name in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"]}


def main():
    arguments = parse_arguments()
    if os.environ.get("WASMLOPS_COMPARE_INSIDE") != "1":
        with tempfile.TemporaryDirectory() as temporary:
            venv = Path(arguments.venv or temporary)
            sys.exit(subprocess.call([python_of(venv), *sys.argv], env=os.environ | THREADS | {"WASMLOPS_COMPARE_INSIDE": "1"}))
    if arguments.worker:
        return worker(*arguments.worker)
    import lightgbm, sklearn, xgboost
    print(f"LightGBM {lightgbm.__version__}, XGBoost {xgboost.__version__}, scikit-learn {sklearn.__version__};"
          f" {ROUNDS} rounds, {LEAVES} leaves, rate {RATE}, at least {LEAF_ROWS} rows a leaf, {BINS} bins, one thread.\n")
    with tempfile.TemporaryDirectory() as folder:
        compare(arguments, Path(folder))


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", nargs="?", help="the built `wasmlops`")
    parser.add_argument("--cases", nargs="*", help=f"of {', '.join(CASES)}")
    parser.add_argument("--venv")
    parser.add_argument("--plugin", action="append", default=[], metavar="NAME=FILE")
    parser.add_argument("--payments", help="the component of examples/payments/source")
    parser.add_argument("--worker", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if not arguments.binary and not arguments.worker:
        parser.error("the built `wasmlops` is missing; `cargo build --release` makes it")
    return arguments


def python_of(venv):
    python = venv / "bin/python"
    if not python.exists():
        subprocess.check_call([sys.executable, "-m", "venv", venv])
    if subprocess.call([python, "-c", "import lightgbm, xgboost, sklearn, pandas, pyarrow"], stderr=subprocess.DEVNULL):
        subprocess.check_call([python, "-m", "pip", "install", "--quiet", *PACKAGES])
    return python


# The cases: each gives (frame with the column `target`, task, list of (train rows, test rows), columns that are categories).


def breast_cancer(_):
    from sklearn.datasets import load_breast_cancer
    return (*folds(load_breast_cancer(as_frame=True).frame, stratified=True), "binary", [])


def digits(_):
    from sklearn.datasets import load_digits
    return (*folds(load_digits(as_frame=True).frame, stratified=True), "multiclass", [])


def friedman(_):
    from sklearn.datasets import make_friedman1
    return (*generated(make_friedman1(20_000, 20, noise=1.0, random_state=3), 15_000), "regression", [])


def hundred_thousand(_):
    return (*generated(classes(125_000, 30), 100_000), "binary", [])


def half_million(_):
    return (*generated(classes(600_000, 54), 500_000), "binary", [])


def payments(arguments):
    if not arguments.payments:
        return None
    import pandas as pd
    with tempfile.TemporaryDirectory() as folder:
        project = Project(arguments, Path(folder), {"payments-source": arguments.payments})
        project.pipeline({"ingest": {"uses": "payments-source@*", "with": {"seed": 7}}})
        run = project.run()
        frame = pd.read_parquet(project.export(run, "ingest.table", "payments.parquet"))
    frame = frame.sort_values("time", kind="stable").rename(columns={"fraud": "target"})
    categories = [name for name in frame if frame[name].dtype.name in ("object", "category", "str", "string")]
    # Names of single customers and cards tell a tree nothing that holds for others.
    dropped = [name for name in categories if frame[name].nunique() > 1000] + ["time"]
    frame = frame.drop(columns=dropped).reset_index(drop=True)
    frame["target"] = frame["target"].astype(int)
    rows = int(len(frame) * 0.75)
    split = (list(range(rows)), list(range(rows, len(frame))))
    return frame, [split], "binary", [name for name in categories if name not in dropped]


CASES = {
    "breast-cancer": breast_cancer,
    "payments": payments,
    "digits, 10 classes": digits,
    "friedman1": friedman,
    "100,000 × 30": hundred_thousand,
    "500,000 × 54": half_million,
}


def classes(rows, columns):
    from sklearn.datasets import make_classification
    return make_classification(rows, columns, n_informative=columns // 2, n_redundant=columns // 5, flip_y=0.05,
                               class_sep=0.7, random_state=5)


def generated(data, train):
    import numpy as np
    import pandas as pd
    # Six digits, so that all see the same numbers from the same file.
    features = np.char.mod("%.6g", data[0]).astype(float)
    frame = pd.DataFrame(features, columns=[f"c{index}" for index in range(features.shape[1])]).assign(target=data[1])
    return frame, [(list(range(train)), list(range(train, len(frame))))]


def folds(frame, stratified):
    from sklearn.model_selection import StratifiedKFold
    frame = frame.rename(columns=lambda name: name.replace(" ", "_"))
    return frame, [tuple(map(list, fold)) for fold in StratifiedKFold(5, shuffle=True, random_state=1).split(frame, frame.target)]


def compare(arguments, folder):
    trees, lines = [], []
    for name in arguments.cases or CASES:
        case = CASES[name](arguments)
        if case is None:
            print(f"skipped `{name}`: needs --payments FILE\n")
            continue
        frame, splits, task, categories = case
        for part, models in [(trees, ["wasmlops", "lightgbm", "xgboost", "sklearn"]), (lines, ["wasmlops-linear", "sklearn-linear"])]:
            if part is lines and (task != "binary" or categories):
                continue
            results = {model: measure(arguments, folder, model, frame, splits, task, categories) for model in models}
            part += rows(name, task, results)
            print_table([], part[-len(models):])
    head = ["case", "", *METRICS_HEAD, "fit", "to the fastest other", "predict", "to the fastest other", "memory"]
    for title, part in [("Trees", trees), ("Logistic regression", lines)]:
        print(f"\n**{title}**\n")
        print_table(head, part)


METRICS_HEAD = ["auc or r2", "log loss or rmse"]


def rows(name, task, results):
    others = [result for model, result in results.items() if not model.startswith("wasmlops")]
    fit, predict = (min(result[key] for result in others) for key in ("fit", "predict"))
    return [[name, model, f"{result['score']:.4f}", f"{result['loss']:.4f}", seconds(result["fit"]),
             f"{result['fit'] / fit:.2f} ×", seconds(result["predict"]), f"{result['predict'] / predict:.2f} ×",
             f"{result['memory'] / 2**20:.0f} MiB"] for model, result in results.items()]


def seconds(value):
    return f"{value:.2f} s" if value >= 1 else f"{value * 1e3:.1f} ms"


def print_table(head, body):
    if head:
        body = [head, ["---"] * len(head), *body]
    for row in body:
        print("| " + " | ".join(row) + " |", flush=True)


def measure(arguments, folder, model, frame, splits, task, categories):
    """Means over the folds of quality, and sums of times; memory is the most of any."""
    results = []
    for number, (train, test) in enumerate(splits):
        place = folder / f"fold{number}"
        place.mkdir(exist_ok=True)
        frame.iloc[train].to_parquet(place / "train.parquet")
        frame.iloc[test].to_parquet(place / "test.parquet")
        (place / "case.json").write_text(json.dumps({"task": task, "categories": categories}))
        if model.startswith("wasmlops"):
            results.append(ours(arguments, place, model, frame, train, test, task, categories))
        else:
            command = [sys.executable, __file__, "--worker", model, str(place), "result.json", "-"]
            subprocess.check_call(command)
            results.append(json.loads((place / "result.json").read_text()))
    mean = lambda key: sum(result[key] for result in results) / len(results)
    return {"score": mean("score"), "loss": mean("loss"), "fit": mean("fit") * len(results),
            "predict": mean("predict") * len(results), "memory": max(result["memory"] for result in results)}


def quality(task, truth, predicted):
    """`predicted` is the probabilities of the classes, or numbers."""
    from sklearn.metrics import log_loss, r2_score, roc_auc_score, root_mean_squared_error
    if task == "regression":
        return {"score": r2_score(truth, predicted), "loss": root_mean_squared_error(truth, predicted)}
    scores = predicted[:, 1] if task == "binary" else predicted
    return {"score": roc_auc_score(truth, scores, multi_class="ovr"), "loss": log_loss(truth, predicted)}


class Project:
    """A project folder with one pipeline."""

    def __init__(self, arguments, folder, plugins):
        self.binary, self.folder = Path(arguments.binary).resolve(), folder
        plugins = dict(plugins) | dict(entry.split("=", 1) for entry in arguments.plugin)
        listed = {"csv-source": "*", "gbdt": "*", "linear-model": "*", "tabular-features": "*"}
        for name, path in plugins.items():
            (folder / f"{name}.wasm").write_bytes(Path(path).read_bytes())
            listed[name] = {"version": "*", "path": f"{name}.wasm"}
        (folder / "wasmlops.yaml").write_text(json.dumps({"project": "compare", "plugins": listed, "policy": {"read": ["data"]}}))
        (folder / "pipelines").mkdir(exist_ok=True)
        (folder / "data").mkdir(exist_ok=True)

    def pipeline(self, steps):
        limits = {"memory": "3GiB", "timeout": "30m"}
        steps = {name: {**step, "limits": limits} for name, step in steps.items()}
        (self.folder / "pipelines/compare.yaml").write_text(json.dumps({"pipeline": "compare", "steps": steps}))

    def run(self, *options):
        answer = subprocess.run([self.binary, "run", "compare", "--json", "--quiet", *options], cwd=self.folder,
                                stdout=subprocess.PIPE, check=False)
        run = json.loads(answer.stdout)
        if run.get("status") != "succeeded":
            sys.exit(f"the run failed: {json.dumps(run, indent=1)}")
        return run

    def export(self, run, output, file):
        subprocess.run([self.binary, "artifact", "export", f"{run['run']}/{output}", file, "--quiet"], cwd=self.folder, check=True)
        return self.folder / file


def ours(arguments, place, model, frame, train, test, task, categories):
    import numpy as np
    import pandas as pd
    (place / model).mkdir()
    project = Project(arguments, place / model, {})
    reading = {}
    for name, part in [("train", train), ("test", test)]:
        frame.iloc[part].to_csv(project.folder / f"data/{name}.csv", index=False)
        columns = {column: "categorical" for column in categories}
        columns["target"] = "f64" if task == "regression" else "s64"
        reading[f"read-{name}"] = {"uses": "csv-source@*", "grants": {"read": ["data"]},
                                   "with": {"path": f"data/{name}.csv", "columns": columns}}
    project.pipeline(reading)
    project.run()

    settings = {"task": task, "target": "target"}
    inputs = {"train": "read-train.table"}
    steps = dict(reading)
    if model == "wasmlops":
        settings |= {"n_estimators": ROUNDS, "num_leaves": LEAVES, "learning_rate": RATE, "min_child_samples": LEAF_ROWS, "max_bin": BINS}
    else:
        steps["scale"] = {"uses": "tabular-features@*", "inputs": {"table": "read-train.table"}, "with": {"target": "target"}}
        inputs["features"] = "scale.state"
    plugin = {"wasmlops": "gbdt", "wasmlops-linear": "linear-model"}[model]
    steps["fit"] = {"uses": f"{plugin}@*", "inputs": inputs, "with": settings}
    steps["predict"] = {"uses": f"{plugin}@*", "inputs": {"model": "fit.model", "table": "read-test.table"}}
    # What is read from the cache is not read from text again, so that memory is that of training.
    for name in ["fit", "predict"]:
        steps[name]["cache"] = False
    project.pipeline(steps)
    runs, memory = [], 0
    for _ in range(REPEATS):
        child = subprocess.Popen([project.binary, "run", "compare", "--json", "--quiet"], cwd=project.folder, stdout=subprocess.PIPE)
        text = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        run = json.loads(text)
        if status != 0 or run["status"] != "succeeded":
            sys.exit(f"the run failed: {json.dumps(run, indent=1)}")
        runs.append({step["step"]: step["duration_ms"] / 1e3 for step in run["steps"]})
        memory = max(memory, usage.ru_maxrss * 1024)
    table = pd.read_parquet(project.export(run, "predict.predictions", "predictions.parquet"))
    truth = frame.iloc[test].target
    if task == "regression":
        predicted = table["prediction"].to_numpy()
    else:
        classes = sorted(frame.target.unique())
        predicted = np.stack([table[f"probability.{value}"].to_numpy() for value in classes], axis=1)
        predicted = predicted / predicted.sum(axis=1, keepdims=True)
    fastest = lambda step: min(run[step] for run in runs)
    return {**quality(task, truth, predicted), "fit": fastest("fit"), "predict": fastest("predict"), "memory": memory}


def worker(model, place, result, _):
    """Trains one model of another library in a process of its own."""
    import pandas as pd
    place = Path(place)
    case = json.loads((place / "case.json").read_text())
    task, categories = case["task"], case["categories"]
    parts = {name: pd.read_parquet(place / f"{name}.parquet") for name in ("train", "test")}
    if categories:
        together = pd.concat(parts.values())
        for column in categories:
            known = pd.CategoricalDtype(sorted(together[column].dropna().unique()))
            for part in parts.values():
                part[column] = part[column].astype(known)
    train, test = parts["train"], parts["test"]
    features, target = train.drop(columns="target"), train.target
    held_out = test.drop(columns="target")
    if not categories:
        features, held_out = features.to_numpy(float), held_out.to_numpy(float)
    fits, predicts = [], []
    for _ in range(REPEATS):
        estimator = ESTIMATORS[model](task)
        begun = time.perf_counter()
        estimator.fit(features, target)
        fits.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        predicted = estimator.predict(held_out) if task == "regression" else estimator.predict_proba(held_out)
        predicts.append(time.perf_counter() - begun)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    answer = {**quality(task, test.target, predicted), "fit": min(fits), "predict": min(predicts), "memory": memory}
    (place / result).write_text(json.dumps(answer))


def lightgbm(task):
    import lightgbm
    kind = lightgbm.LGBMRegressor if task == "regression" else lightgbm.LGBMClassifier
    return kind(n_estimators=ROUNDS, num_leaves=LEAVES, learning_rate=RATE, min_child_samples=LEAF_ROWS, max_bin=BINS,
                n_jobs=1, verbose=-1, random_state=1)


def xgboost(task):
    import xgboost
    kind = xgboost.XGBRegressor if task == "regression" else xgboost.XGBClassifier
    return kind(n_estimators=ROUNDS, max_leaves=LEAVES, max_depth=0, grow_policy="lossguide", learning_rate=RATE,
                max_bin=BINS, tree_method="hist", enable_categorical=True, n_jobs=1, random_state=1)


def sklearn(task):
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    kind = HistGradientBoostingRegressor if task == "regression" else HistGradientBoostingClassifier
    return kind(max_iter=ROUNDS, max_leaf_nodes=LEAVES, learning_rate=RATE, min_samples_leaf=LEAF_ROWS, max_bins=BINS,
                early_stopping=False, categorical_features="from_dtype", random_state=1)


def sklearn_linear(_):
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))


ESTIMATORS = {"lightgbm": lightgbm, "xgboost": xgboost, "sklearn": sklearn, "sklearn-linear": sklearn_linear}


if __name__ == "__main__":
    main()
