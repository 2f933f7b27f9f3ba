//! Exit codes, and how a failure is told.
//!
//! 0 ok, 1 failure, 2 usage, 3 connect, 4 auth.

use std::io;
use std::process::ExitCode;

use client::ClientError;
use store::StoreError;

/// Why a command did not succeed.
pub(crate) struct Failure {
    code: u8,
    error: Option<anyhow::Error>,
}

pub(crate) type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// The command was called wrongly, or its configuration is wrong.
    pub(crate) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self { code: 2, error: Some(error.into()) }
    }

    /// Nobody answers there.
    pub(crate) fn connect(error: impl Into<anyhow::Error>) -> Self {
        Self { code: 3, error: Some(error.into()) }
    }

    /// A token that is no good.
    pub(crate) fn auth(error: impl Into<anyhow::Error>) -> Self {
        Self { code: 4, error: Some(error.into()) }
    }

    /// Something failed that was told already.
    pub(crate) const fn told() -> Self {
        Self { code: 1, error: None }
    }

    /// What would be told of it.
    pub(crate) fn told_as(&self) -> String {
        self.error.as_ref().map_or_else(String::new, |error| format!("{error:#}"))
    }

    #[expect(clippy::print_stderr, reason = "this is where a failure is told")]
    pub(crate) fn report(&self) -> ExitCode {
        if let Some(error) = &self.error {
            if is_broken_pipe(error) {
                return ExitCode::SUCCESS;
            }
            eprintln!("error: {error:#}");
        }
        ExitCode::from(self.code)
    }
}

/// Whoever read our output has had enough: that is no failure.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.chain().find_map(|cause| cause.downcast_ref::<io::Error>());
    io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self { code: 1, error: Some(error) }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        anyhow::Error::from(error).into()
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self { code: 1, error: Some(error.into()) }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let code = match &error {
            error if error.is_auth() => 4,
            error if error.is_connect() => 3,
            ClientError::Address { .. } | ClientError::Certificate { .. } => 2,
            _ => 1,
        };
        Self { code, error: Some(error.into()) }
    }
}
