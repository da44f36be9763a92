//! The macro that makes a crate a plugin.

/// Exports the kinds of a plugin and puts its manifest into the component. Once, at the root of the crate:
///
/// ```text
/// wasmlops_sdk::export! { trainer: LinearModel, predictor: LinearPredictor }
/// ```
///
/// The manifest is what the crate's build script wrote with `wasmlops_sdk::manifest`. On other targets than wasm the macro
/// only checks that the types implement the kinds' traits, so that the same crate runs in native tests.
#[macro_export]
macro_rules! export {
    ($($kind:ident: $plugin:ty),+ $(,)?) => {
        $($crate::export_kind! { $kind, $plugin })+

        #[cfg(target_family = "wasm")]
        #[unsafe(link_section = "wasmlops:manifest")]
        static WASMLOPS_MANIFEST: [u8; include_bytes!(concat!(env!("OUT_DIR"), "/wasmlops-manifest.json")).len()] =
            *include_bytes!(concat!(env!("OUT_DIR"), "/wasmlops-manifest.json"));
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! export_kind {
    (data_source, $plugin:ty) => {
        $crate::export_kind! { @ data_source, DataSourceAdapter, $plugin }
    };
    (processor, $plugin:ty) => {
        $crate::export_kind! { @ processor, ProcessorAdapter, $plugin }
    };
    (transform, $plugin:ty) => {
        $crate::export_kind! { @ transform, TransformAdapter, $plugin }
    };
    (trainer, $plugin:ty) => {
        $crate::export_kind! { @ trainer, TrainerAdapter, $plugin }
    };
    (predictor, $plugin:ty) => {
        $crate::export_kind! { @ predictor, PredictorAdapter, $plugin }
    };
    (validator, $plugin:ty) => {
        $crate::export_kind! { @ validator, ValidatorAdapter, $plugin }
    };
    (deployer, $plugin:ty) => {
        $crate::export_kind! { @ deployer, DeployerAdapter, $plugin }
    };
    (monitor, $plugin:ty) => {
        $crate::export_kind! { @ monitor, MonitorAdapter, $plugin }
    };
    (@ $kind:ident, $adapter:ident, $plugin:ty) => {
        const _: () = {
            #[allow(dead_code, reason = "native builds only check that the type fits the kind")]
            type Exported = $crate::kinds::adapters::$adapter<$plugin>;
            #[cfg(target_family = "wasm")]
    $crate::bindings::$kind::export_kind!(Exported with_types_in $crate::bindings::$kind);
        };
    };
}
