//! `blobs`: inputs and outputs that are not tables.

use std::sync::Arc;

use wasmlops_core::call::BlobOutput;
use wasmtime::component::Resource;

use super::{exhausted, invalid_input};
use crate::bindings::imports::blobs::{Host, HostBlob, HostBlobWriter};
use crate::bindings::imports::types::Error;
use crate::state::State;
use crate::text::neutralise_within;

/// The most bytes of one read, so that a batch of them stays cheap to move.
const MAX_READ: usize = 2 << 20;

/// An input blob that the guest holds.
pub struct BlobHandle(Arc<[u8]>);

/// The index of a [`BlobSlot`].
pub struct BlobWriterHandle(usize);

/// An output blob as it grows.
pub(crate) struct BlobSlot {
    name: String,
    media_type: String,
    bytes: Vec<u8>,
}

impl From<BlobSlot> for BlobOutput {
    fn from(BlobSlot { name, media_type, bytes }: BlobSlot) -> Self {
        Self { name, media_type, bytes }
    }
}

impl Host for State {
    fn open(&mut self, name: String) -> wasmtime::Result<Result<Resource<BlobHandle>, Error>> {
        self.watch.host_call(name.len())?;
        let Some(bytes) = self.blob_inputs.get(&name) else {
            let name = neutralise_within(&name, 100);
            return Ok(Err(invalid_input(format!("the step has no input blob `{name}`"))));
        };
        Ok(Ok(self.handles.push(BlobHandle(bytes.clone()))?))
    }

    fn create(
        &mut self,
        name: String,
        media_type: String,
    ) -> wasmtime::Result<Result<Resource<BlobWriterHandle>, Error>> {
        self.watch.host_call(name.len() + media_type.len())?;
        if let Err(refusal) = self.may_create(&name, &media_type) {
            return Ok(Err(invalid_input(refusal)));
        }
        let handle = self.handles.push(BlobWriterHandle(self.blobs.len()))?;
        self.blobs.push(BlobSlot { name, media_type, bytes: Vec::new() });
        Ok(Ok(handle))
    }
}

impl State {
    fn may_create(&self, name: &str, media_type: &str) -> Result<(), String> {
        let shown = neutralise_within(name, 100);
        if !self.blob_outputs.iter().any(|declared| declared == name) {
            return Err(format!("`{shown}` is not a declared output of this step"));
        }
        if self.blobs.iter().any(|blob| blob.name == name) {
            return Err(format!("the output `{shown}` was created before"));
        }
        if !is_media_type(media_type) {
            let shown = neutralise_within(media_type, 100);
            return Err(format!("`{shown}` is not a media type: expected a form such as `image/png`"));
        }
        Ok(())
    }
}

impl HostBlob for State {
    fn size(&mut self, blob: Resource<BlobHandle>) -> wasmtime::Result<u64> {
        self.watch.host_call(0)?;
        Ok(self.handles.get(&blob)?.0.len() as u64)
    }

    fn read(
        &mut self,
        blob: Resource<BlobHandle>,
        offset: u64,
        length: u64,
    ) -> wasmtime::Result<Result<Vec<u8>, Error>> {
        self.watch.host_call(0)?;
        let bytes = &self.handles.get(&blob)?.0;
        let start = usize::try_from(offset).map_or(bytes.len(), |offset| offset.min(bytes.len()));
        let length = usize::try_from(length).map_or(MAX_READ, |length| length.min(MAX_READ));
        let part = bytes[start..].iter().take(length).copied().collect::<Vec<_>>();
        self.watch.note_bytes(part.len());
        Ok(Ok(part))
    }

    fn drop(&mut self, blob: Resource<BlobHandle>) -> wasmtime::Result<()> {
        self.handles.delete(blob)?;
        Ok(())
    }
}

impl HostBlobWriter for State {
    fn write(&mut self, writer: Resource<BlobWriterHandle>, bytes: Vec<u8>) -> wasmtime::Result<Result<(), Error>> {
        self.watch.host_call(bytes.len())?;
        let blob = &mut self.blobs[self.handles.get(&writer)?.0];
        if let Err(refusal) = self.output.take(bytes.len() as u64, &blob.name) {
            return Ok(Err(exhausted(refusal)));
        }
        blob.bytes.extend_from_slice(&bytes);
        Ok(Ok(()))
    }

    fn drop(&mut self, writer: Resource<BlobWriterHandle>) -> wasmtime::Result<()> {
        self.handles.delete(writer)?;
        Ok(())
    }
}

/// `type/subtype` of RFC 9110, section 8.3.1, without parameters.
fn is_media_type(text: &str) -> bool {
    let token = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
    };
    text.len() <= 127 && text.split_once('/').is_some_and(|(kind, subtype)| token(kind) && token(subtype))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types() {
        for text in ["image/png", "application/vnd.apache.arrow.file", "text/x+y"] {
            assert!(is_media_type(text), "{text}");
        }
        for text in ["", "png", "/png", "image/", "text/html; charset=utf-8", "a/b/c", "te xt/a", "a/\u{e9}"] {
            assert!(!is_media_type(text), "{text}");
        }
    }
}
