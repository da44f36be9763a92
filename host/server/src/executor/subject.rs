//! Validators: the subject they look at, and what their report means for the step.

use std::sync::Arc;

use wasmlops_core::artifact::{ModelDocument, media_type};
use wasmlops_core::call::{Call, Subject, Value};
use wasmlops_core::run::Failure;
use wasmlops_core::table::Table;

use super::Attempt;
use super::candidate::Candidate;
use super::failure::{self, host_failure};

impl Attempt<'_> {
    /// The report is kept whether or not it has passed.
    pub(super) fn validate(&mut self) -> Result<(), Failure> {
        let table = self.table(self.required("table")?)?;
        let (subject, kind_of_subject) = match self.input("model") {
            Some(input) => {
                let model: ModelDocument = self.document(input)?;
                let candidate = Candidate::new(self.executor, &model, table.schema(), &self.work.limits)?;
                self.model = Some(Arc::new(candidate));
                (self.evaluation(&model, table)?, "gate")
            }
            None => (Subject::Table(table), "validation"),
        };
        let answer = self.main(Call::Validate { config: self.config(), subject })?;
        let Value::Validation(report) = answer else { return Err(failure::odd_answer()) };
        self.made_json("report", media_type::REPORT, &report)?;
        if report.passed { Ok(()) } else { Err(failure::of_report(&report, kind_of_subject)) }
    }

    fn evaluation(&mut self, model: &ModelDocument, table: Table) -> Result<Subject, Failure> {
        let truth = match model.target.as_deref().and_then(|target| table.schema().index_of(target)) {
            Some(column) => Some(table.select(&[column as u32]).map_err(host_failure)?),
            None => None,
        };
        let candidate = self.predictions(model, table.clone())?;
        let champion = match self.input("baseline") {
            Some(input) => {
                let baseline: ModelDocument = self.document(input)?;
                Some(self.predictions(&baseline, table.clone())?)
            }
            None => None,
        };
        Ok(Subject::Evaluation { truth, candidate, champion, features: table })
    }
}
