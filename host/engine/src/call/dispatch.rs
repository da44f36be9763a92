//! The kinds' functions: arguments in, answer out, and nothing believed before it is checked.

use wasmlops_core::call::{
    Call, Deployment, GuestError, Release, SourceReport, Subject, ValidationReport, Value, Window,
};
use wasmlops_core::table::{Schema, Table, TableBuilder};
use wasmtime::Store;

use super::{deliver, wire};
use crate::bindings::imports::tables::{Batch, NamedTable, NamedWriter};
use crate::bindings::imports::types::Error;
use crate::bindings::kinds;
use crate::prepare::Code;
use crate::state::State;
use crate::text::neutralise;

/// Rows that cross at a time through `apply` and `predict`.
const BATCH_ROWS: u64 = 8192;

/// Why a call gave no answer, as far as the guest's own doing goes.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// It returned its typed error.
    #[error("{}", .0.message)]
    Guest(GuestError),
    /// It broke the contract.
    #[error("{0}")]
    Broken(String),
    /// What it returned is beyond the output limit.
    #[error("{0}")]
    Output(String),
    #[error("{0:#}")]
    Trap(#[from] wasmtime::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Guest(wire::error_from_guest(error))
    }
}

/// Instantiates the component and finds the functions of a kind.
macro_rules! open {
    ($store:ident, $code:ident, $kind:ident) => {{
        let Some(indices) = &$code.kinds.$kind else {
            let kind = stringify!($kind).replace('_', "-");
            return Err(Failure::Broken(format!("the component does not export the kind `{kind}`")));
        };
        let instance = $code.instance.instantiate_async(&mut *$store).await?;
        indices.load(&mut *$store, &instance)?
    }};
}

pub(crate) use open;

pub(super) async fn dispatch(store: &mut Store<State>, code: &Code, call: Call) -> Result<Value, Failure> {
    match call {
        Call::Read { config } => read(store, code, &config).await,
        Call::Process { config, inputs, outputs } => process(store, code, &config, inputs, &outputs).await,
        Call::Fit { config, input } => fit(store, code, &config, input).await,
        Call::Apply { state, input } => apply(store, code, &state, &input).await,
        Call::Train { config, train: rows, validation } => train(store, code, &config, rows, validation).await,
        Call::Predict { model, input } => predict(store, code, &model, &input).await,
        Call::Validate { config, subject } => validate(store, code, &config, subject).await,
        Call::Deploy { config, release, previous } => deploy(store, code, &config, release, previous).await,
        Call::DeploymentStatus { config, deployment } => status(store, code, &config, deployment).await,
        Call::Undeploy { config, deployment } => undeploy(store, code, &config, deployment).await,
        Call::Observe { config, window, reference } => observe(store, code, &config, window, reference).await,
    }
}

async fn read(store: &mut Store<State>, code: &Code, config: &str) -> Result<Value, Failure> {
    let guest = open!(store, code, data_source);
    let out = store.data_mut().lend_writer("table")?;
    let report = wire::source_report(guest.call_read(&mut *store, config, out).await??);
    let tables = store.data_mut().written_tables().map_err(Failure::Broken)?;
    let Some((_, table)) = tables.into_iter().next() else {
        return Err(Failure::Broken("`read` succeeded without starting its table".into()));
    };
    let SourceReport { rows, .. } = report;
    if rows != table.num_rows() {
        let written = table.num_rows();
        return Err(Failure::Broken(format!("`read` reports {rows} rows and has written {written}")));
    }
    Ok(Value::Source { table, report })
}

async fn process(
    store: &mut Store<State>,
    code: &Code,
    config: &str,
    inputs: Vec<(String, Table)>,
    outputs: &[String],
) -> Result<Value, Failure> {
    let guest = open!(store, code, processor);
    let state = store.data_mut();
    let inputs = (inputs.into_iter().map(|(name, table)| Ok(NamedTable { name, table: state.lend_table(table)? })))
        .collect::<wasmtime::Result<Vec<_>>>()?;
    let outputs = (outputs.iter().map(|name| Ok(NamedWriter { name: name.clone(), writer: state.lend_writer(name)? })))
        .collect::<wasmtime::Result<Vec<_>>>()?;
    guest.call_process(&mut *store, config, &inputs, &outputs).await??;
    let tables = store.data_mut().written_tables().map_err(Failure::Broken)?;
    Ok(Value::Tables(tables))
}

async fn fit(store: &mut Store<State>, code: &Code, config: &str, input: Table) -> Result<Value, Failure> {
    let guest = open!(store, code, transform);
    let input = store.data_mut().lend_table(input)?;
    let state = guest.call_fit(&mut *store, config, input).await??;
    bytes(store, state, "state")
}

async fn apply(store: &mut Store<State>, code: &Code, state: &[u8], input: &Table) -> Result<Value, Failure> {
    let guest = open!(store, code, transform);
    let fields = wire::fields_to_guest(input.schema());
    let fitted = guest.fitted().call_load(&mut *store, state, &fields).await??;
    let output = guest.fitted().call_output(&mut *store, fitted).await?;
    let mut rows = RowsThrough::new("apply", output)?;
    while let Some(batch) = rows.next(input)? {
        let applied = guest.fitted().call_apply(&mut *store, fitted, &batch).await??;
        rows.take(store, &batch, applied)?;
    }
    rows.finish()
}

async fn train(
    store: &mut Store<State>,
    code: &Code,
    config: &str,
    rows: Table,
    validation: Option<Table>,
) -> Result<Value, Failure> {
    let guest = open!(store, code, trainer);
    let state = store.data_mut();
    let train = state.lend_table(rows)?;
    let validation = validation.map(|table| state.lend_table(table)).transpose()?;
    let training = kinds::trainer::Training { train, validation };
    let model = guest.call_train(&mut *store, config, training).await??;
    bytes(store, model, "model")
}

async fn predict(store: &mut Store<State>, code: &Code, model: &[u8], input: &Table) -> Result<Value, Failure> {
    let guest = open!(store, code, predictor);
    let fields = wire::fields_to_guest(input.schema());
    let loaded = guest.model().call_load(&mut *store, model, &fields).await??;
    let output = guest.model().call_output(&mut *store, loaded).await?;
    let mut rows = RowsThrough::new("predict", output)?;
    while let Some(batch) = rows.next(input)? {
        let predicted = guest.model().call_predict(&mut *store, loaded, &batch).await??;
        rows.take(store, &batch, predicted)?;
    }
    rows.finish()
}

async fn validate(store: &mut Store<State>, code: &Code, config: &str, subject: Subject) -> Result<Value, Failure> {
    let guest = open!(store, code, validator);
    let state = store.data_mut();
    let subject = match subject {
        Subject::Table(table) => kinds::validator::Subject::Table(state.lend_table(table)?),
        Subject::Evaluation { truth, candidate, champion, features } => {
            kinds::validator::Subject::Evaluation(kinds::validator::Evaluation {
                truth: truth.map(|table| state.lend_table(table)).transpose()?,
                candidate: state.lend_table(candidate)?,
                champion: champion.map(|table| state.lend_table(table)).transpose()?,
                features: state.lend_table(features)?,
            })
        }
    };
    let report: ValidationReport = wire::validation_report(guest.call_validate(&mut *store, config, subject).await??);
    if report.passed && report.checks.iter().any(|check| !check.passed) {
        return Err(Failure::Broken("`validate` reports a pass with a check that failed".into()));
    }
    Ok(Value::Validation(report))
}

async fn deploy(
    store: &mut Store<State>,
    code: &Code,
    config: &str,
    release: Release,
    previous: Option<Deployment>,
) -> Result<Value, Failure> {
    let guest = open!(store, code, deployer);
    let (release, previous) = (deliver::release_to_guest(release), previous.map(deliver::deployment_to_guest));
    let deployment = guest.call_deploy(&mut *store, config, &release, previous.as_ref()).await??;
    let bytes = deliver::deployment_bytes(&deployment);
    store.data_mut().output.take(bytes, "deployment").map_err(Failure::Output)?;
    Ok(Value::Deployment(deliver::deployment_from_guest(deployment).map_err(Failure::Broken)?))
}

async fn status(store: &mut Store<State>, code: &Code, config: &str, deployment: Deployment) -> Result<Value, Failure> {
    let guest = open!(store, code, deployer);
    let deployment = deliver::deployment_to_guest(deployment);
    let status = guest.call_status(&mut *store, config, &deployment).await??;
    Ok(Value::Status(deliver::status_from_guest(status)))
}

async fn undeploy(
    store: &mut Store<State>,
    code: &Code,
    config: &str,
    deployment: Deployment,
) -> Result<Value, Failure> {
    let guest = open!(store, code, deployer);
    let deployment = deliver::deployment_to_guest(deployment);
    guest.call_undeploy(&mut *store, config, &deployment).await??;
    Ok(Value::Nothing)
}

async fn observe(
    store: &mut Store<State>,
    code: &Code,
    config: &str,
    window: Window,
    reference: Option<Table>,
) -> Result<Value, Failure> {
    let guest = open!(store, code, monitor);
    let state = store.data_mut();
    let Window { rows, start, end } = window;
    let window = kinds::monitor::Window { rows: state.lend_table(rows)?, start, end };
    let reference = reference.map(|table| state.lend_table(table)).transpose()?;
    let findings = guest.call_observe(&mut *store, config, window, reference).await??;
    let bytes = deliver::findings_bytes(&findings);
    store.data_mut().output.take(bytes, "findings").map_err(Failure::Output)?;
    Ok(Value::Findings(deliver::findings_from_guest(findings).map_err(Failure::Broken)?))
}

fn bytes(store: &mut Store<State>, bytes: Vec<u8>, what: &str) -> Result<Value, Failure> {
    store.data_mut().output.take(bytes.len() as u64, what).map_err(Failure::Output)?;
    Ok(Value::Bytes(bytes))
}

/// A table on its way through a guest, batch by batch: one row out for each row in.
struct RowsThrough {
    function: &'static str,
    builder: TableBuilder,
    offset: u64,
}

impl RowsThrough {
    fn new(function: &'static str, output: Vec<crate::bindings::imports::tables::Field>) -> Result<Self, Failure> {
        let schema = Schema::new(wire::fields_from_guest(output))
            .map_err(|error| Failure::Broken(format!("`output`: {}", neutralise(&error.to_string()))))?;
        Ok(Self { function, builder: TableBuilder::new(schema), offset: 0 })
    }

    fn next(&mut self, input: &Table) -> Result<Option<Batch>, Failure> {
        if self.offset == input.num_rows() {
            return Ok(None);
        }
        let columns: Vec<u32> = (0..input.schema().fields.len() as u32).collect();
        let batch =
            input.read(&columns, self.offset, BATCH_ROWS).map_err(|error| Failure::Broken(error.to_string()))?;
        self.offset += batch.num_rows;
        Ok(Some(wire::batch_to_guest(batch)))
    }

    fn take(&mut self, store: &mut Store<State>, given: &Batch, got: Batch) -> Result<(), Failure> {
        let function = self.function;
        let batch = wire::rows_from_guest(function, given, got).map_err(Failure::Broken)?;
        store.data_mut().output.take(batch.bytes(), function).map_err(Failure::Output)?;
        self.builder
            .push(batch)
            .map_err(|error| Failure::Broken(format!("`{function}`: {}", neutralise(&error.to_string()))))
    }

    fn finish(self) -> Result<Value, Failure> {
        let table = self.builder.finish().map_err(|error| Failure::Broken(neutralise(&error.to_string())))?;
        Ok(Value::Table(table))
    }
}
