//! The store on the engine of this run: `SQLite`, or `PostgreSQL` when `NARU_TEST_POSTGRES` names a server.

#[cfg(test)]
mod changes;
#[cfg(test)]
mod crowd;
#[cfg(test)]
mod full_disk;
#[cfg(test)]
mod ministries;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod support;
#[cfg(test)]
mod vandal;
