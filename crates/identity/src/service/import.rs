//! A list of people as CSV: every line is judged before the first one is added, and all are added together.

use std::collections::BTreeMap;

use naru_kernel::Actor;
use naru_runtime::Client;
use naru_store::Act;

use super::{Identity, people::add_person};
use crate::{
    Error, Refusal,
    answers::{ImportError, ImportReport},
    rules::NewPerson,
    store::people::{TAKEN_KEYS_MAX, taken},
};

/// The largest file.
pub(crate) const FILE_BYTES_MAX: usize = 12 * 1024 * 1024;
/// The longest list.
const ROWS_MAX: usize = 200_000;
/// Errors that are listed; the rest are only not counted as valid.
const ERRORS_MAX: usize = 1_000;

/// What to do with a list.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ImportWish {
    /// Add the people; else only look.
    pub(crate) apply: bool,
    /// Add the good lines although others are broken.
    pub(crate) skip_broken: bool,
}

/// A line that is good so far.
struct Line {
    number: u64,
    new: NewPerson,
}

/// A list that was read.
#[derive(Default)]
struct Read {
    rows: usize,
    broken: usize,
    lines: Vec<Line>,
    errors: Vec<ImportError>,
}

impl Read {
    fn wrong(&mut self, line: u64, field: &str, problem: &str) {
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

impl Identity {
    /// Judges a list line by line; adds its people only when asked, and only when no line is broken or broken ones
    /// are to be skipped.
    ///
    /// # Errors
    /// When the actor may not, the list has no usable head or too many rows, or the store fails.
    pub(crate) async fn import(
        &self,
        actor: &Actor,
        file: Vec<u8>,
        wish: ImportWish,
        client: &Client,
    ) -> Result<ImportReport, Error> {
        let act = self.admin_act("identity.import-people", actor, client)?;
        let ministry = self.own_ministry(actor).await?;
        let is_platform = ministry.is_platform;
        // Ten megabytes take a while: not on a thread that serves others.
        let read = tokio::task::spawn_blocking(move || read(&file, is_platform)).await;
        let mut read = read.map_err(|_| Error::Broken)??;
        self.refuse_taken(&mut read).await?;
        read.errors.sort_by_key(|error| error.line);
        let mut report = ImportReport {
            rows: read.rows,
            valid: read.lines.len(),
            imported: 0,
            errors: read.errors,
        };
        if wish.apply && (read.broken == 0 || wish.skip_broken) && !read.lines.is_empty() {
            let (imported, late) = self.add(act, actor.clone(), read.lines, wish.skip_broken).await?;
            report.imported = imported;
            report.errors.extend(late);
            report.errors.truncate(ERRORS_MAX);
        }
        Ok(report)
    }

    async fn refuse_taken(&self, read: &mut Read) -> Result<(), Error> {
        let lines = std::mem::take(&mut read.lines);
        let mut free = Vec::with_capacity(lines.len());
        let mut lines = lines.into_iter().peekable();
        while lines.peek().is_some() {
            let chunk: Vec<Line> = lines.by_ref().take(TAKEN_KEYS_MAX).collect();
            let keys: Vec<&str> = chunk.iter().map(|line| line.new.subject_key.as_str()).collect();
            let known = taken(&self.db, &keys).await?;
            for line in chunk {
                if known.contains(&line.new.subject_key) {
                    read.wrong(line.number, "subject_name", "this subject name is taken");
                } else {
                    free.push(line);
                }
            }
        }
        read.lines = free;
        Ok(())
    }

    async fn add(
        &self,
        act: Act,
        actor: Actor,
        lines: Vec<Line>,
        skip_broken: bool,
    ) -> Result<(usize, Vec<ImportError>), Error> {
        let (tools, now) = (self.tools.clone(), act.at);
        self.decide(act, move |tx| {
            Box::pin(async move {
                tx.about(actor.ministry);
                let mut imported = 0_usize;
                let mut late = Vec::new();
                for line in &lines {
                    let tenant = actor.tenant();
                    match add_person(tx, &tools, tenant, &line.new, (Some(&actor), now)).await? {
                        Ok(_) => imported = imported.saturating_add(1),
                        // Somebody was added since the list was judged.
                        Err(Refusal::SubjectTaken) => late.push(ImportError {
                            line: line.number,
                            field: "subject_name".to_owned(),
                            problem: "this subject name is taken".to_owned(),
                        }),
                        Err(refusal) => return Err(Error::Refused(refusal)),
                    }
                }
                if !late.is_empty() && !skip_broken {
                    // Ends the transaction without a trace of the list.
                    return Err(Error::Refused(Refusal::SubjectTaken));
                }
                tx.note("imported", imported);
                Ok(Ok((imported, late)))
            })
        })
        .await
    }
}

/// Which column holds which field.
struct Head {
    name: usize,
    subject_name: usize,
    roles: Option<usize>,
    language: Option<usize>,
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
    if names
        .iter()
        .any(|name| !["name", "subject_name", "roles", "language"].contains(&name.as_str()))
    {
        return Err(missing(
            "the first line names the columns: name,subject_name,roles,language",
        ));
    }
    Ok(Head {
        name: place("name").ok_or_else(|| missing("the column name is missing"))?,
        subject_name: place("subject_name").ok_or_else(|| missing("the column subject_name is missing"))?,
        roles: place("roles"),
        language: place("language"),
        width: names.len(),
    })
}

fn read(file: &[u8], is_platform: bool) -> Result<Read, Refusal> {
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
    let mut read = Read::default();
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
            Ok(new) => match seen.get(&new.subject_key) {
                Some(_) => read.wrong(
                    number,
                    "subject_name",
                    "this subject name stands in an earlier line",
                ),
                None => {
                    seen.insert(new.subject_key.clone(), number);
                    read.lines.push(Line { number, new });
                }
            },
        }
    }
}

fn line(
    record: &csv::ByteRecord,
    head: &Head,
    is_platform: bool,
) -> Result<NewPerson, (&'static str, &'static str)> {
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
    NewPerson::parse(name, subject_name, &words, language, is_platform)
        .map_err(|wrong| (wrong.field, wrong.problem))
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
