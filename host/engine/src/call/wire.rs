//! Between the contract's types and the core's. Buffers move, texts are made harmless.

use wasmlops_core::call::{Check, ErrorCode, GuestError, Note, SourceReport, ValidationReport};
use wasmlops_core::table;

use crate::bindings::imports::tables::{Batch, Column, DataType, Dictionary, Element, Field};
use crate::bindings::imports::types::{Error, ErrorDetail};
use crate::bindings::kinds::{data_source, validator};
use crate::text::{neutralise, neutralise_within};

/// The contract's number of notes.
const MAX_NOTES: usize = 100;
/// The contract's number of values that break an expectation.
const MAX_EXAMPLES: usize = 10;
/// One sentence for a person, generously.
const MAX_MESSAGE: usize = 8 << 10;

pub(crate) fn fields_to_guest(schema: &table::Schema) -> Vec<Field> {
    let field = |field: &table::Field| Field {
        name: field.name.clone(),
        data_type: match field.data_type {
            table::DataType::Bool => DataType::Bool,
            table::DataType::S64 => DataType::S64,
            table::DataType::F64 => DataType::F64,
            table::DataType::F32 => DataType::F32,
            table::DataType::Utf8 => DataType::Utf8,
            table::DataType::Binary => DataType::Binary,
            table::DataType::Timestamp => DataType::Timestamp,
            table::DataType::Categorical => DataType::Categorical,
        },
        nullable: field.nullable,
    };
    schema.fields.iter().map(field).collect()
}

pub(crate) fn fields_from_guest(fields: Vec<Field>) -> Vec<table::Field> {
    let field = |Field { name, data_type, nullable }| table::Field {
        name,
        data_type: match data_type {
            DataType::Bool => table::DataType::Bool,
            DataType::S64 => table::DataType::S64,
            DataType::F64 => table::DataType::F64,
            DataType::F32 => table::DataType::F32,
            DataType::Utf8 => table::DataType::Utf8,
            DataType::Binary => table::DataType::Binary,
            DataType::Timestamp => table::DataType::Timestamp,
            DataType::Categorical => table::DataType::Categorical,
        },
        nullable,
    };
    fields.into_iter().map(field).collect()
}

pub(crate) fn element_from_guest(element: Element) -> table::Element {
    match element {
        Element::F64 => table::Element::F64,
        Element::F32 => table::Element::F32,
    }
}

pub(crate) fn batch_to_guest(batch: table::Batch) -> Batch {
    let column = |table::Column { values, validity, offsets, dictionary }| Column {
        values,
        validity,
        offsets,
        dictionary: dictionary.map(|table::Dictionary { offsets, values }| Dictionary { offsets, values }),
    };
    Batch { num_rows: batch.num_rows, columns: batch.columns.into_iter().map(column).collect() }
}

pub(crate) fn batch_from_guest(batch: Batch) -> table::Batch {
    let column = |Column { values, validity, offsets, dictionary }| table::Column {
        values,
        validity,
        offsets,
        dictionary: dictionary.map(|Dictionary { offsets, values }| table::Dictionary { offsets, values }),
    };
    table::Batch { num_rows: batch.num_rows, columns: batch.columns.into_iter().map(column).collect() }
}

/// What `apply` or `predict` gave for some rows.
///
/// Errors: it gave more rows or fewer.
pub(crate) fn rows_from_guest(function: &str, given: &Batch, got: Batch) -> Result<table::Batch, String> {
    if got.num_rows == given.num_rows {
        return Ok(batch_from_guest(got));
    }
    Err(format!("`{function}` was given {} rows and returned {}", given.num_rows, got.num_rows))
}

pub(crate) fn error_from_guest(error: Error) -> GuestError {
    let (code, ErrorDetail { message, field }) = match error {
        Error::InvalidConfig(detail) => (ErrorCode::InvalidConfig, detail),
        Error::InvalidInput(detail) => (ErrorCode::InvalidInput, detail),
        Error::Denied(detail) => (ErrorCode::Denied, detail),
        Error::Unavailable(detail) => (ErrorCode::Unavailable, detail),
        Error::Exhausted(detail) => (ErrorCode::Exhausted, detail),
        Error::Internal(detail) => (ErrorCode::Internal, detail),
    };
    GuestError { code, message: message_text(&message), field: field.map(|field| neutralise_within(&field, 1024)) }
}

pub(crate) fn error_to_guest(error: GuestError) -> Error {
    let GuestError { code, message, field } = error;
    let detail = ErrorDetail { message, field };
    match code {
        ErrorCode::InvalidConfig => Error::InvalidConfig(detail),
        ErrorCode::InvalidInput => Error::InvalidInput(detail),
        ErrorCode::Denied => Error::Denied(detail),
        ErrorCode::Unavailable => Error::Unavailable(detail),
        ErrorCode::Exhausted => Error::Exhausted(detail),
        ErrorCode::Internal => Error::Internal(detail),
    }
}

pub(crate) fn source_report(report: data_source::SourceReport) -> SourceReport {
    let notes = report.notes.into_iter().take(MAX_NOTES);
    let note =
        |note: crate::bindings::imports::types::Note| Note { line: note.line, message: message_text(&note.message) };
    SourceReport { rows: report.rows, bad_rows: report.bad_rows, notes: notes.map(note).collect() }
}

pub(crate) fn validation_report(report: validator::Report) -> ValidationReport {
    ValidationReport {
        passed: report.passed,
        summary: message_text(&report.summary),
        checks: report.checks.into_iter().map(check).collect(),
    }
}

fn check(check: validator::Check) -> Check {
    Check {
        name: message_text(&check.name),
        passed: check.passed,
        column: check.column.map(|column| neutralise(&column)),
        slice: check.slice.map(|slice| neutralise(&slice)),
        // JSON has no other numbers.
        observed: check.observed.filter(|observed| observed.is_finite()),
        expected: message_text(&check.expected),
        count: check.count,
        examples: check.examples.iter().take(MAX_EXAMPLES).map(|example| message_text(example)).collect(),
        message: message_text(&check.message),
    }
}

pub(super) fn message_text(text: &str) -> String {
    neutralise_within(text, MAX_MESSAGE)
}
