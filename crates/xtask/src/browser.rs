//! Chromium for the tests: Debian's, with what it needs, unpacked into the target folder. Nothing is
//! installed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::debian;
use crate::step::{Done, top};

const PACKAGE: &str = "chromium-headless-shell";

/// Starts it with its own libraries.
const STARTER: &str = "#!/bin/sh
here=$(dirname \"$0\")/unpacked/usr/lib
LD_LIBRARY_PATH=$(echo \"$here\"/*-linux-gnu):$(echo \"$here\"/*-linux-gnu/pulseaudio) \\
    exec \"$here/chromium/chromium-headless-shell\" \"$@\"
";

/// Fetches it; where that cannot be, says so.
pub(crate) fn ready() {
    let folder = top().join("target/chromium");
    if !folder.join("chromium").exists()
        && let Err(error) = unpack(&folder)
    {
        eprintln!("── no browser is tried: {error} (Debian: {PACKAGE})");
    }
}

fn unpack(folder: &Path) -> Done {
    debian::unpack(folder, &[PACKAGE])?;
    let starter = folder.join("chromium");
    let failed = |error| format!("{}: {error}", starter.display());
    // Only what is complete bears the name that is looked for.
    let draft = folder.join("chromium.draft");
    fs::write(&draft, STARTER).map_err(failed)?;
    fs::set_permissions(&draft, fs::Permissions::from_mode(0o755)).map_err(failed)?;
    fs::rename(&draft, &starter).map_err(failed)
}
