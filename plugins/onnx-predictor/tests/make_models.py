"""Writes `tests/data`: small ONNX models, 1,000 rows, and what the original models predict for them.

    pip install numpy scikit-learn skl2onnx onnxruntime onnxmltools xgboost-cpu lightgbm onnx
    python plugins/onnx-predictor/tests/make_models.py

`rows.f32` holds the rows, one after the other, little-endian; `<case>.expected.f64` each row's answers of the model
that was exported (not of the export): one number for regression, one probability for each class otherwise. onnxruntime
runs every export too, and the script stops where it disagrees. `cases.json` lists the models and the versions that
wrote them.
"""

import json
import pathlib
import warnings

import lightgbm as lgb
import numpy as np
import onnx
import onnxmltools
import onnxruntime
import skl2onnx
import sklearn
import xgboost as xgb
from onnx import TensorProto, helper, numpy_helper
from onnxmltools.convert.common.data_types import FloatTensorType as MltoolsFloat
from skl2onnx import to_onnx
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    GradientBoostingClassifier, GradientBoostingRegressor, RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MinMaxScaler, Normalizer, OneHotEncoder, PolynomialFeatures, RobustScaler, StandardScaler,
)
from sklearn.tree import DecisionTreeClassifier

warnings.filterwarnings("ignore")
DATA = pathlib.Path(__file__).parent / "data"
COLUMNS = ["size", "price", "count", "depth", "kind"]
ROWS = 1000
cases = []


def make_rows(rows, rng):
    size, depth = rng.normal(size=rows), rng.normal(size=rows) * 3
    price, count, kind = rng.lognormal(size=rows), rng.integers(0, 20, rows), rng.integers(0, 4, rows)
    return np.column_stack([size, price, count, depth, kind]).astype(np.float32)


def signal(x):
    return x[:, 0] + 0.5 * np.log(x[:, 1]) + 0.1 * x[:, 2] * (x[:, 4] == 2) - 0.4 * np.abs(x[:, 3])


rng = np.random.default_rng(23)
train = make_rows(1500, rng)
rows = make_rows(ROWS, rng)
noisy = signal(train) + rng.normal(size=len(train)) * 0.3
binary = (noisy > -0.5).astype(int)
multi = np.digitize(noisy, [-1.5, 0.2])
names = np.array(["low", "middle", "high"])[multi]


def run(model, feeds):
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, feeds)


def probabilities_of(outputs):
    for output in outputs:
        if isinstance(output, list):
            return np.array([list(row.values()) for row in output])
        if output.ndim == 2 and output.dtype in (np.float32, np.float64):
            return output
    return np.asarray(outputs[0])


def keep(name, model, task, answers, feeds, tolerance, classes=None, labels=None):
    """`classes`: what the header says; `labels`: the classes that the model itself knows."""
    answers = np.asarray(answers, dtype="<f8").reshape(ROWS, -1)
    try:
        ran = probabilities_of(run(model, feeds)).reshape(ROWS, -1)
        if ran.shape[1] == 1 and answers.shape[1] == 2:
            ran = np.column_stack([1 - ran, ran])
        worst = np.max(np.abs(ran - answers) / np.maximum(1, np.abs(answers)))
        assert worst < max(tolerance, 1e-5), f"{name}: onnxruntime differs by {worst}"
        print(f"{name}: onnxruntime differs by {worst:.1e}")
    except onnxruntime.capi.onnxruntime_pybind11_state.Fail as problem:
        # skl2onnx declares some outputs as doubles that ONNX has as floats; the original model's answers stand.
        print(f"{name}: onnxruntime refuses it: {str(problem)[:150]}")
    (DATA / f"{name}.onnx").write_bytes(model.SerializeToString())
    answers.tofile(DATA / f"{name}.expected.f64")
    known = [str(label) for label in (classes or labels or [])]
    cases.append({"name": name, "task": task, "classes": classes, "labels": known, "tolerance": tolerance})


def sk(name, estimator, y, task, double=False, zipmap=True, columns=False, tolerance=None, opset=None):
    # ONNX has no ZipMap of doubles.
    zipmap = zipmap and not double
    dtype, tensor = (np.float64, DoubleTensorType) if double else (np.float32, FloatTensorType)
    fitted = estimator.fit(train.astype(dtype), y)
    types = [(column, tensor([None, 1])) for column in COLUMNS] if columns else [("X", tensor([None, len(COLUMNS)]))]
    options = {"zipmap": zipmap} if task != "regression" else None
    model = to_onnx(fitted, initial_types=types, options=options, target_opset=opset)
    x = rows.astype(dtype)
    feeds = {c: x[:, [i]] for i, c in enumerate(COLUMNS)} if columns else {"X": x}
    answers = fitted.predict(x) if task == "regression" else fitted.predict_proba(x)
    labels = None if task == "regression" else [str(c) for c in fitted.classes_]
    keep(name, model, task, answers, feeds, tolerance or (1e-6 if double else 1e-4), labels=labels)


for old in DATA.glob("*"):
    old.unlink()
DATA.mkdir(exist_ok=True)
rows.astype("<f4").tofile(DATA / "rows.f32")

scaled = lambda estimator: make_pipeline(StandardScaler(), estimator)
for double in [False, True]:
    end = "_double" if double else ""
    for zipmap, kind in [(True, "zipmap"), (False, "tensor")][double:]:
        sk(f"logistic_binary_{kind}{end}", scaled(LogisticRegression()), binary, "binary", double, zipmap)
        sk(f"logistic_multi_{kind}{end}", scaled(LogisticRegression()), names, "multiclass", double, zipmap)
    sk(f"linear_regression{end}", LinearRegression(), noisy, "regression", double)
    sk(f"forest_classifier{end}", RandomForestClassifier(5, max_depth=5, random_state=1), multi, "multiclass", double)
    sk(f"forest_regressor{end}", RandomForestRegressor(5, max_depth=5, random_state=1), noisy, "regression", double)
    sk(f"boosting_classifier{end}", GradientBoostingClassifier(n_estimators=8, random_state=1), binary, "binary", double)
    sk(f"boosting_multi{end}", GradientBoostingClassifier(n_estimators=5, max_depth=2, random_state=1), names,
       "multiclass", double, zipmap=False)
    sk(f"boosting_regressor{end}", GradientBoostingRegressor(n_estimators=8, random_state=1), noisy, "regression", double)
    sk(f"mlp_classifier{end}", scaled(MLPClassifier((8, 6), max_iter=80, random_state=1)), names, "multiclass", double)
    sk(f"mlp_binary{end}", scaled(MLPClassifier((6,), activation="tanh", max_iter=80, random_state=1)), binary, "binary",
       double, zipmap=False)
sk("mlp_regressor", scaled(MLPRegressor(hidden_layer_sizes=(6,), max_iter=80, random_state=1)), noisy, "regression")
sk("decision_tree", DecisionTreeClassifier(max_depth=5, random_state=1), names, "multiclass")
sk("one_vs_rest", OneVsRestClassifier(LogisticRegression()), names, "multiclass")
sk("naive_bayes", GaussianNB(), multi, "multiclass")
sk("columns_pipeline", make_pipeline(
    ColumnTransformer([("scaled", make_pipeline(SimpleImputer(), StandardScaler()), [0, 1, 2, 3]),
                       ("kind", OneHotEncoder(), [4])]), LogisticRegression(max_iter=500)), binary, "binary")
sk("columns_inputs", scaled(LogisticRegression()), binary, "binary", columns=True)
sk("scalers", make_pipeline(MinMaxScaler(), RobustScaler(), Normalizer(), PolynomialFeatures(2), Ridge()), noisy, "regression")
sk("logistic_opset_11", scaled(LogisticRegression()), binary, "binary", opset={"": 11, "ai.onnx.ml": 1})
sk("forest_opset_1", RandomForestClassifier(4, max_depth=4, random_state=1), binary, "binary",
   opset={"": 12, "ai.onnx.ml": 1})

# Boosters, as onnxmltools exports them.
floats = [("input", MltoolsFloat([None, len(COLUMNS)]))]
small = {"n_estimators": 6, "max_depth": 3, "learning_rate": 0.4, "random_state": 1}
for name, model, y, task in [
    ("xgboost_binary", xgb.XGBClassifier(**small), binary, "binary"),
    ("xgboost_multi", xgb.XGBClassifier(**small), multi, "multiclass"),
    ("xgboost_regression", xgb.XGBRegressor(**small), noisy, "regression"),
    ("lightgbm_binary", lgb.LGBMClassifier(**small, verbose=-1), binary, "binary"),
    ("lightgbm_multi", lgb.LGBMClassifier(**small, verbose=-1), names, "multiclass"),
    ("lightgbm_regression", lgb.LGBMRegressor(**small, verbose=-1), noisy, "regression"),
]:
    model.fit(train, y)
    convert = onnxmltools.convert_xgboost if "xgboost" in name else onnxmltools.convert_lightgbm
    try:
        exported = convert(model, initial_types=floats, target_opset=15)
    except Exception as problem:  # A converter may lag behind the library; say so and go on.
        print(f"{name}: NOT EXPORTED: {type(problem).__name__}: {str(problem)[:200]}")
        continue
    answers = model.predict(rows) if task == "regression" else model.predict_proba(rows)
    labels = None if task == "regression" else [str(c) for c in model.classes_]
    keep(name, exported, task, answers, {"input": rows}, 1e-4, labels=labels)


def torch_like(name, task, last, classes=None, batch="batch", dynamo=False):
    """The graph that torch.onnx writes for Linear-ReLU-Linear: `Gemm` with `transB`, weights named after the module."""
    weights = [rng.normal(size=s).astype(np.float32) * 0.5 for s in [(8, 5), (8,), (3 if last == "Softmax" else 1, 8)]]
    weights.append(rng.normal(size=weights[2].shape[0]).astype(np.float32))
    named = dict(zip(["net.0.weight", "net.0.bias", "net.2.weight", "net.2.bias"], weights))
    nodes = [
        helper.make_node("Gemm", ["input", "net.0.weight", "net.0.bias"], ["/net/net.0/Gemm_output_0"], "/net/net.0/Gemm",
                         alpha=1.0, beta=1.0, transB=1),
        helper.make_node("Relu", ["/net/net.0/Gemm_output_0"], ["/net/net.1/Relu_output_0"], "/net/net.1/Relu"),
    ]
    if dynamo:
        # Newer exporters leave the transposed weight and a `MatMul`.
        nodes += [helper.make_node("Transpose", ["net.2.weight"], ["t"], perm=[1, 0]),
                  helper.make_node("MatMul", ["/net/net.1/Relu_output_0", "t"], ["m"]),
                  helper.make_node("Add", ["m", "net.2.bias"], ["scores"])]
    else:
        nodes.append(helper.make_node("Gemm", ["/net/net.1/Relu_output_0", "net.2.weight", "net.2.bias"], ["scores"],
                                      alpha=1.0, beta=1.0, transB=1))
    attributes = {"axis": 1} if last == "Softmax" else {}
    nodes.append(helper.make_node(last, ["scores"], ["output"], **attributes))
    graph = helper.make_graph(
        nodes, "main_graph", [helper.make_tensor_value_info("input", TensorProto.FLOAT, [batch, 5])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [batch, len(weights[3])])],
        [numpy_helper.from_array(value, key) for key, value in named.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="pytorch")
    onnx.checker.check_model(model)
    hidden = np.maximum(rows.astype(float) @ weights[0].T.astype(float) + weights[1], 0)
    scores = hidden @ weights[2].T.astype(float) + weights[3]
    if last == "Softmax":
        answers = np.exp(scores - scores.max(axis=1, keepdims=True))
        answers /= answers.sum(axis=1, keepdims=True)
    elif last == "Sigmoid":
        second = 1 / (1 + np.exp(-scores))
        answers = np.column_stack([1 - second, second])
    else:
        answers = scores
    if batch == 1:
        # onnxruntime would refuse other batches; ours goes row by row.
        (DATA / f"{name}.onnx").write_bytes(model.SerializeToString())
        np.asarray(answers, dtype="<f8").tofile(DATA / f"{name}.expected.f64")
        cases.append({"name": name, "task": task, "classes": classes, "labels": classes, "tolerance": 1e-4})
        return
    keep(name, model, task, answers, {"input": rows}, 1e-4, classes=classes)


torch_like("torch_softmax", "multiclass", "Softmax", ["a", "b", "c"])
torch_like("torch_sigmoid", "binary", "Sigmoid", ["no", "yes"])
torch_like("torch_regression", "regression", "Identity")
torch_like("torch_dynamo", "multiclass", "Softmax", ["a", "b", "c"], dynamo=True)
torch_like("torch_fixed_batch", "multiclass", "Softmax", ["a", "b", "c"], batch=1)

versions = {m.__name__: m.__version__ for m in [np, sklearn, skl2onnx, onnx, onnxruntime, onnxmltools, xgb, lgb]}
text = json.dumps({"versions": versions, "columns": COLUMNS, "rows": ROWS, "cases": cases}, indent=1)
(DATA / "cases.json").write_text(text + "\n")
operators = set()
for path in DATA.glob("*.onnx"):
    operators |= {(node.domain, node.op_type) for node in onnx.load(path).graph.node}
print(sorted(operators))
