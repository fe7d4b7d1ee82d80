//! Systems on which we cannot say who may read a file: no token is ever written.

use std::{convert::Infallible, io, path::PathBuf};

use zeroize::Zeroizing;

use crate::AuthError;

#[derive(Debug)]
pub(super) struct Folder {
    nowhere: Infallible,
}

pub(super) struct Locked {
    nowhere: Infallible,
}

impl Folder {
    pub(super) fn make(_: PathBuf) -> Result<Self, AuthError> {
        Err(AuthError::unsupported("tokens are kept on disk on Unix only"))
    }

    pub(super) fn locked(&self) -> io::Result<Locked> {
        match self.nowhere {}
    }
}

impl Locked {
    pub(super) fn read(&self) -> io::Result<Zeroizing<Vec<u8>>> {
        match self.nowhere {}
    }

    pub(super) fn replace(&self, _: &[u8]) -> io::Result<()> {
        match self.nowhere {}
    }
}
