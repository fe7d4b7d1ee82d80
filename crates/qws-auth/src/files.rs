//! Reads small files that hold secrets.

use std::{io, path::Path};

use tokio::{fs::OpenOptions, io::AsyncReadExt};
use zeroize::Zeroizing;

/// Whether the last part of a path may be a symbolic link.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Links {
    Follow,
    Refuse,
}

#[derive(Debug)]
pub(crate) enum FileError {
    Unreadable(io::Error),
    NotAFile,
    TooLong,
}

/// The whole of a regular file, which may have `limit_bytes`.
pub(crate) async fn read(
    path: &Path,
    limit_bytes: u64,
    links: Links,
) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let mut options = OpenOptions::new();
    options.read(true);
    restrict(&mut options, path, links).await?;
    let file = options.open(path).await.map_err(FileError::Unreadable)?;
    let about = file.metadata().await.map_err(FileError::Unreadable)?;
    if !about.is_file() {
        return Err(FileError::NotAFile);
    }
    if about.len() > limit_bytes {
        return Err(FileError::TooLong);
    }
    // Room for all of it, so that no outgrown buffer with a secret is left behind.
    let room = usize::try_from(about.len()).unwrap_or(0) + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    file.take(limit_bytes + 1).read_to_end(&mut bytes).await.map_err(FileError::Unreadable)?;
    if bytes.len() as u64 > limit_bytes { Err(FileError::TooLong) } else { Ok(bytes) }
}

/// Whether the file's group or all users may read it, as far as this system tells.
#[cfg(feature = "certificate")]
pub(crate) async fn others_may_read(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let about = tokio::fs::metadata(path).await;
        about.is_ok_and(|about| about.permissions().mode() & 0o044 != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}

/// A link is refused by the same call that opens the file, and a pipe is not waited for.
#[cfg(unix)]
#[allow(clippy::unused_async, reason = "elsewhere it asks the file system")]
async fn restrict(options: &mut OpenOptions, _: &Path, links: Links) -> Result<(), FileError> {
    use rustix::fs::OFlags;
    let mut flags = OFlags::NONBLOCK;
    if links == Links::Refuse {
        flags |= OFlags::NOFOLLOW;
    }
    options.custom_flags(flags.bits().cast_signed());
    Ok(())
}

#[cfg(not(unix))]
async fn restrict(_: &mut OpenOptions, path: &Path, links: Links) -> Result<(), FileError> {
    let about = tokio::fs::symlink_metadata(path).await.map_err(FileError::Unreadable)?;
    if links == Links::Refuse && about.is_symlink() { Err(FileError::NotAFile) } else { Ok(()) }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_a_regular_file_within_the_limit_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("file"), "12345").unwrap();
        std::os::unix::fs::symlink(path("file"), path("link")).unwrap();
        std::process::Command::new("mkfifo").arg(path("pipe")).status().unwrap();

        assert_eq!(**read(&path("file"), 5, Links::Refuse).await.unwrap(), *b"12345");
        assert_eq!(**read(&path("link"), 5, Links::Follow).await.unwrap(), *b"12345");
        assert!(matches!(read(&path("file"), 4, Links::Follow).await, Err(FileError::TooLong)));
        assert!(matches!(read(&path("link"), 5, Links::Refuse).await, Err(FileError::Unreadable(_))));
        assert!(matches!(read(&path("pipe"), 5, Links::Follow).await, Err(FileError::NotAFile)));
        assert!(matches!(read(folder.path(), 5, Links::Follow).await, Err(FileError::NotAFile)));
        assert!(matches!(read(&path("none"), 5, Links::Follow).await, Err(FileError::Unreadable(_))));
        // Without a length of its own, and longer than the limit.
        #[cfg(target_os = "linux")]
        assert!(matches!(
            read(Path::new("/proc/self/maps"), 5, Links::Follow).await,
            Err(FileError::TooLong)
        ));
    }
}
