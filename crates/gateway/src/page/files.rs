//! Files that are part of the program, for whoever serves files.

use std::future::{Ready, ready};
use std::io::{self, Cursor};
use std::path::{Component, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::SystemTime;

use tokio::io::{AsyncRead, AsyncSeek, ReadBuf};
use tower_http::services::fs::{Backend, File, Metadata};

/// A file of the page. One that is packed is a file of its own, named as the other and `.br` or `.gz`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asset {
    /// Where it is, without a slash at the beginning.
    pub path: &'static str,
    /// What is in it.
    pub bytes: &'static [u8],
}

/// The files of the page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Assets(pub(super) &'static [Asset]);

impl Assets {
    fn find(self, path: &std::path::Path) -> io::Result<Found> {
        let names = path.components().filter_map(|part| match part {
            Component::Normal(name) => name.to_str(),
            _ => None,
        });
        let path = names.collect::<Vec<_>>().join("/");
        let file = self.0.iter().find(|asset| asset.path == path);
        let is_dir =
            || path.is_empty() || self.0.iter().any(|asset| asset.path.starts_with(&format!("{path}/")));
        match file {
            Some(asset) => Ok(Found::File(asset.bytes)),
            None if is_dir() => Ok(Found::Folder),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

impl Backend for Assets {
    type File = Opened;
    type Metadata = Found;
    type OpenFuture = Ready<io::Result<Opened>>;
    type MetadataFuture = Ready<io::Result<Found>>;

    fn open(&self, path: PathBuf) -> Self::OpenFuture {
        ready(self.find(&path).and_then(|found| match found {
            Found::File(bytes) => Ok(Opened(Cursor::new(bytes))),
            Found::Folder => Err(io::ErrorKind::IsADirectory.into()),
        }))
    }

    fn metadata(&self, path: PathBuf) -> Self::MetadataFuture {
        ready(self.find(&path))
    }
}

/// What is at a path.
#[derive(Clone, Copy, Debug)]
pub(super) enum Found {
    File(&'static [u8]),
    Folder,
}

impl Metadata for Found {
    fn is_dir(&self) -> bool {
        matches!(self, Self::Folder)
    }

    fn modified(&self) -> io::Result<SystemTime> {
        // When it was built is nobody's business, and would make two builds differ.
        Err(io::ErrorKind::Unsupported.into())
    }

    fn len(&self) -> u64 {
        match self {
            Self::File(bytes) => bytes.len() as u64,
            Self::Folder => 0,
        }
    }
}

/// A file that is read.
#[derive(Debug)]
pub(super) struct Opened(Cursor<&'static [u8]>);

impl AsyncRead for Opened {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncSeek for Opened {
    fn start_seek(mut self: Pin<&mut Self>, position: io::SeekFrom) -> io::Result<()> {
        Pin::new(&mut self.0).start_seek(position)
    }

    fn poll_complete(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        Pin::new(&mut self.0).poll_complete(cx)
    }
}

impl File for Opened {
    type Metadata = Found;
    type MetadataFuture<'a> = Ready<io::Result<Found>>;

    fn metadata(&self) -> Self::MetadataFuture<'_> {
        ready(Ok(Found::File(self.0.get_ref())))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const ASSETS: Assets = Assets(&[
        Asset { path: "assets/app.js", bytes: b"go()" },
        Asset { path: "assets/app.js.br", bytes: b"..." },
        Asset { path: "index.html", bytes: b"<!doctype html>" },
    ]);

    #[test]
    fn files_and_folders_are_where_they_were() {
        let found = |path: &str| ASSETS.find(Path::new(path)).ok();
        for path in ["index.html", "./index.html", "./assets/app.js", "assets//app.js.br"] {
            assert!(matches!(found(path), Some(Found::File(_))), "{path}");
        }
        assert!(
            ["", ".", "./assets", "assets/"]
                .map(found)
                .iter()
                .all(|found| matches!(found, Some(Found::Folder)))
        );
        assert!(["asset", "app.js", "assets/app", "index.html/x"].map(found).iter().all(Option::is_none));
    }
}
