"""An unmodified tritonclient against a `wasmlops serve` that is running.

    python3 -m venv /tmp/oip && /tmp/oip/bin/pip install 'tritonclient[http]'
    wasmlops serve &
    /tmp/oip/bin/python tests/python/triton_client.py 127.0.0.1:7070 ENDPOINT [ROWS.csv]

Asks for health, metadata, the repository's index and predictions: with binary tensors (the client's default) and with
JSON ones, of a version and of none, with all outputs and with one. Rows come from a CSV file with a header; without one
they are zeros and empty texts. Prints one line a check and ends with 1 if one fails.
"""

import csv
import sys

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException, triton_to_np_dtype

ROWS = 5
failed = 0


def check(what, holds, found=""):
    global failed
    failed += not holds
    print(f"{'ok  ' if holds else 'FAIL'} {what}{'' if holds else f': {found}'}")


def refused(what, status, call):
    try:
        check(what, False, call())
    except InferenceServerException as error:
        check(what, error.status() == str(status) and bool(error.message()), f"{error.status()}: {error}")


def column(tensor, rows):
    """A numpy array of the tensor's type with the values of its column."""
    name, datatype = tensor["name"], tensor["datatype"]
    texts = [row.get(name, "") for row in rows]
    if datatype == "BYTES":
        return np.array([text.encode() for text in texts], dtype=np.object_)
    if datatype == "BOOL":
        return np.array([text in ("1", "true", "True") for text in texts])
    return np.array([float(text or 0) for text in texts]).astype(triton_to_np_dtype(datatype))


def inputs(metadata, rows, binary):
    tensors = []
    for tensor in metadata["inputs"]:
        values = column(tensor, rows)
        wanted = triton.InferInput(tensor["name"], list(values.shape), tensor["datatype"])
        wanted.set_data_from_numpy(values, binary_data=binary)
        tensors.append(wanted)
    return tensors


def same(one, other):
    if one.dtype == np.object_:
        text = lambda value: value.decode() if isinstance(value, bytes) else value
        return [text(value) for value in one] == [text(value) for value in other]
    return np.array_equal(one, other, equal_nan=one.dtype.kind == "f")


def main(address, endpoint, path=None):
    if path:
        with open(path, newline="") as file:
            rows = list(csv.DictReader(file))[:ROWS]
    else:
        rows = [{} for _ in range(ROWS)]
    client = triton.InferenceServerClient(address)
    check("server is live", client.is_server_live())
    check("server is ready", client.is_server_ready())
    check("server metadata", "binary_tensor_data" in client.get_server_metadata()["extensions"])
    check("model is ready", client.is_model_ready(endpoint))
    check("an unknown model is not", not client.is_model_ready("no-such-model"))
    metadata = client.get_model_metadata(endpoint)
    check("model metadata", metadata["name"] == endpoint and metadata["inputs"] and metadata["outputs"], metadata)
    version = metadata["versions"][-1]
    check("version is ready", client.is_model_ready(endpoint, version))
    check("an unknown version is not", not client.is_model_ready(endpoint, "999999"))
    check("version metadata", client.get_model_metadata(endpoint, version)["inputs"] == metadata["inputs"])
    index = client.get_model_repository_index()
    check("repository index", any(entry["name"] == endpoint and entry["state"] == "READY" for entry in index), index)

    names = [tensor["name"] for tensor in metadata["outputs"]]
    binary = client.infer(endpoint, inputs(metadata, rows, True), request_id="triton-1")
    answer = binary.get_response()
    check("infer with binary tensors", answer["model_name"] == endpoint and answer["id"] == "triton-1", answer)
    for tensor in metadata["outputs"]:
        values = binary.as_numpy(tensor["name"])
        check(f"output {tensor['name']} has a value a row", values is not None and values.shape == (len(rows),), values)
    plain = [triton.InferRequestedOutput(name, binary_data=False) for name in names]
    for title, result in {
        "JSON inputs": client.infer(endpoint, inputs(metadata, rows, False)),
        "JSON outputs": client.infer(endpoint, inputs(metadata, rows, True), outputs=plain),
        "JSON both ways": client.infer(endpoint, inputs(metadata, rows, False), outputs=plain),
        "a version": client.infer(endpoint, inputs(metadata, rows, True), model_version=version),
    }.items():
        equal = all(same(binary.as_numpy(name), result.as_numpy(name)) for name in names)
        check(f"infer with {title} gives the same", equal, result.get_response())
    one = client.infer(endpoint, inputs(metadata, rows, True), outputs=[triton.InferRequestedOutput(names[-1])])
    listed = [output["name"] for output in one.get_response()["outputs"]]
    check("one output on request", listed == names[-1:], listed)
    waiting = [client.async_infer(endpoint, inputs(metadata, rows, True)) for _ in range(20)]
    check("asynchronous requests", all(same(binary.as_numpy(names[0]), asked.get_result().as_numpy(names[0])) for asked in waiting))
    statistics = client.get_inference_statistics(endpoint, version)["model_stats"][0]
    check("statistics", statistics["inference_count"] >= len(rows), statistics)

    refused("an unknown model", 404, lambda: client.infer("no-such-model", inputs(metadata, rows, True)))
    refused("an unknown version", 404, lambda: client.infer(endpoint, inputs(metadata, rows, True), model_version="999999"))
    refused("a missing input", 400, lambda: client.infer(endpoint, inputs(metadata, rows, True)[1:]))
    refused("an unknown output", 400, lambda: client.infer(
        endpoint, inputs(metadata, rows, True), outputs=[triton.InferRequestedOutput("no-such-output")]))
    check("live after all that", client.is_server_live())
    if all(tensor["datatype"] in ("FP64", "FP32", "INT64") for tensor in metadata["inputs"]) and len(metadata["inputs"]) > 1:
        values = np.stack([column(tensor, rows).astype(np.float64) for tensor in metadata["inputs"]], axis=1)
        matrix = triton.InferInput("input", list(values.shape), "FP64")
        matrix.set_data_from_numpy(values)
        result = client.infer(endpoint, [matrix])
        check("one matrix for all columns", all(same(binary.as_numpy(name), result.as_numpy(name)) for name in names))
    client.close()
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:4]))
