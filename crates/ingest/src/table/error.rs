//! Why a file of rows cannot be read at all.

use super::column::{Column, Names};

/// Why a file of rows cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// A column that the mapping means is not in the file.
    #[error("the mapping's {key} is column {column}, which the file does not have{}", has(names))]
    Column {
        /// The mapping's key.
        key: &'static str,
        /// The column, as the mapping names it.
        column: String,
        /// The columns of the file, where it has names for them.
        names: String,
    },
    /// A template of the instrument lacks something.
    #[error(
        "nothing says the {0} of the instrument: no column, and the file's name fits none of the mapping's patterns; \
         say it with --{0}"
    )]
    Instrument(&'static str),
    /// Times of a day, and nobody says which.
    #[error("times count from midnight, and nothing says of which day: say it with --date")]
    Day,
    /// Times of an hour, and nobody says which.
    #[error("times count from the beginning of an hour, and the file's name does not say of which")]
    Hour,
    /// Whole numbers, and nobody says where their point is.
    #[error(
        "the mapping does not say how many decimals the prices of this symbol have: see [[instrument.decimals]]"
    )]
    Decimals,
    /// A side of the book cannot be the sign of a size.
    #[error("sign_of is for trades: the side of a level or an order is a column")]
    SignOfLevel,
    /// No mapping was given, and none is known for such columns.
    #[error("no mapping is known for the columns {names}; choose one with --map: {}", super::known())]
    Unknown {
        /// The columns of the file.
        names: String,
    },
    /// No mapping was given, and a column says that the rows are not what any file has.
    #[error(
        "the column {column} says that these rows are not plain trades or quotes, and no mapping is known for {names}; choose \
         one with --map: {}",
        super::known()
    )]
    NoTrades {
        /// The column that says so.
        column: String,
        /// The columns of the file.
        names: String,
    },
    /// No mapping was given, and several know such columns.
    #[error("these columns are known by several mappings; choose one with --map: {names}")]
    Several {
        /// Their names.
        names: String,
    },
    /// No mapping was given, and the file has no names for its columns.
    #[error("the file does not name its columns; say what they are with --map: {}", super::known())]
    Nameless,
    /// The file that stands beside cannot be opened.
    #[error("{path}: {error}")]
    Beside {
        /// Its path.
        path: String,
        /// Why.
        error: crate::capture::InputError,
    },
    /// Something is wrong with a row of the file that stands beside.
    #[error("{path}:{row}: {error}")]
    BesideRow {
        /// Its path.
        path: String,
        /// The row.
        row: u64,
        /// What.
        error: Box<crate::FeedError>,
    },
    /// The file that stands beside has fewer rows, or more.
    #[error("{path} has {} rows than this file: row n of the one belongs to row n of the other", if *more { "more" } else { "fewer" })]
    BesideLength {
        /// Its path.
        path: String,
        /// More or fewer.
        more: bool,
    },
    /// Packed in a way that cannot be read.
    #[error("not readable: {0}")]
    Packed(String),
    /// Something else than rows, or rows in a form that is not read.
    #[error("the file is {0}")]
    Other(&'static str),
    /// What is in the file cannot be read.
    #[error(transparent)]
    Input(crate::capture::InputError),
    /// Parquet or Arrow, and this program cannot read them.
    #[error("Parquet and Arrow files are not read here: the program was built without them")]
    NoColumns,
}

impl TableError {
    pub(super) fn column(key: &'static str, column: &Column, names: &Names) -> Self {
        Self::Column { key, column: column.to_string(), names: names.list() }
    }
}

fn has(names: &str) -> String {
    if names.is_empty() { ": it does not name its columns".to_owned() } else { format!("; it has {names}") }
}
