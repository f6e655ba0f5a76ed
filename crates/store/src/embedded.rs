//! The writer's own connection to `SQLite`: a statement is a call on the writer's thread.
//!
//! The readers' driver answers from a thread of each connection, so that each statement costs two switches between
//! threads, more than most statements themselves. The writer has a thread anyway.

use std::{collections::HashMap, sync::Arc, time::Duration};

use rusqlite::{
    Connection, OpenFlags, Statement,
    types::{ToSql, ToSqlOutput, Value as Cell, ValueRef},
};

use crate::{Error, Row, Value};

/// Statements kept prepared: more than this program has that write.
const STATEMENTS_MAX: usize = 512;

/// A connection that writes.
pub(crate) struct Embedded {
    connection: Connection,
    /// Column names of each text that has answered rows; as many as there are texts in the program.
    columns: HashMap<&'static str, Columns>,
}

type Columns = Arc<[String]>;

impl Embedded {
    /// Opens a database that is there and in WAL mode.
    pub(crate) fn open(path: &str, busy: Duration) -> Result<Self, Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(busy)?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        Ok(Self {
            connection,
            columns: HashMap::new(),
        })
    }

    /// Runs a statement and gives the number of rows it touched.
    pub(crate) fn exec(&self, sql: &'static str, params: &[Value]) -> Result<u64, Error> {
        let mut statement = self.connection.prepare_cached(sql)?;
        bind(&mut statement, params)?;
        let mut rows = statement.raw_query();
        while rows.next()?.is_some() {}
        Ok(self.connection.changes())
    }

    /// Runs a statement and gives all its rows.
    pub(crate) fn rows(&mut self, sql: &'static str, params: &[Value]) -> Result<Vec<Row>, Error> {
        let mut statement = self.connection.prepare_cached(sql)?;
        bind(&mut statement, params)?;
        let columns = match self.columns.get(sql) {
            Some(columns) => Arc::clone(columns),
            None => {
                let names = statement.column_names().into_iter().map(str::to_owned);
                let columns: Columns = names.collect();
                self.columns.insert(sql, Arc::clone(&columns));
                columns
            }
        };
        let mut answered = Vec::new();
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            let cells = (0..columns.len()).map(|index| row.get(index));
            answered.push(Row::Embedded(EmbeddedRow {
                cells: cells.collect::<Result<_, _>>()?,
                columns: Arc::clone(&columns),
            }));
        }
        Ok(answered)
    }
}

/// Binds `$1` to the first value and so on, wherever in the text it first occurs.
fn bind(statement: &mut Statement<'_>, params: &[Value]) -> Result<(), Error> {
    for index in 1..=statement.parameter_count() {
        let number = statement
            .parameter_name(index)
            .and_then(|name| name.strip_prefix('$'))
            .and_then(|number| number.parse::<usize>().ok());
        let value = number
            .and_then(|number| params.get(number.checked_sub(1)?))
            .ok_or(rusqlite::Error::InvalidParameterCount(index, params.len()))?;
        statement.raw_bind_parameter(index, value)?;
    }
    Ok(())
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let value = match self {
            Self::Integer(value) => value.map(ValueRef::Integer),
            Self::Bool(value) => value.map(|value| ValueRef::Integer(value.into())),
            Self::Real(value) => value.map(ValueRef::Real),
            Self::Text(value) => value.as_ref().map(|text| ValueRef::Text(text.as_bytes())),
            Self::Bytes(value) => value.as_deref().map(ValueRef::Blob),
        };
        Ok(ToSqlOutput::Borrowed(value.unwrap_or(ValueRef::Null)))
    }
}

/// One row of an answer, copied out of the engine.
#[derive(Debug)]
pub struct EmbeddedRow {
    columns: Columns,
    cells: Vec<Cell>,
}

/// Why a cell cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unfit {
    #[error("there is no such column")]
    Absent,
    #[error("it holds a value of another type")]
    Type,
}

impl EmbeddedRow {
    pub(crate) fn read<T: FromCell>(&self, name: &str) -> Result<T, Unfit> {
        let index = self.columns.iter().position(|column| column == name);
        let cell = index.and_then(|index| self.cells.get(index));
        T::from_cell(cell.ok_or(Unfit::Absent)?).ok_or(Unfit::Type)
    }
}

/// What a cell can be read as.
pub(crate) trait FromCell: Sized {
    /// The value, if the cell holds one of this type.
    fn from_cell(cell: &Cell) -> Option<Self>;
}

macro_rules! from_cell {
    ($($type:ty: $pattern:pat => $value:expr),+ $(,)?) => {$(
        impl FromCell for $type {
            fn from_cell(cell: &Cell) -> Option<Self> {
                if let $pattern = cell { Some($value) } else { None }
            }
        }
    )+};
}

from_cell! {
    i64: Cell::Integer(number) => *number,
    bool: Cell::Integer(number) => *number != 0,
    f64: Cell::Real(number) => *number,
    String: Cell::Text(text) => text.clone(),
    Vec<u8>: Cell::Blob(bytes) => bytes.clone(),
}

impl<T: FromCell> FromCell for Option<T> {
    fn from_cell(cell: &Cell) -> Option<Self> {
        match cell {
            Cell::Null => Some(None),
            Cell::Integer(_) | Cell::Real(_) | Cell::Text(_) | Cell::Blob(_) => T::from_cell(cell).map(Some),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! values {
        ($($value:expr),+) => { [$(Value::from($value)),+] };
    }

    fn opened() -> (tempfile::TempDir, Embedded) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("test.db");
        let made = Connection::open(&path).unwrap();
        made.execute_batch(
            "CREATE TABLE parents (id TEXT PRIMARY KEY) STRICT; \
             CREATE TABLE things (id INTEGER PRIMARY KEY, parent TEXT REFERENCES parents (id), name TEXT UNIQUE, \
             share REAL, bytes BLOB) STRICT; \
             INSERT INTO parents VALUES ('p')",
        )
        .unwrap();
        let embedded = Embedded::open(path.to_str().unwrap(), Duration::from_secs(1)).unwrap();
        (directory, embedded)
    }

    #[test]
    fn parameters_go_by_number_wherever_they_stand() {
        let (_directory, mut embedded) = opened();
        let sql = "INSERT INTO things (name, id, bytes, share, parent) VALUES ($2, $1, $4, $3, $5) \
                   RETURNING id, name, share, bytes, parent, id = $1 AS same";
        let rows = embedded
            .rows(sql, &values![7_i64, "seven", 0.5, vec![1_u8, 2], None::<String>])
            .unwrap();
        let [row] = rows.as_slice() else {
            panic!("{rows:?}")
        };
        assert_eq!(row.get::<i64>("id").unwrap(), 7);
        assert_eq!(row.get::<String>("name").unwrap(), "seven");
        assert!((row.get::<f64>("share").unwrap() - 0.5).abs() < f64::EPSILON);
        assert_eq!(row.get::<Vec<u8>>("bytes").unwrap(), [1, 2]);
        assert_eq!(row.get::<Option<String>>("parent").unwrap(), None);
        assert!(row.get::<bool>("same").unwrap());
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let (_directory, mut embedded) = opened();
        let rows = embedded.rows("SELECT id FROM parents", &[]).unwrap();
        let row = rows.first().unwrap();
        assert!(matches!(row.get::<i64>("id"), Err(Error::Column { .. })));
        assert!(matches!(row.get::<String>("name"), Err(Error::Column { .. })));
        let missing = embedded.exec("DELETE FROM parents WHERE id = $2", &values!["p"]);
        assert!(matches!(missing, Err(Error::Embedded(_))), "{missing:?}");
        assert_eq!(
            embedded
                .exec("DELETE FROM parents WHERE id = $1", &values!["p"])
                .unwrap(),
            1
        );
        assert_eq!(
            embedded
                .exec("DELETE FROM parents WHERE id = $1", &values!["p"])
                .unwrap(),
            0
        );
    }

    #[test]
    fn broken_keys_are_clashes() {
        let (_directory, embedded) = opened();
        let insert = "INSERT INTO things (id, parent, name) VALUES ($1, $2, $3)";
        embedded.exec(insert, &values![1_i64, "p", "a"]).unwrap();
        for (id, parent, name) in [(1_i64, "p", "b"), (2, "p", "a"), (3, "nobody", "c")] {
            let refused = embedded.exec(insert, &values![id, parent, name]);
            assert!(matches!(refused, Err(Error::Clash(_))), "{refused:?}");
        }
    }

    #[test]
    fn a_commit_waits_for_the_disk() {
        let (_directory, mut embedded) = opened();
        let mut pragma = |sql| embedded.rows(sql, &[]).unwrap().remove(0);
        assert_eq!(pragma("PRAGMA synchronous").get::<i64>("synchronous").unwrap(), 2);
        assert!(pragma("PRAGMA foreign_keys").get::<bool>("foreign_keys").unwrap());
    }
}
