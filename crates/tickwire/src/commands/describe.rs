//! `tickwire describe`: the protocol, for programs that read such.

use std::io::{self, Write};

use crate::cli::{DescribeArgs, Description};
use crate::exit::Outcome;

pub(crate) fn run(args: &DescribeArgs) -> Outcome {
    let text = match args.what {
        Description::Asyncapi => wire::ASYNCAPI,
        Description::Openapi => wire::OPENAPI,
    };
    io::stdout().lock().write_all(text.as_bytes())?;
    Ok(())
}
