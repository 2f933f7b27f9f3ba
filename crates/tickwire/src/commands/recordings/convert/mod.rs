//! `tickwire convert`: a recording in another form, or tables and lines as a recording again.

mod input;
mod output;

use std::path::Path;

use anyhow::anyhow;
use store::Cut;

use super::{say, told};
use crate::cli::ConvertArgs;
use crate::cli::recordings::Form;
use crate::exit::{Failure, Outcome};
use input::Input;

pub(crate) fn run(args: &ConvertArgs) -> Outcome {
    let form = form(args)?;
    let (input, output) = (args.input.canonicalize().ok(), args.output.canonicalize().ok());
    if input.is_some() && input == output {
        let error = anyhow!("-o: {} is what is read; name another place", args.output.display());
        return Err(Failure::usage(error));
    }
    let input = Input::open(&args.input, &args.output)?;
    let cut =
        Cut { channels: args.channels.clone(), symbols: args.symbols.clone(), from: args.from, to: args.to };
    let written = match form {
        Form::Parquet => output::tables(args, &input, &cut)?,
        Form::Csv => output::csv(args, &input, &cut)?,
        Form::Ndjson => output::lines(args, &input, &cut)?,
        Form::Journal => output::journal(args, &input, &cut)?,
    };
    if written.records == 0
        && let Some(span) = input.recording.span()
    {
        let store::Span { from, to, .. } = span;
        say(&format!("nothing fits what was asked for; the recording goes from {from} to {to}"));
    }
    let outcome = told(&args.input, &written.damages);
    if input.faults > 0 {
        say(&format!("{} broken line(s) were passed over", input.faults));
    }
    if input.faults == 0 { outcome } else { Err(Failure::told()) }
}

/// What is written: as `--format` says, or as the name of the output ends.
fn form(args: &ConvertArgs) -> Outcome<Form> {
    let path = args.output.display();
    let usage = |text: String| Err(Failure::usage(anyhow!(text)));
    let ending = ending(&args.output);
    let by_ending = match ending.as_str() {
        "ndjson" | "jsonl" => Some(Form::Ndjson),
        "csv" => Some(Form::Csv),
        "parquet" | "json" | "twj" | "gz" | "zst" | "zip" | "arrow" | "feather" | "dbn" => {
            return usage(format!(
                "-o: a file that ends in .{ending} is not written; name one that ends in .ndjson or .csv, or a folder \
                 (--format parquet, csv or journal)"
            ));
        }
        _ => None,
    };
    let form = match (args.form, by_ending) {
        (Some(form), Some(other)) if form != other => {
            return usage(format!(
                "-o: {path} is no name for --format {}: leave one of them out",
                form.name()
            ));
        }
        (Some(Form::Ndjson), None) => {
            return usage(format!("-o: {path} becomes one file: let its name end in .ndjson"));
        }
        (given, by_ending) => given.or(by_ending).unwrap_or(Form::Parquet),
    };
    if form == Form::Csv && by_ending.is_some() && args.channels.len() != 1 {
        return usage(format!(
            "-o: {path} has the columns of one channel: name it with -c, or a folder with --format csv"
        ));
    }
    let given = [
        ("--prices", args.prices.is_some(), &[Form::Parquet][..]),
        ("--timestamps", args.timestamps.is_some(), &[Form::Parquet, Form::Csv]),
        ("--level", args.level.is_some(), &[Form::Journal]),
    ];
    match given.into_iter().find(|(_, is_given, of)| *is_given && !of.contains(&form)) {
        Some((option, _, of)) => {
            let of: Vec<_> = of.iter().map(|form| form.name()).collect();
            usage(format!("{option} goes with {}, and not with {}", of.join(" and "), form.name()))
        }
        None => Ok(form),
    }
}

fn ending(path: &Path) -> String {
    path.extension().map(|end| end.to_string_lossy().to_lowercase()).unwrap_or_default()
}

/// What came of it.
#[derive(Default)]
struct Written {
    records: u64,
    damages: Vec<store::Damage>,
}
