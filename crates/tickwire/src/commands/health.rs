//! `tickwire health`: whether a server is ready, for containers and scripts.

use std::io::{self, Write};

use super::admin::Admin;
use crate::cli::HealthArgs;
use crate::exit::{Failure, Outcome};
use crate::plant::runtime;

pub(crate) fn run(args: &HealthArgs) -> Outcome {
    let admin = Admin::new(&args.admin);
    let answer = runtime()?.block_on(admin.get("/readyz", args.timeout)).map_err(Failure::connect)?;
    writeln!(io::stdout().lock(), "{}", answer.body)?;
    if answer.status == 200 { Ok(()) } else { Err(Failure::told()) }
}
