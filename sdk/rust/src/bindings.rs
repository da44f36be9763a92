//! The contract in `wit/`, as generated Rust. Nothing outside the SDK names these types.
//!
//! One module a world: the component type of a world is linked only by its `export!`, so that a plugin exports just
//! the kinds it has.

/// What every plugin imports.
pub mod host {
    wit_bindgen::generate!({ path: "../../wit/0.1.0", world: "host", generate_all });
}

macro_rules! kinds {
    ($($module:ident = $world:literal),* $(,)?) => {$(
        pub mod $module {
            wit_bindgen::generate!({
                path: "../../wit/0.1.0",
                world: $world,
                with: {
                    "wasmlops:plugin/types@0.1.0": crate::bindings::host::wasmlops::plugin::types,
                    "wasmlops:plugin/tables@0.1.0": crate::bindings::host::wasmlops::plugin::tables,
                    "wasmlops:plugin/log@0.1.0": crate::bindings::host::wasmlops::plugin::log,
                    "wasmlops:plugin/metrics@0.1.0": crate::bindings::host::wasmlops::plugin::metrics,
                    "wasmlops:plugin/progress@0.1.0": crate::bindings::host::wasmlops::plugin::progress,
                    "wasmlops:plugin/checkpoint@0.1.0": crate::bindings::host::wasmlops::plugin::checkpoint,
                    "wasmlops:plugin/blobs@0.1.0": crate::bindings::host::wasmlops::plugin::blobs,
                },
                pub_export_macro: true,
                export_macro_name: "export_kind",
                default_bindings_module: "wasmlops_sdk::bindings",
            });
        }
    )*};
}

kinds! {
    data_source = "data-source-plugin",
    processor = "processor-plugin",
    transform = "transform-plugin",
    trainer = "trainer-plugin",
    predictor = "predictor-plugin",
    validator = "validator-plugin",
    deployer = "deployer-plugin",
    monitor = "monitor-plugin",
}
