//! Where the workspace is, and the cargo that runs it.

use anyhow::Context as _;
use cargo_metadata::{CargoOpt, Metadata, MetadataCommand};
use std::{ffi::OsString, path::PathBuf, process::Command};

/// The workspace that `cargo xtask` was started in.
pub(crate) struct Workspace {
    /// The folder of the root manifest.
    pub(crate) root: PathBuf,
    cargo: OsString,
}

impl Workspace {
    /// Takes what `cargo run` tells its program; a binary started by hand uses the folder it was built from.
    pub(crate) fn find(lookup: impl Fn(&str) -> Option<OsString>) -> anyhow::Result<Self> {
        let package = lookup("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let mut root = PathBuf::from(package);
        root.pop();
        anyhow::ensure!(root.join("Cargo.toml").is_file(), "there is no workspace in {}", root.display());
        Ok(Self { root, cargo: lookup("CARGO").unwrap_or_else(|| "cargo".into()) })
    }

    /// The cargo that runs us, in the root folder.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(&self.cargo);
        command.current_dir(&self.root);
        command
    }

    /// What cargo knows of all members with every feature on, and of every crate they may use on any platform.
    pub(crate) fn metadata(&self) -> anyhow::Result<Metadata> {
        MetadataCommand::new()
            .cargo_path(&self.cargo)
            .current_dir(&self.root)
            .features(CargoOpt::AllFeatures)
            .other_options(["--locked".to_owned()])
            .exec()
            .context("cargo metadata failed")
    }
}
