//! Where a file is that the configuration names.

use std::env;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use super::parse::ConfigError;

/// Where systemd tells a service that the credentials are which it was handed over (`LoadCredential=`).
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";
/// What stands for that in a path.
const AMONG_CREDENTIALS: &str = "$CREDENTIALS_DIRECTORY";

/// A file that lies relative to the configuration, or among the credentials: `$CREDENTIALS_DIRECTORY/secret.key`.
pub(super) fn of(source: &Path, file: &Path) -> Result<PathBuf, ConfigError> {
    place(source, file, env::var_os(CREDENTIALS))
}

fn place(source: &Path, file: &Path, credentials: Option<OsString>) -> Result<PathBuf, ConfigError> {
    let mut parts = file.components();
    if parts.next() != Some(Component::Normal(AMONG_CREDENTIALS.as_ref())) {
        return Ok(source.parent().unwrap_or(Path::new("")).join(file));
    }
    let folder = credentials.filter(|folder| !folder.is_empty()).ok_or_else(|| {
        let message = format!(
            "\"{}\": {AMONG_CREDENTIALS} is not set; systemd sets it for a service with LoadCredential=",
            file.display()
        );
        ConfigError::rule(source, message)
    })?;
    Ok(PathBuf::from(folder).join(parts.as_path()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_beside_the_configuration_or_among_the_credentials() {
        let at = |file: &str, credentials: Option<&str>| {
            let placed =
                place(Path::new("/etc/tickwire/tickwire.toml"), Path::new(file), credentials.map(Into::into));
            placed.map(|path| path.display().to_string()).map_err(|error| error.to_string())
        };
        let some = Some("/run/credentials/tickwire.service");
        assert_eq!(at("secret.key", some).unwrap(), "/etc/tickwire/secret.key");
        assert_eq!(at("/srv/secret.key", None).unwrap(), "/srv/secret.key");
        let among = at("$CREDENTIALS_DIRECTORY/secret.key", some).unwrap();
        assert_eq!(among, "/run/credentials/tickwire.service/secret.key");
        for none in [None, Some("")] {
            let error = at("$CREDENTIALS_DIRECTORY/secret.key", none).unwrap_err();
            assert!(
                error.contains("is not set; systemd sets it for a service with LoadCredential="),
                "{error}"
            );
        }
        // Any other dollar is a letter of a name.
        assert_eq!(at("$HOME/secret.key", some).unwrap(), "/etc/tickwire/$HOME/secret.key");
    }
}
