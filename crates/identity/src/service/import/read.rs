//! The reading of a list: every line is judged, whatever the others are.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Refusal, answers::ImportError, rules::NewPerson};

/// The longest list.
const ROWS_MAX: usize = 200_000;
/// Errors that are listed; the rest are only not counted as valid.
pub(super) const ERRORS_MAX: usize = 1_000;
/// Groups of one line.
const GROUPS_PER_LINE_MAX: usize = 50;
/// The columns a list may have.
const COLUMNS: [&str; 6] = ["name", "subject_name", "roles", "language", "unit", "groups"];

/// A line that is good so far.
pub(super) struct Line {
    pub(super) number: u64,
    pub(super) new: NewPerson,
    /// Names of groups, where the list has that column.
    pub(super) groups: Option<BTreeSet<String>>,
}

/// A person, and the groups of a list that has them.
type Judged = (NewPerson, Option<BTreeSet<String>>);

/// A list that was read.
#[derive(Default)]
pub(super) struct Read {
    pub(super) rows: usize,
    pub(super) broken: usize,
    /// Whether units are the list's business.
    pub(super) has_units: bool,
    pub(super) lines: Vec<Line>,
    pub(super) errors: Vec<ImportError>,
}

impl Read {
    pub(super) fn wrong(&mut self, line: u64, field: &str, problem: &str) {
        self.broken = self.broken.saturating_add(1);
        if self.errors.len() < ERRORS_MAX {
            self.errors.push(ImportError {
                line,
                field: field.to_owned(),
                problem: problem.to_owned(),
            });
        }
    }
}

/// Which column holds which field.
struct Head {
    name: usize,
    subject_name: usize,
    roles: Option<usize>,
    language: Option<usize>,
    unit: Option<usize>,
    groups: Option<usize>,
    width: usize,
}

fn head(record: &csv::ByteRecord) -> Result<Head, Refusal> {
    let names: Vec<String> = record
        .iter()
        .map(|field| {
            String::from_utf8_lossy(field)
                .trim_start_matches('\u{feff}')
                .trim()
                .to_lowercase()
        })
        .collect();
    let place = |wanted: &str| names.iter().position(|name| name == wanted);
    let missing = |problem| Refusal::Field {
        field: "head",
        problem,
    };
    if names.iter().any(|name| !COLUMNS.contains(&name.as_str())) {
        return Err(missing(
            "the first line names the columns: name,subject_name,roles,language,unit,groups",
        ));
    }
    Ok(Head {
        name: place("name").ok_or_else(|| missing("the column name is missing"))?,
        subject_name: place("subject_name").ok_or_else(|| missing("the column subject_name is missing"))?,
        roles: place("roles"),
        language: place("language"),
        unit: place("unit"),
        groups: place("groups"),
        width: names.len(),
    })
}

pub(super) fn read(file: &[u8], is_platform: bool) -> Result<Read, Refusal> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(file);
    let mut record = csv::ByteRecord::new();
    let empty = || Refusal::Field {
        field: "head",
        problem: "the list is empty",
    };
    if !reader.read_byte_record(&mut record).unwrap_or(false) {
        return Err(empty());
    }
    let head = head(&record)?;
    let mut read = Read {
        has_units: head.unit.is_some(),
        ..Read::default()
    };
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    loop {
        let next = reader.read_byte_record(&mut record);
        let number = record.position().map_or(0, csv::Position::line);
        match next {
            Ok(false) => return Ok(read),
            Ok(true) => {}
            Err(_) => {
                read.rows = read.rows.saturating_add(1);
                read.wrong(number, "", "the line cannot be read");
                continue;
            }
        }
        read.rows = read.rows.saturating_add(1);
        if read.rows > ROWS_MAX {
            return Err(Refusal::ListTooLong);
        }
        match line(&record, &head, is_platform) {
            Err((field, problem)) => read.wrong(number, field, problem),
            Ok((new, groups)) => match seen.get(&new.subject_key) {
                Some(_) => read.wrong(
                    number,
                    "subject_name",
                    "this subject name stands in an earlier line",
                ),
                None => {
                    seen.insert(new.subject_key.clone(), number);
                    read.lines.push(Line { number, new, groups });
                }
            },
        }
    }
}

fn line(
    record: &csv::ByteRecord,
    head: &Head,
    is_platform: bool,
) -> Result<Judged, (&'static str, &'static str)> {
    if record.len() != head.width {
        return Err(("", "the line has more or fewer columns than the first"));
    }
    let field = |name: &'static str, place: Option<usize>| {
        let bytes = place.and_then(|place| record.get(place)).unwrap_or_default();
        std::str::from_utf8(bytes).map_err(|_| (name, "this is not UTF-8"))
    };
    let name = field("name", Some(head.name))?;
    let subject_name = field("subject_name", Some(head.subject_name))?;
    let roles = field("roles", head.roles)?;
    let language = field("language", head.language)?;
    let words: Vec<&str> = roles.split([' ', ';', '|', ',']).collect();
    let unit = field("unit", head.unit)?;
    let new = NewPerson::parse(name, subject_name, &words, language, is_platform)
        .and_then(|new| new.in_unit(unit))
        .map_err(|wrong| (wrong.field, wrong.problem))?;
    let listed = field("groups", head.groups)?;
    let groups: BTreeSet<String> = listed
        .split([';', '|'])
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    if groups.len() > GROUPS_PER_LINE_MAX {
        return Err(("groups", "a line names at most 50 groups"));
    }
    Ok((new, head.groups.map(|_| groups)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(file: &str) -> Vec<(u64, String)> {
        let read = read(file.as_bytes(), false).unwrap();
        read.errors
            .into_iter()
            .map(|error| (error.line, error.field))
            .collect()
    }

    #[test]
    fn each_broken_line_is_named_once() {
        let file = "\u{feff}name,subject_name,roles,language\n\
                    홍길동,\"CN=085홍길동001,O=Government of Korea,C=KR\",worker,ko\n\
                    ,\"CN=a,C=KR\",,\n\
                    김철수,not a name,,\n\
                    이영희,\"cn=085홍길동001, o=government of korea, c=kr\",,\n\
                    too,few\n\
                    박민수,\"CN=b,C=KR\",king,\n\
                    최지우,\"CN=c,C=KR\",worker auditor,en\n";
        let expected = [
            (3, "name"),
            (4, "subject_name"),
            (5, "subject_name"),
            (6, ""),
            (7, "roles"),
        ];
        assert_eq!(
            errors(file),
            expected.map(|(line, field)| (line, field.to_owned()))
        );
    }

    #[test]
    fn a_list_without_a_usable_head_is_refused() {
        assert!(read(b"", false).is_err());
        assert!(read(b"name,roles\n", false).is_err());
        assert!(read(b"name,subject_name,password\n", false).is_err());
        assert_eq!(read(b"subject_name,name\n", false).unwrap().rows, 0);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_judged_without_a_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
            let file = [b"name,subject_name\n".as_slice(), &bytes].concat();
            if let Ok(read) = read(&file, false) {
                proptest::prop_assert_eq!(read.rows, read.broken + read.lines.len());
            }
        }
    }
}
