//! A folder as an object store that knows when each object was last used.
//!
//! The time of last access is set by ourselves: many file systems do not note it, or once a day.

use std::{
    fmt,
    fs::{File, FileTimes, Metadata},
    io,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use object_store::{
    CopyOptions, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
    local::LocalFileSystem, path::Path,
};

use super::in_memory;
use crate::clock::Clock;

/// A use is noted when the last one is older: a popular object costs one write a minute.
const NOTED_AFTER: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    files: LocalFileSystem,
    clock: Clock,
}

impl Folder {
    /// The objects in a folder that is there.
    pub fn open(root: &std::path::Path, clock: Clock) -> Result<Self> {
        Ok(Self {
            root: root.to_owned(),
            files: LocalFileSystem::new_with_prefix(root)?,
            clock,
        })
    }

    /// The whole object, if nothing has to wait for a disk: neither the read nor noting the use.
    pub fn at_hand(&self, location: &Path) -> Option<Bytes> {
        let file = in_memory::open(&self.root.join(location.as_ref()))?;
        let metadata = file.metadata().ok()?;
        let is_small = metadata.len() <= in_memory::BYTES_MAX;
        if !metadata.is_file() || !is_small || self.is_to_be_noted(&metadata).ok()? {
            return None;
        }
        in_memory::read(&file, metadata.len().try_into().ok()?).map(Bytes::from)
    }

    fn is_to_be_noted(&self, metadata: &Metadata) -> io::Result<bool> {
        let now = SystemTime::from(self.clock.now());
        let since = now.duration_since(metadata.accessed()?);
        Ok(since.is_ok_and(|since| since > NOTED_AFTER))
    }

    fn note_use(&self, file: &File) -> io::Result<()> {
        if self.is_to_be_noted(&file.metadata()?)? {
            let now = SystemTime::from(self.clock.now());
            file.set_times(FileTimes::new().set_accessed(now))?;
        }
        Ok(())
    }
}

impl fmt::Display for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.files.fmt(f)
    }
}

#[async_trait]
impl ObjectStore for Folder {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        opts: PutOptions,
    ) -> Result<PutResult> {
        self.files.put_opts(location, payload, opts).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.files.put_multipart_opts(location, opts).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let is_read = !options.head;
        let found = self.files.get_opts(location, options).await?;
        if let GetResultPayload::File(file, _) = &found.payload
            && is_read
        {
            // A folder that is only read from serves all the same.
            let _best_effort = self.note_use(file);
        }
        Ok(found)
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.files.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.files.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.files.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.files.copy_opts(from, to, options).await
    }
}
