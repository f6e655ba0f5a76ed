//! How entries become a file: CSV that a spreadsheet cannot mistake for formulas, and JSON.

use crate::AuditRow;

/// Which sort of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// Comma-separated values (RFC 4180).
    Csv,
    /// One JSON array.
    Json,
}

impl FileKind {
    pub(crate) const fn head(self) -> &'static str {
        match self {
            Self::Csv => CSV_HEAD,
            Self::Json => "[",
        }
    }

    pub(crate) const fn end(self) -> &'static str {
        match self {
            Self::Csv => "",
            Self::Json => "\n]\n",
        }
    }

    /// What stands at the end of a file that does not hold all that was asked for.
    pub(crate) fn cut(self, is_first: bool) -> String {
        const WORDS: &str = "there are more rows: ask for a shorter time";
        match self {
            Self::Csv => format!("\"{WORDS}\"\r\n"),
            Self::Json => format!("{}\n{{\"more\":\"{WORDS}\"}}", if is_first { "" } else { "," }),
        }
    }

    /// One row, after another or as the first.
    pub(crate) fn row(self, row: &AuditRow, is_first: bool) -> String {
        match self {
            Self::Csv => csv_line(row),
            Self::Json => {
                // Every field of a row can be JSON, so it cannot fail.
                let text = serde_json::to_string(row).unwrap_or_default();
                format!("{}\n{text}", if is_first { "" } else { "," })
            }
        }
    }
}

/// The first line of a file, after a mark that tells spreadsheets it is UTF-8.
const CSV_HEAD: &str = "\u{feff}stream,sequence,at,action,outcome,actor,subject,address,detail\r\n";

/// One line of a file (RFC 4180).
fn csv_line(row: &AuditRow) -> String {
    let cells = [
        row.stream.clone(),
        row.sequence.to_string(),
        row.at.to_string(),
        row.action.clone(),
        row.outcome.clone(),
        row.actor.clone(),
        row.subject.clone(),
        row.address.clone(),
        row.detail.to_string(),
    ];
    let mut line = cells.map(|text| cell(&text)).join(",");
    line.push_str("\r\n");
    line
}

/// Quoted; and what a spreadsheet would run as a formula gets an apostrophe in front.
fn cell(text: &str) -> String {
    let is_formula = text.trim_start().starts_with(['=', '+', '-', '@']) || text.starts_with(['\t', '\r']);
    let guard = if is_formula { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_defused_and_quotes_doubled() {
        for text in ["=1+1", "+1", "-1", "@a", " =1", "\t=1", "\r=1"] {
            assert!(cell(text).starts_with("\"'"), "{text:?}");
        }
        assert_eq!(cell("a \"b\", c"), "\"a \"\"b\"\", c\"");
        assert_eq!(cell("a=b"), "\"a=b\"");
    }
}
