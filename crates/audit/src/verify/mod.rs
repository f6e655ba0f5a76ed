//! Verifying the record: every entry against the one before, the tree over them against every checkpoint that was signed,
//! here or kept outside, and what is wrong by its name.
//!
//! A chain is walked in stretches of 65,536 entries, several side by side; what is held in memory does not grow with it.

mod range;

use std::collections::BTreeMap;

use aws_lc_rs::digest;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use naru_store::Db;

use crate::{
    Broken, Checkpoint, Damage, Error, Note, NoteKey, StreamVerdict, Verification,
    rules::{
        diagnose::Diagnosis,
        tree::{Frontier, Hash, STORED_LEVEL},
    },
    store::{self, Extent, Retired},
};
use range::{FINDINGS_MAX, STRETCH_ENTRIES, Stretch, Walked, walk};

/// Stretches walked at the same time.
const STRETCHES_AT_ONCE: usize = 3;

/// What a verification goes by.
#[derive(Clone, Debug, Default)]
pub struct Measure {
    /// The log's name, as it stands in checkpoints.
    pub log: String,
    /// Keys that may have signed checkpoints; none if nothing was ever signed here.
    pub keys: Vec<NoteKey>,
    /// Checkpoints kept outside of the database. They count only if one of the keys signed them.
    pub outside: Vec<Note>,
}

/// What a checkpoint says of one chain.
#[derive(Clone, Copy)]
struct Claim {
    size: u64,
    root: Hash,
}

impl Measure {
    /// Whether one of the keys signed it.
    fn signed(&self, note: &Note) -> bool {
        self.keys.iter().any(|key| key.verify(note).is_ok())
    }

    /// What checkpoints from outside say, chain by chain, and how many of them say nothing because no key signed them or
    /// they are of another log.
    fn outside(&self) -> (BTreeMap<String, Vec<Claim>>, usize) {
        let mut claims: BTreeMap<String, Vec<Claim>> = BTreeMap::new();
        let mut strange = 0_usize;
        for note in &self.outside {
            let checkpoint = note.checkpoint().ok().filter(|_| self.signed(note));
            let found = checkpoint.and_then(|found| {
                let stream = found.stream(&self.log)?.to_owned();
                Some((stream, found))
            });
            match found {
                Some((stream, Checkpoint { size, root, .. })) => {
                    claims.entry(stream).or_default().push(Claim { size, root });
                }
                None => strange = strange.saturating_add(1),
            }
        }
        (claims, strange)
    }
}

/// Verifies these chains, or all there are and all that checkpoints from outside speak of.
///
/// # Errors
/// When the store fails.
pub async fn verify(db: &Db, measure: &Measure, only: Option<&str>) -> Result<Verification, Error> {
    let (mut outside, strange) = measure.outside();
    let mut names = store::streams(db).await?;
    names.extend(outside.keys().cloned());
    names.sort();
    names.dedup();
    names.retain(|name| only.is_none_or(|only| only == name));
    if let Some(only) = only.filter(|_| names.is_empty()) {
        names.push(only.to_owned());
    }
    let mut streams = Vec::with_capacity(names.len());
    for name in names {
        let claims = outside.remove(&name).unwrap_or_default();
        streams.push(verify_stream(db, measure, &name, claims).await?);
    }
    let broken = streams.iter().find_map(|stream| stream.broken.clone());
    Ok(Verification {
        ok: broken.is_none(),
        entries: streams.iter().map(|stream| stream.entries).sum(),
        head: head_of(&streams),
        broken,
        strange_checkpoints: strange,
        streams,
    })
}

fn head_of(streams: &[StreamVerdict]) -> String {
    if let [only] = streams {
        return only.head.clone();
    }
    let mut context = digest::Context::new(&digest::SHA256);
    for stream in streams {
        context.update(format!("{} {} {}\n", stream.stream, stream.entries, stream.head).as_bytes());
    }
    hex::encode(context.finish())
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

async fn verify_stream(
    db: &Db,
    measure: &Measure,
    name: &str,
    outside: Vec<Claim>,
) -> Result<StreamVerdict, Error> {
    let retired = store::retired(db, name).await?;
    let extent = store::extent(db, name).await?;
    let mut judge = Judge {
        db,
        measure,
        name,
        findings: Vec::new(),
        begin: retired.as_ref().map_or(0, |retired| unsigned(retired.size)),
        end: unsigned(extent.last),
        good_to: retired.as_ref().map_or(0, |retired| unsigned(retired.size)),
        is_blamed: false,
        checkpoints: 0,
        whole_to: u64::MAX,
    };
    judge.end = judge.end.max(judge.begin);
    if extent.first < 1 && extent.last != 0 {
        judge.find(extent.first, 0, Damage::Inserted);
    }
    let tree = judge.walk_all(retired.as_ref(), &outside).await?;
    judge.look_at_end(&extent, &outside).await?;
    if let Some(retired) = &retired {
        judge.look_at_beginning(retired).await?;
    }
    let head = extent.head.map(|(_, hash)| hex::encode(hash)).unwrap_or_default();
    let mut findings = judge.findings;
    findings.sort_by_key(|finding| (finding.sequence, finding.last));
    findings.truncate(FINDINGS_MAX);
    let broken: Vec<Broken> = findings.iter().map(|finding| broken(name, finding)).collect();
    let first_wrong = findings
        .first()
        .map_or(judge.end.saturating_add(1), |first| unsigned(first.sequence));
    Ok(StreamVerdict {
        stream: name.to_owned(),
        entries: signed(first_wrong.saturating_sub(1).saturating_sub(judge.begin)),
        retired: signed(judge.begin),
        head,
        root: tree.map(|tree| hex::encode(tree.root())).unwrap_or_default(),
        checkpoints: judge.checkpoints,
        broken: broken.first().cloned(),
        findings: broken,
    })
}

fn broken(stream: &str, finding: &Diagnosis) -> Broken {
    Broken {
        stream: stream.to_owned(),
        sequence: finding.sequence,
        last: finding.last,
        why: finding.damage.why().to_owned(),
    }
}

/// What stored and outside checkpoints say of sizes after `base`, up to and with `to`, by size; and sizes of stored ones
/// that no key of ours signed.
async fn claims(
    db: &Db,
    measure: &Measure,
    name: &str,
    outside: &[Claim],
    base: u64,
    to: u64,
) -> Result<(Vec<Claim>, Vec<i64>), Error> {
    let in_here = |claim: &&Claim| claim.size > base && claim.size <= to;
    let mut claims: Vec<Claim> = outside.iter().filter(in_here).copied().collect();
    let mut forged = Vec::new();
    for kept in store::checkpoints_between(db, name, signed(base), signed(to)).await? {
        let note = Note::read(&kept.note).ok().filter(|note| measure.signed(note));
        let said = note.and_then(|note| note.checkpoint().ok()).filter(|said| {
            said.stream(&measure.log) == Some(name)
                && signed(said.size) == kept.size
                && said.root.as_slice() == kept.root
        });
        match said {
            Some(said) => claims.push(Claim {
                size: said.size,
                root: said.root,
            }),
            None => forged.push(kept.size),
        }
    }
    claims.sort_by_key(|claim| claim.size);
    Ok((claims, forged))
}

/// Where a chain begins, if others were retired.
struct Beginning {
    tree: Frontier,
    hash: Option<Hash>,
}

struct Judge<'a> {
    db: &'a Db,
    measure: &'a Measure,
    name: &'a str,
    findings: Vec<Diagnosis>,
    /// Entries up to here were retired.
    begin: u64,
    end: u64,
    /// The size of the newest checkpoint that fitted.
    good_to: u64,
    /// A checkpoint did not fit: those after it will not either.
    is_blamed: bool,
    checkpoints: i64,
    /// Up to where the leaves are known.
    whole_to: u64,
}

impl Judge<'_> {
    fn find(&mut self, sequence: i64, last: i64, damage: Damage) {
        self.findings.push(Diagnosis {
            sequence,
            last,
            damage,
            goes_on: None,
        });
    }

    /// Walks the whole chain; gives its tree, if all leaves are known.
    async fn walk_all(
        &mut self,
        retired: Option<&Retired>,
        outside: &[Claim],
    ) -> Result<Option<Frontier>, Error> {
        let (begin, end) = (self.begin, self.end);
        let mut tree = retired.and_then(Retired::tree).unwrap_or_default();
        let first = Beginning {
            tree: tree.clone(),
            hash: retired.and_then(|retired| Hash::try_from(retired.hash.as_slice()).ok()),
        };
        let mut base = begin;
        let stretches = std::iter::from_fn(|| {
            let from = base;
            let next = (from / STRETCH_ENTRIES)
                .saturating_add(1)
                .saturating_mul(STRETCH_ENTRIES);
            base = next.min(end);
            (from < end).then_some((from, base))
        });
        let (db, measure, name, first) = (self.db, self.measure, self.name, &first);
        let one = |(from, to)| async move {
            let (claims, forged) = claims(db, measure, name, outside, from, to).await?;
            let is_first = from == begin;
            let stretch = Stretch {
                stream: name.to_owned(),
                base: from,
                to,
                start: if is_first {
                    first.tree.clone()
                } else {
                    Frontier::default()
                },
                previous: first.hash.filter(|_| is_first),
                sizes: claims.iter().map(|claim| claim.size).collect(),
            };
            let walked = walk(db, stretch).await?;
            Ok::<_, Error>((from, to, claims, forged, walked))
        };
        let mut walks = std::pin::pin!(stream::iter(stretches).map(one).buffered(STRETCHES_AT_ONCE));
        while let Some((from, to, claims, forged, walked)) = walks.try_next().await? {
            for size in forged {
                self.find(size, size, Damage::CheckpointForged);
            }
            if walked.whole_to < to {
                self.whole_to = self.whole_to.min(walked.whole_to);
            }
            self.compare(&tree, &walked, &claims);
            self.compare_nodes(&walked, from, to).await?;
            if walked.is_absolute {
                tree = walked.tree;
            } else {
                tree.append(&walked.tree);
            }
            self.findings.extend(walked.findings);
            if walked.is_over || self.findings.len() >= FINDINGS_MAX {
                // Nothing behind can be told.
                self.whole_to = self.whole_to.min(to);
                break;
            }
        }
        Ok((self.whole_to == u64::MAX).then_some(tree))
    }

    /// Holds the tree against checkpoints.
    fn compare(&mut self, before: &Frontier, walked: &Walked, claims: &[Claim]) {
        for (claim, snapshot) in claims.iter().zip(&walked.snapshots) {
            if claim.size > self.whole_to.min(walked.whole_to) {
                break;
            }
            let root = if walked.is_absolute {
                snapshot.root()
            } else {
                let mut whole = before.clone();
                whole.append(snapshot);
                whole.root()
            };
            if root == claim.root {
                self.good_to = self.good_to.max(claim.size);
                self.checkpoints = self.checkpoints.saturating_add(1);
            } else if !self.is_blamed {
                self.is_blamed = true;
                self.find(
                    signed(self.good_to.saturating_add(1)),
                    signed(claim.size),
                    Damage::Rewritten,
                );
            }
        }
    }

    /// Holds the tree against its stored parts: narrows what was rewritten to 256 entries, or finds a part that was changed.
    async fn compare_nodes(&mut self, walked: &Walked, base: u64, to: u64) -> Result<(), Error> {
        let (first, end) = (base >> STORED_LEVEL, to >> STORED_LEVEL);
        let stored = store::nodes(self.db, self.name, STORED_LEVEL, first, end).await?;
        let stored: BTreeMap<u64, Hash> = (first..).zip(stored).collect();
        let differs = walked.nodes.iter().find(|(place, hash)| {
            stored.get(place).is_some_and(|stored| stored != hash)
                && place.saturating_add(1) << STORED_LEVEL <= self.whole_to.min(walked.whole_to)
        });
        let Some((place, _)) = differs else { return Ok(()) };
        let (from, last) = (
            signed((place << STORED_LEVEL).saturating_add(1)),
            signed(place.saturating_add(1) << STORED_LEVEL),
        );
        let rewritten = self
            .findings
            .iter_mut()
            .find(|found| found.damage == Damage::Rewritten && found.sequence <= last && found.last >= from);
        match rewritten {
            Some(found) => {
                found.sequence = found.sequence.max(from);
                found.last = found.last.min(last);
            }
            None if !self.is_blamed => self.find(from, last, Damage::TreeChanged),
            None => {}
        }
        Ok(())
    }

    /// The newest entries: what the head, the tree and checkpoints say must be there.
    async fn look_at_end(&mut self, extent: &Extent, outside: &[Claim]) -> Result<(), Error> {
        let end = signed(self.end);
        let newest = store::newest_checkpoint(self.db, self.name).await?;
        let known = outside
            .iter()
            .map(|claim| signed(claim.size))
            .chain([extent.tree_size, newest.as_ref().map_or(0, |newest| newest.size)])
            .chain(extent.head.map(|(sequence, _)| sequence))
            .max()
            .unwrap_or(0);
        if known > end {
            self.find(end.saturating_add(1), known, Damage::TailMissing);
            return Ok(());
        }
        if extent.tree_size > 0 && newest.is_none_or(|newest| newest.size < extent.tree_size) {
            self.find(extent.tree_size, extent.tree_size, Damage::CheckpointMissing);
        }
        match extent.head {
            None if end > 0 => self.find(1, end, Damage::HeadMissing),
            Some((sequence, _)) if sequence < end => {
                self.find(sequence.saturating_add(1), end, Damage::HeadMovedBack);
            }
            Some((sequence, hash)) if sequence > signed(self.begin) => {
                let last = store::entry(self.db, self.name, sequence).await?;
                let is_last = last.is_some_and(|last| last.hash == hash);
                let is_known = self.findings.iter().any(|found| found.last >= sequence);
                if !is_last && !is_known {
                    self.find(sequence, sequence, Damage::HeadChanged);
                }
            }
            Some(_) | None => {}
        }
        Ok(())
    }

    /// What was retired: by a checkpoint of ours, and said in the record.
    async fn look_at_beginning(&mut self, retired: &Retired) -> Result<(), Error> {
        let note = Note::read(&retired.note)
            .ok()
            .filter(|note| self.measure.signed(note));
        let said = note.and_then(|note| note.checkpoint().ok());
        let tree = retired.tree();
        let fits = said.is_some_and(|said| {
            said.stream(&self.measure.log) == Some(self.name)
                && tree.is_some_and(|tree| tree.size() == said.size && tree.root() == said.root)
        });
        let acts = store::acts_of_retiring(self.db, self.name).await?;
        let root =
            Frontier::read(unsigned(retired.size), &retired.frontier).map(|tree| hex::encode(tree.root()));
        let is_said = acts.iter().any(|act| {
            let detail: serde_json::Value = serde_json::from_str(&act.detail).unwrap_or_default();
            act.outcome == "done"
                && detail.get("size").and_then(serde_json::Value::as_i64) == Some(retired.size)
                && detail.get("root").and_then(serde_json::Value::as_str) == root.as_deref()
        });
        if !fits || !is_said {
            self.find(1, retired.size, Damage::RetiredUnsaid);
        }
        Ok(())
    }
}
