//! Reading files that the kernel has in memory, without handing the thread's work to another.
//!
//! A read that would wait for a disk is not made here: then whoever asks goes the ordinary way. On
//! systems other than Linux that is always so.

use std::{fs::File, path::Path};

/// Larger files are read the ordinary way: copying them takes a thread's time too.
pub const BYTES_MAX: u64 = 256 * 1024;

/// A file that was opened without waiting for a disk.
#[cfg(target_os = "linux")]
pub fn open(path: &Path) -> Option<File> {
    use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};

    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    openat2(CWD, path, flags, Mode::empty(), ResolveFlags::CACHED)
        .ok()
        .map(File::from)
}

/// The first bytes of a file, if all of them can be had without waiting for a disk.
#[cfg(target_os = "linux")]
pub fn read(file: &File, length: usize) -> Option<Vec<u8>> {
    use std::io::IoSliceMut;

    use rustix::io::{ReadWriteFlags, preadv2};

    let mut bytes = vec![0; length];
    let slices = &mut [IoSliceMut::new(&mut bytes)];
    let read = preadv2(file, slices, 0, ReadWriteFlags::NOWAIT).ok()?;
    (read == length).then_some(bytes)
}

#[cfg(not(target_os = "linux"))]
pub fn open(_: &Path) -> Option<File> {
    None
}

#[cfg(not(target_os = "linux"))]
pub fn read(_: &File, _: usize) -> Option<Vec<u8>> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_was_just_written_is_in_memory_and_what_is_not_there_is_not() {
        let path = std::env::temp_dir().join(uuid::Uuid::now_v7().to_string());
        fs::write(&path, b"some bytes").unwrap();
        let file = open(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert_eq!(read(&file, 10).as_deref(), Some(b"some bytes".as_slice()));
        assert_eq!(read(&file, 11), None);
        assert!(open(&path).is_none());
    }
}
