//! Writes the manifest.

fn main() {
    wasmlops_sdk::manifest()
        .kind_without_config("predictor", |kind| {
            kind.input("model", "an XGBoost or LightGBM model file, as `wasmlops model import` keeps it")
                .input("table", "rows to predict")
                .output("predictions", "`prediction`, and `probability.<class>` for each class")
        })
        .write();
}
