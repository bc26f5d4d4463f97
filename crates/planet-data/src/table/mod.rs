//! Tables as files: CSV, TSV and Parquet, plain or compressed, from disk or standard input.
//!
//! The name says the kind (`.csv`, `.tsv`, `.parquet`, each also with `.gz` or `.zst`), the
//! first bytes say whether the content is compressed; `-` is standard input, whose kind is
//! told from its content.

mod columns;
mod format;
mod input;
mod lines;
mod parquet;
mod parquet_table;
mod source;
mod text;

pub use crate::output::OutputFile;
pub use columns::Columns;
pub use format::{Compression, Format, Kind};
pub use input::{Table, open, open_text};
pub(crate) use lines::read_line;
pub use lines::read_lines;
pub(crate) use parquet::{not_whole, open_parquet};
pub use parquet_table::ParquetTable;
pub use source::TableSource;
pub(crate) use text::not_utf8;
pub use text::{TextTable, decimal};

/// The path that means standard input or output.
pub const STANDARD_STREAM: &str = "-";
