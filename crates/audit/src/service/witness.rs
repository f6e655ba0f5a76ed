//! Being a witness: another installation shows its checkpoints, and proves that it only added (C2SP tlog-witness,
//! `add-checkpoint`). What it shows is remembered, and one that does not fit is kept as evidence.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use naru_runtime::Client;
use naru_store::{Act, By, Outcome};

use super::Audit;
use crate::{
    Error, Note, NoteError,
    rules::tree::{Frontier, Hash, PROOF_HASHES_MAX, extends},
    store::{self, Known},
};

/// What a witness answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WitnessAnswer {
    /// Seen, and consistent with all that was seen before: the cosignature's line.
    Cosigned(String),
    /// It knows another size; the proof must begin there.
    Knows(u64),
    /// It does not witness this log.
    UnknownLog,
    /// The log's key has not signed it.
    Unsigned,
    /// What was sent cannot be understood.
    Malformed,
    /// It does not only add to what was seen before.
    Inconsistent,
}

/// A checkpoint with the proof that it adds to one of `old` entries.
struct Shown {
    old: u64,
    proof: Vec<Hash>,
    note: Note,
}

impl Shown {
    fn read(body: &str) -> Option<Self> {
        let (head, note) = body.split_once("\n\n")?;
        let mut lines = head.lines();
        let old = lines.next()?.strip_prefix("old ")?;
        if old.is_empty() || !old.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let proof: Vec<Hash> = lines
            .map(|line| BASE64.decode(line).ok()?.try_into().ok())
            .collect::<Option<_>>()?;
        (proof.len() <= PROOF_HASHES_MAX).then_some(())?;
        Some(Self {
            old: old.parse().ok()?,
            proof,
            note: Note::read(note).ok()?,
        })
    }
}

/// What is sent to a witness.
pub(super) fn shown(old: u64, proof: &[Hash], note: &str) -> String {
    let proof: String = proof
        .iter()
        .map(|hash| format!("{}\n", BASE64.encode(hash)))
        .collect();
    format!("old {old}\n{proof}\n{note}")
}

impl Audit {
    /// Judges a checkpoint of another log that is witnessed here.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn witness(&self, body: &str, client: &Client) -> Result<WitnessAnswer, Error> {
        let Some(shown) = Shown::read(body) else {
            return Ok(WitnessAnswer::Malformed);
        };
        let Ok(checkpoint) = shown.note.checkpoint() else {
            return Ok(WitnessAnswer::Malformed);
        };
        let key = self
            .witnessed
            .iter()
            .find(|key| checkpoint.stream(key.name()).is_some());
        let Some(key) = key else {
            return Ok(WitnessAnswer::UnknownLog);
        };
        match key.verify(&shown.note) {
            Ok(()) => {}
            Err(NoteError::Unsigned | NoteError::Forged) => return Ok(WitnessAnswer::Unsigned),
            Err(_) => return Ok(WitnessAnswer::Malformed),
        }
        if shown.old > checkpoint.size {
            return Ok(WitnessAnswer::Malformed);
        }
        let now = self.clock.now();
        let (origin, note) = (checkpoint.origin.clone(), shown.note.whole().to_owned());
        let judged = self
            .db
            .housekeep("audit.witness", move |tx| {
                Box::pin(async move {
                    let empty = Frontier::default().root();
                    let known = store::witnessed(tx, &checkpoint.origin, &empty, now).await?;
                    let judged = judge(&known, &shown, (checkpoint.size, &checkpoint.root));
                    if judged.is_none() {
                        let seen = (checkpoint.size, &checkpoint.root);
                        store::keep_witnessed(tx, &checkpoint.origin, seen, shown.note.whole(), now).await?;
                    }
                    Ok::<_, naru_store::Error>(judged)
                })
            })
            .await?;
        match judged {
            None => {
                let note = Note::read(&note)?;
                Ok(WitnessAnswer::Cosigned(self.signer.cosign(&note, now)))
            }
            Some((answer, is_fork)) => {
                if is_fork {
                    self.keep_evidence(origin, note, client).await?;
                }
                Ok(answer)
            }
        }
    }

    async fn keep_evidence(&self, origin: String, note: String, client: &Client) -> Result<(), Error> {
        tracing::error!(%origin, "a witnessed log is not consistent with what it showed before");
        let act = Act {
            at: self.clock.now(),
            action: "audit.refuse-checkpoint",
            by: By::Anyone,
            ministry: None,
            subject: origin,
            address: Some(client.address.clone()),
        };
        let detail = serde_json::json!({ "checkpoint": note });
        self.db
            .record(act, Outcome::Refused("audit.inconsistent-log"), detail)
            .await?;
        Ok(())
    }
}

/// Why it is not taken, if it is not, and whether it proves that the log was rewritten.
fn judge(known: &Known, shown: &Shown, (size, root): (u64, &Hash)) -> Option<(WitnessAnswer, bool)> {
    if shown.old != known.size {
        return Some((WitnessAnswer::Knows(known.size), false));
    }
    if size == known.size && *root != known.root {
        return Some((WitnessAnswer::Inconsistent, true));
    }
    if extends(known.size, &known.root, size, root, &shown.proof) {
        None
    } else {
        // A proof can be wrong by mistake; two signed checkpoints of one size cannot.
        Some((WitnessAnswer::Inconsistent, false))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_shown_is_read_back() {
        let signer = crate::Signer::new("a.example", &[1; 32]).unwrap();
        let note = signer.sign(&crate::Checkpoint {
            origin: "a.example/platform".to_owned(),
            size: 9,
            root: [3; 32],
        });
        let read = Shown::read(&shown(5, &[[1; 32], [2; 32]], &note)).unwrap();
        assert_eq!(
            (read.old, read.proof.len(), read.note.whole()),
            (5, 2, note.as_str())
        );
        assert!(Shown::read(&shown(5, &[[1; 32]; 65], &note)).is_none());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(old |[0-9]{1,22}|\n|\u{2014} |[a-zA-Z0-9+/=.]){0,120}") {
            drop(Shown::read(&text));
        }
    }
}
