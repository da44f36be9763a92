//! `tables`: tables to read, and tables to write.

use wasmlops_core::table::{Schema, Table, TableBuilder};
use wasmtime::component::Resource;

use super::{exhausted, invalid_input};
use crate::bindings::imports::tables::{Batch, Element, Field, Host, HostTable, HostTableWriter};
use crate::bindings::imports::types::Error;
use crate::call::wire;
use crate::state::State;
use crate::text::neutralise;

/// Columns of one read. Far beyond any table, and what keeps a list of repeated indexes from growing into gigabytes.
const MAX_COLUMNS: usize = 1 << 16;

/// A table that the guest reads.
pub struct TableHandle(pub Table);

/// The index of a [`WriterSlot`].
pub struct WriterHandle(usize);

/// An output table as it grows.
pub(crate) struct WriterSlot {
    name: String,
    builder: Option<TableBuilder>,
    /// The first buffers that did not fit. A guest that goes on all the same has broken the contract.
    refused: Option<String>,
}

impl Host for State {}

impl State {
    /// Gives the guest a table to read.
    pub fn lend_table(&mut self, table: Table) -> wasmtime::Result<Resource<TableHandle>> {
        Ok(self.handles.push(TableHandle(table))?)
    }

    /// Gives the guest a table to write.
    pub fn lend_writer(&mut self, name: &str) -> wasmtime::Result<Resource<WriterHandle>> {
        let handle = self.handles.push(WriterHandle(self.writers.len()))?;
        self.writers.push(WriterSlot { name: name.to_owned(), builder: None, refused: None });
        Ok(handle)
    }

    /// The tables that were started, by name, once the guest has returned.
    ///
    /// Errors: what the guest got wrong.
    pub fn written_tables(&mut self) -> Result<Vec<(String, Table)>, String> {
        let mut tables = Vec::new();
        for WriterSlot { name, builder, refused } in self.writers.drain(..) {
            if let Some(refusal) = refused {
                return Err(format!("succeeded although rows of `{name}` were refused: {refusal}"));
            }
            if let Some(builder) = builder {
                let table =
                    builder.finish().map_err(|error| format!("table `{name}`: {}", neutralise(&error.to_string())))?;
                tables.push((name, table));
            }
        }
        Ok(tables)
    }
}

impl HostTable for State {
    fn schema(&mut self, table: Resource<TableHandle>) -> wasmtime::Result<Vec<Field>> {
        self.watch.host_call(0)?;
        let fields = wire::fields_to_guest(self.handles.get(&table)?.0.schema());
        self.watch.note_bytes(fields.iter().map(|field| field.name.len() + 2).sum());
        Ok(fields)
    }

    fn num_rows(&mut self, table: Resource<TableHandle>) -> wasmtime::Result<u64> {
        self.watch.host_call(0)?;
        Ok(self.handles.get(&table)?.0.num_rows())
    }

    fn read(
        &mut self,
        table: Resource<TableHandle>,
        columns: Vec<u32>,
        offset: u64,
        limit: u64,
    ) -> wasmtime::Result<Result<Batch, Error>> {
        self.watch.host_call(columns.len() * 4)?;
        if columns.len() > MAX_COLUMNS {
            return Ok(Err(invalid_input(format!("more than {MAX_COLUMNS} columns in one read"))));
        }
        match self.handles.get(&table)?.0.read(&columns, offset, limit) {
            Ok(batch) => {
                self.watch.note_bytes(batch.bytes() as usize);
                Ok(Ok(wire::batch_to_guest(batch)))
            }
            Err(error) => Ok(Err(invalid_input(error.to_string()))),
        }
    }

    fn matrix(
        &mut self,
        table: Resource<TableHandle>,
        columns: Vec<u32>,
        offset: u64,
        limit: u64,
        element: Element,
    ) -> wasmtime::Result<Result<Vec<u8>, Error>> {
        self.watch.host_call(columns.len() * 4)?;
        if columns.len() > MAX_COLUMNS {
            return Ok(Err(invalid_input(format!("more than {MAX_COLUMNS} columns in one read"))));
        }
        match self.handles.get(&table)?.0.matrix(&columns, offset, limit, wire::element_from_guest(element)) {
            Ok(matrix) => {
                self.watch.note_bytes(matrix.len());
                Ok(Ok(matrix))
            }
            Err(error) => Ok(Err(invalid_input(error.to_string()))),
        }
    }

    fn drop(&mut self, table: Resource<TableHandle>) -> wasmtime::Result<()> {
        self.handles.delete(table)?;
        Ok(())
    }
}

impl HostTableWriter for State {
    fn start(&mut self, writer: Resource<WriterHandle>, schema: Vec<Field>) -> wasmtime::Result<Result<(), Error>> {
        self.watch.host_call(schema.iter().map(|field| field.name.len() + 2).sum())?;
        let slot = &mut self.writers[self.handles.get(&writer)?.0];
        if slot.builder.is_some() {
            return Ok(Err(invalid_input(format!("the table `{}` was started before", slot.name))));
        }
        Ok(match Schema::new(wire::fields_from_guest(schema)) {
            Ok(schema) => {
                slot.builder = Some(TableBuilder::new(schema));
                Ok(())
            }
            Err(error) => Err(invalid_input(neutralise(&error.to_string()))),
        })
    }

    fn write(&mut self, writer: Resource<WriterHandle>, batch: Batch) -> wasmtime::Result<Result<(), Error>> {
        let batch = wire::batch_from_guest(batch);
        let bytes = batch.bytes();
        self.watch.host_call(bytes as usize)?;
        let slot = &mut self.writers[self.handles.get(&writer)?.0];
        let Some(builder) = &mut slot.builder else {
            return Ok(Err(invalid_input(format!("the table `{}` was not started", slot.name))));
        };
        if let Err(refusal) = self.output.take(bytes, &slot.name) {
            return Ok(Err(exhausted(refusal)));
        }
        Ok(builder.push(batch).map_err(|error| {
            let refusal = neutralise(&error.to_string());
            slot.refused.get_or_insert_with(|| refusal.clone());
            invalid_input(refusal)
        }))
    }

    fn drop(&mut self, writer: Resource<WriterHandle>) -> wasmtime::Result<()> {
        self.handles.delete(writer)?;
        Ok(())
    }
}
