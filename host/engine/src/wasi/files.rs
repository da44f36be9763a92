//! `wasi:filesystem`: the granted files, read-only and the same everywhere.
//!
//! Everything that would change a file is refused here and never reaches wasmtime-wasi, whose own read-only check has
//! been bypassed before; the folder is a private copy besides. What differs between machines or copies is hidden:
//! times, link counts, sizes of folders, inode numbers, and the order of a folder's entries.

use std::collections::HashMap;

use wasmtime::component::{HasData, Resource};
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemCtxView};
use wasmtime_wasi::p2::bindings::clocks::wall_clock::Datetime;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    Advice, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, ErrorCode, Filesize, Host, HostDescriptor,
    HostDirectoryEntryStream, MetadataHashValue, NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, FsError, FsResult, ReaddirIterator};

use crate::text::neutralise_within;

/// What is remembered of a guest's dealings with files.
#[derive(Default)]
pub(crate) struct FileRules {
    /// The first thing that was refused: it explains a trap that follows.
    denied: Option<String>,
    /// Numbers for identities of files, in the order in which the guest meets them.
    identities: HashMap<(u64, u64), u64>,
}

impl FileRules {
    pub fn denied(&self) -> Option<&str> {
        self.denied.as_deref()
    }

    fn refuse<T>(&mut self, what: impl FnOnce() -> String) -> FsResult<T> {
        self.denied.get_or_insert_with(what);
        Err(ErrorCode::ReadOnly.into())
    }

    /// Notes a path that the sandbox refused.
    fn note<T>(&mut self, path: &str, result: FsResult<T>) -> FsResult<T> {
        if let Err(error) = &result
            && let Some(ErrorCode::NotPermitted | ErrorCode::Access) = error.downcast_ref()
        {
            self.denied.get_or_insert_with(|| format!("the file `{}`", shown(path)));
        }
        result
    }

    fn identity(&mut self, hash: MetadataHashValue) -> MetadataHashValue {
        let next = self.identities.len() as u64 + 1;
        let lower = *self.identities.entry((hash.lower, hash.upper)).or_insert(next);
        MetadataHashValue { lower, upper: 0 }
    }
}

fn shown(path: &str) -> String {
    neutralise_within(path, 200)
}

/// The same for every copy of the files.
fn same_everywhere(stat: DescriptorStat) -> DescriptorStat {
    let epoch = Some(Datetime { seconds: 0, nanoseconds: 0 });
    DescriptorStat {
        type_: stat.type_,
        link_count: 1,
        size: if stat.type_ == DescriptorType::RegularFile { stat.size } else { 0 },
        data_access_timestamp: epoch,
        data_modification_timestamp: epoch,
        status_change_timestamp: epoch,
    }
}

/// Stands for [`GrantedFiles`] where wasmtime asks for a type.
pub(super) struct Files;

impl HasData for Files {
    type Data<'a> = GrantedFiles<'a>;
}

pub(super) struct GrantedFiles<'a> {
    pub inner: WasiFilesystemCtxView<'a>,
    pub rules: &'a mut FileRules,
}

/// A folder's entries, last one first. It takes the place of the unsorted list under the same handle.
struct SortedEntries(Vec<DirectoryEntry>);

impl Host for GrantedFiles<'_> {
    fn convert_error_code(&mut self, error: FsError) -> wasmtime::Result<ErrorCode> {
        self.inner.convert_error_code(error)
    }

    fn filesystem_error_code(&mut self, error: Resource<wasmtime::Error>) -> wasmtime::Result<Option<ErrorCode>> {
        self.inner.filesystem_error_code(error)
    }
}

/// Reading.
impl HostDescriptor for GrantedFiles<'_> {
    async fn open_at(
        &mut self,
        folder: Resource<Descriptor>,
        path_flags: PathFlags,
        path: String,
        open: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Resource<Descriptor>> {
        let changes = open.intersects(OpenFlags::CREATE | OpenFlags::EXCLUSIVE | OpenFlags::TRUNCATE)
            || flags.intersects(DescriptorFlags::WRITE | DescriptorFlags::MUTATE_DIRECTORY);
        if changes {
            return self.rules.refuse(|| format!("writing the file `{}`: files are granted read-only", shown(&path)));
        }
        let opened = self.inner.open_at(folder, path_flags, path.clone(), open, flags).await;
        self.rules.note(&path, opened)
    }

    fn read_via_stream(&mut self, file: Resource<Descriptor>, offset: Filesize) -> FsResult<Resource<DynInputStream>> {
        self.inner.read_via_stream(file, offset)
    }

    async fn read(
        &mut self,
        file: Resource<Descriptor>,
        length: Filesize,
        offset: Filesize,
    ) -> FsResult<(Vec<u8>, bool)> {
        HostDescriptor::read(&mut self.inner, file, length, offset).await
    }

    async fn advise(
        &mut self,
        file: Resource<Descriptor>,
        offset: Filesize,
        length: Filesize,
        advice: Advice,
    ) -> FsResult<()> {
        self.inner.advise(file, offset, length, advice).await
    }

    async fn get_flags(&mut self, file: Resource<Descriptor>) -> FsResult<DescriptorFlags> {
        self.inner.get_flags(file).await
    }

    async fn get_type(&mut self, file: Resource<Descriptor>) -> FsResult<DescriptorType> {
        self.inner.get_type(file).await
    }

    async fn stat(&mut self, file: Resource<Descriptor>) -> FsResult<DescriptorStat> {
        Ok(same_everywhere(self.inner.stat(file).await?))
    }

    async fn stat_at(
        &mut self,
        folder: Resource<Descriptor>,
        path_flags: PathFlags,
        path: String,
    ) -> FsResult<DescriptorStat> {
        let stat = self.inner.stat_at(folder, path_flags, path.clone()).await;
        Ok(same_everywhere(self.rules.note(&path, stat)?))
    }

    async fn read_directory(&mut self, folder: Resource<Descriptor>) -> FsResult<Resource<ReaddirIterator>> {
        let unsorted = self.inner.read_directory(folder).await?;
        let mut entries = self.inner.table.delete(unsorted)?.into_iter().collect::<FsResult<Vec<_>>>()?;
        entries.sort_unstable_by(|a, b| b.name.cmp(&a.name));
        let sorted = self.inner.table.push(SortedEntries(entries))?;
        Ok(Resource::new_own(sorted.rep()))
    }

    async fn readlink_at(&mut self, folder: Resource<Descriptor>, path: String) -> FsResult<String> {
        let target = self.inner.readlink_at(folder, path.clone()).await;
        self.rules.note(&path, target)
    }

    async fn is_same_object(&mut self, a: Resource<Descriptor>, b: Resource<Descriptor>) -> wasmtime::Result<bool> {
        self.inner.is_same_object(a, b).await
    }

    async fn metadata_hash(&mut self, file: Resource<Descriptor>) -> FsResult<MetadataHashValue> {
        let hash = self.inner.metadata_hash(file).await?;
        Ok(self.rules.identity(hash))
    }

    async fn metadata_hash_at(
        &mut self,
        folder: Resource<Descriptor>,
        path_flags: PathFlags,
        path: String,
    ) -> FsResult<MetadataHashValue> {
        let hash = self.inner.metadata_hash_at(folder, path_flags, path.clone()).await;
        let hash = self.rules.note(&path, hash)?;
        Ok(self.rules.identity(hash))
    }

    fn drop(&mut self, file: Resource<Descriptor>) -> wasmtime::Result<()> {
        HostDescriptor::drop(&mut self.inner, file)
    }

    // Writing: refused, all of it.

    fn write_via_stream(&mut self, _: Resource<Descriptor>, _: Filesize) -> FsResult<Resource<DynOutputStream>> {
        self.rules.refuse(|| "writing a file: files are granted read-only".into())
    }

    fn append_via_stream(&mut self, _: Resource<Descriptor>) -> FsResult<Resource<DynOutputStream>> {
        self.rules.refuse(|| "appending to a file: files are granted read-only".into())
    }

    async fn write(&mut self, _: Resource<Descriptor>, _: Vec<u8>, _: Filesize) -> FsResult<Filesize> {
        self.rules.refuse(|| "writing a file: files are granted read-only".into())
    }

    async fn sync_data(&mut self, _: Resource<Descriptor>) -> FsResult<()> {
        Ok(())
    }

    async fn sync(&mut self, _: Resource<Descriptor>) -> FsResult<()> {
        Ok(())
    }

    async fn set_size(&mut self, _: Resource<Descriptor>, _: Filesize) -> FsResult<()> {
        self.rules.refuse(|| "changing the size of a file: files are granted read-only".into())
    }

    async fn set_times(&mut self, _: Resource<Descriptor>, _: NewTimestamp, _: NewTimestamp) -> FsResult<()> {
        self.rules.refuse(|| "changing the times of a file: files are granted read-only".into())
    }

    async fn set_times_at(
        &mut self,
        _: Resource<Descriptor>,
        _: PathFlags,
        path: String,
        _: NewTimestamp,
        _: NewTimestamp,
    ) -> FsResult<()> {
        self.rules.refuse(|| format!("changing the times of `{}`: files are granted read-only", shown(&path)))
    }

    async fn create_directory_at(&mut self, _: Resource<Descriptor>, path: String) -> FsResult<()> {
        self.rules.refuse(|| format!("creating the folder `{}`: files are granted read-only", shown(&path)))
    }

    async fn link_at(
        &mut self,
        _: Resource<Descriptor>,
        _: PathFlags,
        _: String,
        _: Resource<Descriptor>,
        path: String,
    ) -> FsResult<()> {
        self.rules.refuse(|| format!("creating the link `{}`: files are granted read-only", shown(&path)))
    }

    async fn symlink_at(&mut self, _: Resource<Descriptor>, _: String, path: String) -> FsResult<()> {
        self.rules.refuse(|| format!("creating the link `{}`: files are granted read-only", shown(&path)))
    }

    async fn rename_at(
        &mut self,
        _: Resource<Descriptor>,
        path: String,
        _: Resource<Descriptor>,
        _: String,
    ) -> FsResult<()> {
        self.rules.refuse(|| format!("renaming `{}`: files are granted read-only", shown(&path)))
    }

    async fn remove_directory_at(&mut self, _: Resource<Descriptor>, path: String) -> FsResult<()> {
        self.rules.refuse(|| format!("removing `{}`: files are granted read-only", shown(&path)))
    }

    async fn unlink_file_at(&mut self, _: Resource<Descriptor>, path: String) -> FsResult<()> {
        self.rules.refuse(|| format!("removing `{}`: files are granted read-only", shown(&path)))
    }
}

impl HostDirectoryEntryStream for GrantedFiles<'_> {
    async fn read_directory_entry(&mut self, entries: Resource<ReaddirIterator>) -> FsResult<Option<DirectoryEntry>> {
        Ok(self.inner.table.get_mut(&sorted(&entries))?.0.pop())
    }

    fn drop(&mut self, entries: Resource<ReaddirIterator>) -> wasmtime::Result<()> {
        self.inner.table.delete(Resource::<SortedEntries>::new_own(entries.rep()))?;
        Ok(())
    }
}

fn sorted(entries: &Resource<ReaddirIterator>) -> Resource<SortedEntries> {
    Resource::new_borrow(entries.rep())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Instant;

    use wasmlops_core::call::{Cancel, LogLine, MetricPoint, Observer, Progress, Sandbox};
    use wasmlops_core::limits::Limits;

    use super::*;
    use crate::home::Home;
    use crate::state::State;
    use crate::watch::Watch;

    struct Nobody;

    impl Observer for Nobody {
        fn log(&self, _: LogLine) {}
        fn metrics(&self, _: Vec<MetricPoint>) {}
        fn progress(&self, _: Progress) {}
        fn checkpoint(&self, _: Vec<u8>) {}
    }

    /// A call's state with these files granted, and the folder's handle.
    fn granted(names: &[&str]) -> (tempfile::TempDir, State, u32) {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            std::fs::write(folder.path().join(name), name).unwrap();
        }
        let sandbox = Sandbox { files: Some(folder.path().into()), ..Sandbox::default() };
        let limits = Limits::default();
        let watch = Watch::new(&limits, Instant::now(), Cancel::default(), Cancel::default());
        let mut state = State::new(&limits, sandbox, Arc::new(Nobody), Arc::new(watch), Home::default()).unwrap();
        use wasmtime_wasi::p2::bindings::filesystem::preopens::Host as _;
        let (root, _) = state.file_system().get_directories().unwrap().remove(0);
        let root = root.rep();
        (folder, state, root)
    }

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    #[test]
    fn folders_list_their_entries_by_name() {
        let (_folder, mut state, root) = granted(&["c", "a", "d", "b"]);
        let names: Vec<String> = block_on(async {
            let mut files = state.granted_files();
            let entries = files.read_directory(Resource::new_borrow(root)).await.unwrap().rep();
            let mut names = Vec::new();
            while let Some(entry) = files.read_directory_entry(Resource::new_borrow(entries)).await.unwrap() {
                names.push(entry.name);
            }
            HostDirectoryEntryStream::drop(&mut files, Resource::new_own(entries)).unwrap();
            names
        });
        assert_eq!(names, ["a", "b", "c", "d"]);
    }

    #[test]
    fn copies_look_the_same() {
        let look = || {
            let (_folder, mut state, root) = granted(&["a", "b"]);
            block_on(async {
                let mut files = state.granted_files();
                let mut seen = Vec::new();
                for path in ["b", "a", "."] {
                    let at = || Resource::new_borrow(root);
                    let stat = files.stat_at(at(), PathFlags::empty(), path.into()).await.unwrap();
                    let hash = files.metadata_hash_at(at(), PathFlags::empty(), path.into()).await.unwrap();
                    seen.push(format!("{stat:?} {} {}", hash.lower, hash.upper));
                }
                seen
            })
        };
        let first = look();
        std::thread::sleep(std::time::Duration::from_millis(20));
        assert_eq!(first, look());
    }

    #[test]
    fn nothing_can_be_changed() {
        let (folder, mut state, root) = granted(&["a"]);
        block_on(async {
            let mut files = state.granted_files();
            let at = || Resource::new_borrow(root);
            let refused = |result: FsResult<()>| {
                assert!(matches!(result.unwrap_err().downcast(), Ok(ErrorCode::ReadOnly)));
            };
            refused(files.unlink_file_at(at(), "a".into()).await);
            refused(files.rename_at(at(), "a".into(), at(), "b".into()).await);
            refused(files.create_directory_at(at(), "b".into()).await);
            refused(files.symlink_at(at(), "a".into(), "b".into()).await);
            refused(files.link_at(at(), PathFlags::empty(), "a".into(), at(), "b".into()).await);
            for (open, flags) in [
                (OpenFlags::CREATE, DescriptorFlags::READ),
                (OpenFlags::TRUNCATE, DescriptorFlags::READ),
                (OpenFlags::empty(), DescriptorFlags::READ | DescriptorFlags::WRITE),
                (OpenFlags::DIRECTORY, DescriptorFlags::MUTATE_DIRECTORY),
            ] {
                refused(files.open_at(at(), PathFlags::empty(), "a".into(), open, flags).await.map(|_| ()));
            }
        });
        assert_eq!(state.files.denied().unwrap(), "removing `a`: files are granted read-only");
        assert_eq!(std::fs::read(folder.path().join("a")).unwrap(), b"a");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
