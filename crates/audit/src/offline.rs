//! Checking one entry with its proof, without a database.

use naru_store::{Entry, entry_hash};

use crate::{
    EntryProof, Note, NoteError, NoteKey, ProvenEntry,
    rules::tree::{Hash, includes, leaf_hash},
};

/// What a proof says it is.
pub(crate) const PROOF_FORMAT: &str = "naru-audit-proof/1";

/// Why a proof proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OfflineError {
    /// Another format, or a text that is no hash.
    #[error("this is no proof of an entry")]
    Format,
    /// The checkpoint cannot be used.
    #[error("the checkpoint proves nothing: {0}")]
    Note(#[from] NoteError),
    /// The checkpoint is of another chain.
    #[error("the checkpoint is of another chain")]
    OtherChain,
    /// The entry does not lead to the checkpoint's root.
    #[error("the entry is not in the record that was signed, or was changed")]
    NotIncluded,
}

impl From<ProvenEntry> for Entry {
    fn from(entry: ProvenEntry) -> Self {
        Self {
            stream: entry.stream,
            sequence: entry.sequence,
            at: entry.at,
            action: entry.action,
            outcome: entry.outcome,
            actor: entry.actor,
            subject: entry.subject,
            address: entry.address,
            detail: entry.detail,
            hash: Vec::new(),
        }
    }
}

impl From<Entry> for ProvenEntry {
    fn from(entry: Entry) -> Self {
        Self {
            stream: entry.stream,
            sequence: entry.sequence,
            at: entry.at,
            action: entry.action,
            outcome: entry.outcome,
            actor: entry.actor,
            subject: entry.subject,
            address: entry.address,
            detail: entry.detail,
        }
    }
}

fn hash(text: &str) -> Result<Hash, OfflineError> {
    let bytes = hex::decode(text).map_err(|_| OfflineError::Format)?;
    bytes.try_into().map_err(|_| OfflineError::Format)
}

/// Whether the entry is in the record whose checkpoint `key` signed; gives the checkpoint's number of entries.
///
/// # Errors
/// Why it proves nothing.
pub fn verify_entry(proof: &EntryProof, key: &NoteKey) -> Result<u64, OfflineError> {
    if proof.format != PROOF_FORMAT || proof.proof.len() > 64 {
        return Err(OfflineError::Format);
    }
    let note = Note::read(&proof.checkpoint)?;
    key.verify(&note)?;
    let checkpoint = note.checkpoint()?;
    if checkpoint.stream(key.name()) != Some(&proof.entry.stream) {
        return Err(OfflineError::OtherChain);
    }
    let previous = hash(&proof.previous)?;
    let steps = proof
        .proof
        .iter()
        .map(|step| hash(step))
        .collect::<Result<Vec<_>, _>>()?;
    let entry = Entry::from(proof.entry.clone());
    let index = u64::try_from(entry.sequence.saturating_sub(1)).map_err(|_| OfflineError::Format)?;
    let leaf = leaf_hash(&entry_hash(&previous, &entry));
    if includes(&checkpoint.root, checkpoint.size, index, &leaf, &steps) {
        Ok(checkpoint.size)
    } else {
        Err(OfflineError::NotIncluded)
    }
}
