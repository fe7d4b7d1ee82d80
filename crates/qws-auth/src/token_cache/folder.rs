//! The folder and its one file. All is done through the open folder, so that nobody can put another in its place.

use std::{
    fmt,
    fs::{DirBuilder, File},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::PathBuf,
};

use azure_core::Uuid;
use rustix::{
    fs::{AtFlags, FlockOperation, Mode, OFlags, flock, open, openat, renameat, unlinkat},
    process::geteuid,
};
use zeroize::Zeroizing;

use crate::AuthError;

const FILE: &str = "tokens.json";

/// The longest file that is read.
const LIMIT_BYTES: u64 = 4 << 20;

pub(super) struct Folder {
    path: PathBuf,
}

/// The open folder, which no other program of ours uses meanwhile.
pub(super) struct Locked {
    folder: File,
}

impl Folder {
    pub(super) fn make(path: PathBuf) -> Result<Self, AuthError> {
        let folder = Self { path };
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&folder.path);
        made.and_then(|()| folder.open()).map_err(|error| {
            AuthError::invalid(format!("the folder {} cannot hold tokens: {error}", folder.path.display()))
                .with_hint("name a folder of your own that nobody else may enter: `chmod 700 FOLDER`")
        })?;
        Ok(folder)
    }

    fn open(&self) -> io::Result<File> {
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY;
        let folder = File::from(open(&self.path, flags, Mode::empty())?);
        only_ours(&folder)?;
        Ok(folder)
    }

    pub(super) fn locked(&self) -> io::Result<Locked> {
        let folder = self.open()?;
        // Let go of when it is closed.
        flock(&folder, FlockOperation::LockExclusive)?;
        Ok(Locked { folder })
    }
}

impl Locked {
    /// What is in the file; nothing if there is none.
    pub(super) fn read(&self) -> io::Result<Zeroizing<Vec<u8>>> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match openat(&self.folder, FILE, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(rustix::io::Errno::NOENT) => return Ok(Zeroizing::default()),
            Err(error) => return Err(error.into()),
        };
        only_ours(&file)?;
        let about = file.metadata()?;
        if !about.is_file() || about.nlink() != 1 {
            return Err(io::Error::other(format!("{FILE} is not a plain file")));
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(about.len()).unwrap_or(0) + 1));
        file.take(LIMIT_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > LIMIT_BYTES {
            return Err(io::Error::other(format!("{FILE} is longer than {LIMIT_BYTES} bytes")));
        }
        Ok(bytes)
    }

    /// Puts another file in its place, whole.
    pub(super) fn replace(&self, bytes: &[u8]) -> io::Result<()> {
        let draft = format!(".{FILE}.{}", Uuid::new_v4());
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = File::from(openat(&self.folder, &*draft, flags, Mode::RUSR | Mode::WUSR)?);
        let written = file.write_all(bytes).and_then(|()| file.sync_all());
        let moved = written.and_then(|()| Ok(renameat(&self.folder, &*draft, &self.folder, FILE)?));
        if moved.is_err() {
            // What is wrong is told already.
            let _ = unlinkat(&self.folder, &*draft, AtFlags::empty());
        }
        moved
    }
}

/// Refuses what belongs to others, and what others may read or write.
fn only_ours(file: &File) -> io::Result<()> {
    let about = file.metadata()?;
    if about.uid() != geteuid().as_raw() {
        return Err(io::Error::other("it belongs to another user"));
    }
    if about.mode() & 0o077 != 0 {
        return Err(io::Error::other("others may use it"));
    }
    Ok(())
}

impl fmt::Debug for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.fmt(f)
    }
}
