//! How many digits decimals had behind their points: in a column of decimals, all of them have as many.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, DictionaryArray, Int32Array, StringArray};
use arrow_schema::{ArrowError, Field};

use super::column::{Column, words};
use super::decimals::{Decimals, NO_SCALE};

/// The name of the column.
pub(crate) const DIGITS: &str = "digits";

/// The column's type.
pub(super) fn field() -> Field {
    Field::new(DIGITS, words(), true)
}

/// For each row the digits of its decimals, in the order of their columns; `-` where one is not there but
/// a later one is.
pub(super) fn array(columns: &[Column], order: &[usize]) -> Result<ArrayRef, ArrowError> {
    let scales: Vec<_> = columns.iter().filter_map(Column::decimals).map(Decimals::scales).collect();
    let mut known = HashMap::<Box<[u8]>, i32>::new();
    let mut told = Vec::new();
    let (mut row, mut last, mut key) = (vec![0; scales.len()], Vec::new(), 0);
    let keys = order.iter().map(|&at| {
        for (scale, column) in row.iter_mut().zip(&scales) {
            *scale = column[at];
        }
        // What comes next is mostly the same.
        if row != last {
            key = known.get(&*row).copied().unwrap_or_else(|| {
                let key = i32::try_from(told.len()).unwrap_or(i32::MAX);
                told.push(text(&row));
                known.insert(row.as_slice().into(), key);
                key
            });
            row.clone_into(&mut last);
        }
        key
    });
    let keys = Int32Array::from(keys.collect::<Vec<_>>());
    let told = StringArray::from_iter_values(told);
    Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, Arc::new(told))?))
}

fn text(scales: &[u8]) -> String {
    let mut text = String::new();
    let there = scales.iter().rposition(|scale| *scale != NO_SCALE).unwrap_or_default();
    for scale in scales.iter().take(there + 1) {
        let space = if text.is_empty() { "" } else { " " };
        let told = match *scale {
            NO_SCALE => write!(text, "{space}-"),
            scale => write!(text, "{space}{scale}"),
        };
        debug_assert!(told.is_ok(), "a text takes whatever is written");
    }
    text
}
