//! Reading as one ministry.
//!
//! On `PostgreSQL` this is the second lock: the connection is told whose rows it may see before it is asked, in a pool of
//! its own whose connections see nothing until they are told. Every use tells anew, so what was told before does not matter.

use naru_kernel::Tenant;

use crate::{Db, Error, FromRow, Value};

/// The database as one ministry sees it; from [`Db::within`].
#[derive(Clone, Copy)]
pub struct Within<'d> {
    db: &'d Db,
    tenant: Tenant,
}

impl Db {
    /// Reads as one ministry: the SQL names it, and on `PostgreSQL` row-level security holds to it as well.
    #[must_use]
    pub const fn within(&self, tenant: Tenant) -> Within<'_> {
        Within { db: self, tenant }
    }
}

impl Within<'_> {
    /// Whose rows are read.
    #[must_use]
    pub const fn tenant(&self) -> Tenant {
        self.tenant
    }

    /// All rows.
    ///
    /// # Errors
    /// What the engine says, or a column that does not fit.
    pub async fn all<T: FromRow>(&self, sql: &'static str, params: Vec<Value>) -> Result<Vec<T>, Error> {
        let rows = self.db.rows_within(self.tenant, sql, params).await?;
        rows.iter().map(T::from_row).collect()
    }

    /// The first row, if any.
    ///
    /// # Errors
    /// What the engine says, or a column that does not fit.
    pub async fn optional<T: FromRow>(
        &self,
        sql: &'static str,
        params: Vec<Value>,
    ) -> Result<Option<T>, Error> {
        Ok(self.all(sql, params).await?.into_iter().next())
    }

    /// The first row.
    ///
    /// # Errors
    /// [`Error::NoRow`] if there is none.
    pub async fn one<T: FromRow>(&self, sql: &'static str, params: Vec<Value>) -> Result<T, Error> {
        self.optional(sql, params).await?.ok_or(Error::NoRow)
    }
}
