"""Trains a scikit-learn model and writes it for both servers: FOLDER/mlflow and FOLDER/model.onnx.

    python3 -m venv /tmp/mlflow && /tmp/mlflow/bin/pip install mlflow scikit-learn skl2onnx
    cargo xtask bench --python /tmp/mlflow/bin/python mlflow

DATA.csv has a header; its last column is the class. Says with which versions it was done.
"""

import sys
import warnings

warnings.simplefilter("ignore")
import mlflow
import mlflow.sklearn
import pandas as pd
import skl2onnx
import sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def main(data, folder):
    table = pd.read_csv(data)
    features, target = table.iloc[:, :-1], table.iloc[:, -1]
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(features, target)
    mlflow.sklearn.save_model(model, f"{folder}/mlflow", pip_requirements=[])
    inputs = [("input", FloatTensorType([None, features.shape[1]]))]
    onnx = skl2onnx.to_onnx(model, initial_types=inputs, options={"zipmap": False})
    with open(f"{folder}/model.onnx", "wb") as file:
        file.write(onnx.SerializeToString())
    versions = {"MLflow": mlflow, "scikit-learn": sklearn, "skl2onnx": skl2onnx}
    print(", ".join(f"{name} {module.__version__}" for name, module in versions.items()) + ".")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
