//! A folder as an object store that knows when each object was last used.
//!
//! The time of last access is set by ourselves: many file systems do not note it, or once a day.

use std::{
    fmt,
    fs::{File, FileTimes, Metadata},
    future::ready,
    io,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use object_store::{
    Attributes, CopyOptions, Extensions, GetOptions, GetResult, GetResultPayload, ListResult,
    MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, Result, local::LocalFileSystem, path::Path,
};

use super::in_memory;
use crate::clock::Clock;

/// A use is noted when the last one is older: a popular object costs one write a minute.
const NOTED_AFTER: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub struct Folder {
    files: LocalFileSystem,
    clock: Clock,
}

impl Folder {
    pub fn new(files: LocalFileSystem, clock: Clock) -> Self {
        Self { files, clock }
    }

    /// The whole object, if nothing has to wait for a disk: neither the read nor noting the use.
    fn get_from_memory(&self, location: &Path) -> Option<GetResult> {
        let file = in_memory::open(&self.files.path_to_filesystem(location).ok()?)?;
        let metadata = file.metadata().ok()?;
        let size = metadata.len();
        if !metadata.is_file()
            || size > in_memory::BYTES_MAX
            || self.is_to_be_noted(&metadata).ok()?
        {
            return None;
        }
        let bytes = Bytes::from(in_memory::read(&file, size.try_into().ok()?)?);
        Some(GetResult {
            payload: GetResultPayload::Stream(stream::once(ready(Ok(bytes))).boxed()),
            meta: ObjectMeta {
                location: location.clone(),
                last_modified: metadata.modified().ok()?.into(),
                size,
                e_tag: None,
                version: None,
            },
            range: 0..size,
            attributes: Attributes::default(),
            extensions: Extensions::default(),
        })
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

/// Whether no condition, range or version is named.
fn asks_for_all(options: &GetOptions) -> bool {
    let GetOptions {
        if_match: None,
        if_none_match: None,
        if_modified_since: None,
        if_unmodified_since: None,
        range: None,
        version: None,
        head: false,
        ..
    } = options
    else {
        return false;
    };
    true
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
        if asks_for_all(&options)
            && let Some(found) = self.get_from_memory(location)
        {
            return Ok(found);
        }
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
