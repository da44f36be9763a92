//! `wasmlops schema`: for editors that complete and check YAML.

use anyhow::Result;
use wasmlops_core::config::{pipeline_schema, project_schema};

use crate::args::SchemaOf;
use crate::output::{Outcome, Printer};

pub fn schema(of: SchemaOf, printer: &Printer) -> Result<Outcome> {
    let schema = match of {
        SchemaOf::Pipeline => pipeline_schema(),
        SchemaOf::Project => project_schema(),
    };
    printer.data(&schema, || format!("{schema:#}"))?;
    Ok(Outcome::Done)
}
