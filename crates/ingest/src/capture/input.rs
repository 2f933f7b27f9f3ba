//! Files as plain bytes, whatever they are compressed with.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;
use zip::ZipArchive;

/// The bytes of a file or of standard input, decompressed. What it is compressed with is told by
/// its first bytes, not by its name.
pub struct Input {
    reader: Source,
    progress: Progress,
    path: Option<PathBuf>,
    member: Option<String>,
}

enum Source {
    Stream(Box<dyn BufRead + Send>),
    Archive(VecDeque<Member>),
}

/// A file of an archive.
struct Member {
    name: String,
    bytes: Cursor<Vec<u8>>,
    /// A line break at its end is not lacking.
    is_closed: bool,
}

/// How far an [`Input`] was read; may be asked from another thread.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    read: Arc<AtomicU64>,
    total: Option<u64>,
}

/// Why a file could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The archive is damaged or uses something unknown.
    #[error("not a readable zip archive: {0}")]
    Zip(#[from] zip::result::ZipError),
    /// A member of a zip archive is larger than [`ZIP_MEMBER_BYTES_MAX`].
    #[error("zip member {name:?} is larger than {ZIP_MEMBER_BYTES_MAX} bytes")]
    ZipTooLarge {
        /// The member's name.
        name: String,
    },
}

/// Members of zip archives are unpacked in memory, up to this size.
pub const ZIP_MEMBER_BYTES_MAX: u64 = 1 << 30;

const BUFFER_BYTES: usize = 1 << 18;
const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const ZIP: [u8; 4] = *b"PK\x03\x04";

impl Input {
    /// The bytes of a file; `-` is standard input.
    ///
    /// # Errors
    /// The file cannot be opened, or is an archive that cannot be read. What is wrong further into
    /// a compressed stream shows while reading.
    pub fn open(path: &Path) -> Result<Self, InputError> {
        if path.as_os_str() == "-" {
            return Self::new(Box::new(io::stdin()), None);
        }
        let file = File::open(path)?;
        let meta = file.metadata()?;
        if meta.is_dir() {
            return Err(InputError::Io(io::Error::from(io::ErrorKind::IsADirectory)));
        }
        let input = Self::new(Box::new(file), meta.is_file().then_some(meta.len()))?;
        Ok(Self { path: Some(path.to_owned()), ..input })
    }

    /// The bytes of any source of which `total` bytes are expected.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn new(source: Box<dyn Read + Send>, total: Option<u64>) -> Result<Self, InputError> {
        let progress = Progress { read: Arc::default(), total };
        let counted = Counted { source, read: Arc::clone(&progress.read) };
        let mut reader = BufReader::with_capacity(BUFFER_BYTES, counted);
        let head = reader.fill_buf()?;
        let reader = if head.starts_with(&GZIP) {
            Source::Stream(Box::new(BufReader::with_capacity(BUFFER_BYTES, MultiGzDecoder::new(reader))))
        } else if head.starts_with(&ZSTD) {
            let decoder = zstd::stream::read::Decoder::with_buffer(reader)?;
            Source::Stream(Box::new(BufReader::with_capacity(BUFFER_BYTES, decoder)))
        } else if head.starts_with(&ZIP) {
            Source::Archive(unzip(reader)?)
        } else {
            Source::Stream(Box::new(reader))
        };
        Ok(Self { reader, progress, path: None, member: None })
    }

    /// The files of an archive, each by itself; of anything else the one that it is.
    #[must_use]
    pub fn members(self) -> Vec<Self> {
        match self.reader {
            Source::Stream(_) => vec![self],
            Source::Archive(members) => {
                let input = |member: Member| Self {
                    reader: Source::Stream(Box::new(member.bytes)),
                    progress: self.progress.clone(),
                    path: self.path.clone(),
                    member: Some(member.name),
                };
                members.into_iter().map(input).collect()
            }
        }
    }

    /// The name of this file of an archive, where it is one.
    #[must_use]
    pub fn member(&self) -> Option<&str> {
        self.member.as_deref()
    }

    /// Where the file is; a name may say what the bytes do not (a day, an instrument). Absent for standard input.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// How far this was read.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.reader {
            Source::Stream(stream) => stream.read(buffer),
            Source::Archive(_) => {
                let count = self.fill_buf()?.read(buffer)?;
                self.consume(count);
                Ok(count)
            }
        }
    }
}

impl BufRead for Input {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match &mut self.reader {
            Source::Stream(stream) => stream.fill_buf(),
            Source::Archive(members) => next_of(members),
        }
    }

    fn consume(&mut self, amount: usize) {
        match &mut self.reader {
            Source::Stream(stream) => stream.consume(amount),
            Source::Archive(members) => {
                if let Some(member) = members.front_mut() {
                    member.bytes.consume(amount);
                }
            }
        }
    }
}

/// What is to be read next of an archive's files, one after the other, each of which ends a line.
fn next_of(members: &mut VecDeque<Member>) -> io::Result<&[u8]> {
    while let Some(member) = members.front_mut().filter(|member| member.is_read()) {
        if member.is_closed {
            members.pop_front();
        } else {
            (member.bytes, member.is_closed) = (Cursor::new(vec![b'\n']), true);
        }
    }
    members.front_mut().map_or(Ok(&[]), |member| member.bytes.fill_buf())
}

impl Member {
    const fn is_read(&self) -> bool {
        self.bytes.position() >= self.bytes.get_ref().len() as u64
    }
}

impl Progress {
    /// Bytes read so far, as they are in the file.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Size of the file, where it has one.
    #[must_use]
    pub const fn total(&self) -> Option<u64> {
        self.total
    }
}

struct Counted {
    source: Box<dyn Read + Send>,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// The members of an archive. The directory of a zip file stands at its end, so the archive is read
/// whole first.
fn unzip(mut reader: impl Read) -> Result<VecDeque<Member>, InputError> {
    let mut packed = Vec::new();
    reader.read_to_end(&mut packed)?;
    let mut archive = ZipArchive::new(Cursor::new(packed))?;
    let mut members = VecDeque::new();
    for index in 0..archive.len() {
        let member = archive.by_index(index)?;
        if member.is_dir() {
            continue;
        }
        let (name, mut bytes) = (member.name()?.into_owned(), Vec::new());
        member.take(ZIP_MEMBER_BYTES_MAX + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > ZIP_MEMBER_BYTES_MAX {
            return Err(InputError::ZipTooLarge { name });
        }
        let is_closed = bytes.last().is_none_or(|&byte| byte == b'\n');
        members.push_back(Member { name, bytes: Cursor::new(bytes), is_closed });
    }
    Ok(members)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn read(bytes: Vec<u8>) -> io::Result<String> {
        let mut text = String::new();
        let total = bytes.len() as u64;
        let mut input = Input::new(Box::new(Cursor::new(bytes)), Some(total)).map_err(io::Error::other)?;
        input.read_to_string(&mut text)?;
        assert_eq!(input.progress().bytes(), total);
        Ok(text)
    }

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn tells_compression_by_content() {
        assert_eq!(read(b"a\nb".to_vec()).unwrap(), "a\nb");
        assert_eq!(read([gzip("a\n"), gzip("b\n")].concat()).unwrap(), "a\nb\n");
        assert_eq!(read(zstd::encode_all(&b"a\nb\n"[..], 1).unwrap()).unwrap(), "a\nb\n");
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in [("1.txt", "a"), ("2.txt", "b\n")] {
            zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        assert_eq!(read(zip.finish().unwrap().into_inner()).unwrap(), "a\nb\n");
        assert_eq!(read(Vec::new()).unwrap(), "");
    }

    #[test]
    fn an_archive_has_members() {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in [("a/1.csv", "a"), ("2.csv", ""), ("3.csv", "c\n")] {
            zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        let zip = zip.finish().unwrap().into_inner();
        let input = Input::new(Box::new(Cursor::new(zip)), None).unwrap();
        let read = |mut input: Input| {
            let mut text = String::new();
            input.read_to_string(&mut text).unwrap();
            (input.member().unwrap().to_owned(), text)
        };
        let members: Vec<_> = input.members().into_iter().map(read).collect();
        let wanted = [("a/1.csv", "a"), ("2.csv", ""), ("3.csv", "c\n")];
        assert_eq!(members, wanted.map(|(name, text)| (name.to_owned(), text.to_owned())));
        let plain = Input::new(Box::new(&b"a"[..]), None).unwrap().members();
        assert_eq!(plain.iter().map(Input::member).collect::<Vec<_>>(), [None]);
    }

    #[test]
    fn a_cut_file_is_an_error_not_an_end() {
        for whole in [gzip(&"line\n".repeat(99)), zstd::encode_all(&b"line\n".repeat(99)[..], 1).unwrap()] {
            let cut = whole[..whole.len() - 9].to_vec();
            assert_eq!(read(cut).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        }
        assert!(read(b"PK\x03\x04rubbish".to_vec()).is_err());
    }
}
