//! The exchanges of Nasdaq that speak ITCH, and the files that are theirs.

use std::path::Path;

/// Whose messages are read. They say it nowhere: names of files do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Exchange {
    #[default]
    Nasdaq,
    Bx,
    Psx,
}

impl Exchange {
    /// The exchange that a file's name says: `20190730.BX_ITCH_50`, `S073019-v50-psx.txt`.
    pub(super) fn named(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        name.split(|c: char| !c.is_ascii_alphanumeric()).find_map(|word| {
            match word.to_ascii_lowercase().as_str() {
                "bx" => Some(Self::Bx),
                "psx" => Some(Self::Psx),
                _ => None,
            }
        })
    }

    pub(super) const fn venue(self) -> &'static str {
        match self {
            Self::Nasdaq => "nasdaq",
            Self::Bx => "nasdaq-bx",
            Self::Psx => "nasdaq-psx",
        }
    }

    /// Its letter, where a message is of one of several.
    pub(super) const fn letter(self) -> u8 {
        match self {
            Self::Nasdaq => b'Q',
            Self::Bx => b'B',
            Self::Psx => b'X',
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_exchanges() {
        for (name, wanted) in [
            ("20191230.BX_ITCH_50", "nasdaq-bx"),
            ("S123019-v50-bx.txt.gz", "nasdaq-bx"),
            ("20190730.PSX_ITCH_50.gz", "nasdaq-psx"),
            ("12302019.NASDAQ_ITCH50", "nasdaq"),
            ("box.pcap", "nasdaq"),
        ] {
            assert_eq!(Exchange::named(Path::new(name)).unwrap_or_default().venue(), wanted, "{name}");
        }
    }
}
