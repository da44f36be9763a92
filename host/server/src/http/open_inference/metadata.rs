//! A model's metadata: which tensors it takes and gives.

use serde_json::{Value, json};
use wasmlops_core::table::Schema;

use super::datatype::Datatype;

/// The answer to `GET /v2/models/{model}`. `-1` is a free dimension.
pub fn metadata(model: &str, versions: &[u64], input: &Schema, output: &Schema) -> Value {
    json!({
        "name": model,
        "versions": versions.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "platform": "wasmlops",
        "inputs": tensors(input),
        "outputs": tensors(output),
    })
}

fn tensors(schema: &Schema) -> Vec<Value> {
    let tensor = |field: &wasmlops_core::table::Field| json!({ "name": field.name, "datatype": Datatype::name_of(field.data_type), "shape": [-1] });
    schema.fields.iter().map(tensor).collect()
}
