//! The Open Inference Protocol (v2) as bytes: requests with JSON or binary tensors into batches of a model's input
//! columns, predictions into answers, schemas into metadata.
//!
//! Pure like [`super::codec`]; knows no endpoint, only schemas. Each input column is an input tensor of shape `[-1]`
//! (`[-1, 1]` is taken too), each output column an output tensor of shape `[-1]`. Where a model has two or more input
//! columns and all are numbers, one tensor of shape `[-1, columns]` stands for all of them in the schema's order,
//! whatever its name. Doors: [`Request::parse`], [`Request::batch`], [`Request::answer`], [`metadata`].

mod answer;
mod batch;
mod binary;
mod data;
mod datatype;
mod metadata;
mod request;
#[cfg(test)]
mod tests;

pub use answer::{Answer, Answered};
pub use metadata::metadata;
pub use request::Request;
