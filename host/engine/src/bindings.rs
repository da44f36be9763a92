//! The contract as Rust, generated from `wit/`.
//!
//! The world `every-kind` is never instantiated as a whole: `prepare` looks for the exported kinds one by one through
//! the `GuestIndices` of each `exports` module. The resources that the host hands out are indexes or handles of our
//! own.

wasmtime::component::bindgen!({
    path: "../../wit/0.1.0",
    world: "every-kind",
    imports: {
        "wasmlops:plugin/endpoints": async | trappable,
        "wasmlops:plugin/models": async | trappable,
        default: trappable,
    },
    exports: { default: async },
    with: {
        "wasmlops:plugin/tables.table": crate::host::tables::TableHandle,
        "wasmlops:plugin/tables.table-writer": crate::host::tables::WriterHandle,
        "wasmlops:plugin/blobs.blob": crate::host::blobs::BlobHandle,
        "wasmlops:plugin/blobs.blob-writer": crate::host::blobs::BlobWriterHandle,
    },
});

pub use exports::wasmlops::plugin as kinds;
pub use wasmlops::plugin as imports;
