//! A list of people as CSV: every line is judged before the first one is added, and all are added together.
//!
//! In the mode `sync` the list is the whole ministry: who is new joins, whose data differ moves, who is missing leaves.

mod read;
mod sync;

use std::collections::BTreeMap;

use naru_kernel::{Actor, GroupId, PersonId, Tenant};
use naru_runtime::Client;
use naru_store::{Act, Tx};

use self::read::{ERRORS_MAX, Line, Read, read};
use super::{Identity, adding::add_person};
use crate::{
    Error, Refusal,
    answers::{ImportEffect, ImportError, ImportReport},
    members::ManagedBy,
    store,
    store::people::{TAKEN_KEYS_MAX, taken},
};

/// The largest file.
pub(crate) const FILE_BYTES_MAX: usize = 12 * 1024 * 1024;

/// What a list is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    /// People who come.
    #[default]
    Add,
    /// Everybody: who is missing leaves.
    Sync,
}

/// What to do with a list.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ImportWish {
    /// Do it; else only look.
    pub(crate) apply: bool,
    /// Take the good lines although others are broken.
    pub(crate) skip_broken: bool,
    /// What the list is.
    pub(crate) mode: Mode,
    /// So many leave that it has to be said twice.
    pub(crate) confirm_leavers: bool,
}

/// Groups that a list may name.
type Groups = BTreeMap<String, GroupId>;

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
        let groups = self.refuse_groups(actor, &mut read).await?;
        if wish.mode == Mode::Sync {
            return self.sync(act, actor, (read, groups), wish).await;
        }
        self.refuse_taken(&mut read).await?;
        read.errors.sort_by_key(|error| error.line);
        let mut report = ImportReport {
            rows: read.rows,
            valid: read.lines.len(),
            imported: 0,
            errors: read.errors,
            effect: None,
        };
        if wish.apply && (read.broken == 0 || wish.skip_broken) && !read.lines.is_empty() {
            let (imported, late) = self
                .add(act, actor.clone(), (read.lines, groups), wish.skip_broken)
                .await?;
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

    /// Lines that name groups which are not there, or which a directory changes, are broken.
    async fn refuse_groups(&self, actor: &Actor, read: &mut Read) -> Result<Groups, Error> {
        let mut groups = Groups::new();
        if read.lines.iter().all(|line| line.groups.is_none()) {
            return Ok(groups);
        }
        let from = self.db.within(actor.tenant());
        let mut after = None;
        loop {
            let (listed, _) = store::groups::list(from, (None, false), after, 200).await?;
            let is_last = listed.len() <= 200;
            after = listed.get(199).map(|row| row.group.id.to_string());
            for row in listed.into_iter().take(200) {
                if row.group.managed_by == ManagedBy::Hand {
                    groups.insert(row.group.name, row.group.id);
                }
            }
            if is_last {
                break;
            }
        }
        for line in std::mem::take(&mut read.lines) {
            let named = line.groups.iter().flatten();
            if named.into_iter().all(|name| groups.contains_key(name)) {
                read.lines.push(line);
            } else {
                let problem = "there is no group of this name that is changed by hand";
                read.wrong(line.number, "groups", problem);
            }
        }
        Ok(groups)
    }

    async fn add(
        &self,
        act: Act,
        actor: Actor,
        (lines, groups): (Vec<Line>, Groups),
        skip_broken: bool,
    ) -> Result<(usize, Vec<ImportError>), Error> {
        let (tools, now) = (self.tools.clone(), act.at);
        self.decide(act, move |tx| {
            Box::pin(async move {
                tx.about(actor.ministry);
                let mut imported = 0_usize;
                let mut late = Vec::new();
                let tenant = actor.tenant();
                for line in &lines {
                    match add_person(tx, &tools, tenant, &line.new, (Some(&actor), now)).await? {
                        Ok((id, _)) => {
                            imported = imported.saturating_add(1);
                            join(tx, (id, tenant), line, &groups).await?;
                        }
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

/// Lets a person into the groups their line names.
async fn join(
    tx: &mut Tx,
    (person, tenant): (PersonId, Tenant),
    line: &Line,
    groups: &Groups,
) -> Result<(), Error> {
    for group in line.groups.iter().flatten().filter_map(|name| groups.get(name)) {
        store::groups::add_member(tx, *group, person, tenant).await?;
    }
    Ok(())
}
