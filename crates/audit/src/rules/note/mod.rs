//! Signed notes and what is written on ours (C2SP signed-note, tlog-checkpoint, tlog-cosignature).
//!
//! A note is a text, an empty line, and signature lines `— name base64(key id, signature)`. A checkpoint's text is three
//! lines: which log, how many entries, the root of its tree.

use aws_lc_rs::{
    digest,
    signature::{self, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey},
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use naru_kernel::Timestamp;

use super::tree::Hash;

/// Longer notes are refused.
pub(crate) const NOTE_BYTES_MAX: usize = 16 * 1024;
/// More signatures than this are not looked at.
const SIGNATURES_MAX: usize = 16;
/// What begins a signature line.
const SIGNATURE_MARK: &str = "\u{2014} ";
/// What a name of a key may have; the rest would break lines apart.
const NAME_BYTES_MAX: usize = 128;

/// What a key signs, as the byte before the key in its written form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeyKind {
    /// The note's text.
    Log = 1,
    /// The note's text with the time it was seen.
    Witness = 4,
}

impl KeyKind {
    const fn byte(self) -> u8 {
        match self {
            Self::Log => 1,
            Self::Witness => 4,
        }
    }

    fn of(byte: u8) -> Option<Self> {
        [Self::Log, Self::Witness]
            .into_iter()
            .find(|kind| kind.byte() == byte)
    }
}

/// Why a key or a note cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// A key is not as `name+hash+key`.
    #[error("this is no key of a signed note")]
    Key,
    /// A name that may not be one.
    #[error("a key's name has neither spaces nor plus signs")]
    Name,
    /// A note is not as notes are.
    #[error("this is no signed note")]
    Note,
    /// A note's text is not a checkpoint.
    #[error("this is no checkpoint")]
    Checkpoint,
    /// No signature by the key asked for.
    #[error("this key has not signed it")]
    Unsigned,
    /// A signature by this key that is wrong.
    #[error("the signature is wrong")]
    Forged,
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= NAME_BYTES_MAX
        && !name
            .chars()
            .any(|c| c == '+' || c.is_whitespace() || c.is_control())
}

fn key_id(name: &str, kind: KeyKind, key: &[u8]) -> [u8; 4] {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(name.as_bytes());
    context.update(b"\n");
    context.update(&[kind.byte()]);
    context.update(key);
    let mut id = [0; 4];
    id.copy_from_slice(context.finish().as_ref().get(..4).unwrap_or(&[0; 4]));
    id
}

/// A public key, as `name+hash+base64`: what others need to check our checkpoints, and we theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteKey {
    name: String,
    kind: KeyKind,
    key: [u8; 32],
}

impl NoteKey {
    /// Reads the written form.
    ///
    /// # Errors
    /// When it is none, or the hash in it is not the key's.
    pub fn read(text: &str) -> Result<Self, NoteError> {
        let mut parts = text.trim().splitn(3, '+');
        let (Some(name), Some(hash), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::Key);
        };
        let bytes = BASE64.decode(key).map_err(|_| NoteError::Key)?;
        let (kind, key) = bytes.split_first().ok_or(NoteError::Key)?;
        let kind = KeyKind::of(*kind).ok_or(NoteError::Key)?;
        let key = key.try_into().map_err(|_| NoteError::Key)?;
        if !is_name(name) {
            return Err(NoteError::Name);
        }
        let found = Self {
            name: name.to_owned(),
            kind,
            key,
        };
        if hex::encode(found.id()) == hash {
            Ok(found)
        } else {
            Err(NoteError::Key)
        }
    }

    /// Whose.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn id(&self) -> [u8; 4] {
        key_id(&self.name, self.kind, &self.key)
    }

    /// Whether this key signed the note.
    ///
    /// # Errors
    /// When it did not, or a signature in its name is wrong.
    pub fn verify(&self, note: &Note) -> Result<(), NoteError> {
        let id = self.id();
        let mut of_this_key = note
            .signatures
            .iter()
            .filter(|line| line.name == self.name && line.id == id)
            .peekable();
        if of_this_key.peek().is_none() {
            return Err(NoteError::Unsigned);
        }
        let is_good = |line: &SignatureLine| match self.kind {
            KeyKind::Log => self.is_signature(note.text.as_bytes(), &line.signature),
            KeyKind::Witness => line
                .signature
                .split_first_chunk::<8>()
                .is_some_and(|(time, rest)| {
                    let message = cosigned_message(u64::from_be_bytes(*time), &note.text);
                    self.is_signature(message.as_bytes(), rest)
                }),
        };
        if of_this_key.all(is_good) {
            Ok(())
        } else {
            Err(NoteError::Forged)
        }
    }

    fn is_signature(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&signature::ED25519, &self.key)
            .verify(message, signature)
            .is_ok()
    }
}

impl std::fmt::Display for NoteKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut bytes = vec![self.kind.byte()];
        bytes.extend(self.key);
        write!(
            f,
            "{}+{}+{}",
            self.name,
            hex::encode(self.id()),
            BASE64.encode(bytes)
        )
    }
}

fn cosigned_message(seconds: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {seconds}\n{text}")
}

/// A private key: signs our checkpoints, and cosigns those of others.
pub struct Signer {
    name: String,
    pair: Ed25519KeyPair,
}

impl Signer {
    /// The key grown from this seed, under this name.
    ///
    /// # Errors
    /// When the name may not be one.
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<Self, NoteError> {
        if !is_name(name) {
            return Err(NoteError::Name);
        }
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| NoteError::Key)?;
        Ok(Self {
            name: name.to_owned(),
            pair,
        })
    }

    /// The name it signs with.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn public(&self, kind: KeyKind) -> NoteKey {
        let mut key = [0; 32];
        key.copy_from_slice(self.pair.public_key().as_ref());
        NoteKey {
            name: self.name.clone(),
            kind,
            key,
        }
    }

    /// What checks our own checkpoints.
    #[must_use]
    pub fn log_key(&self) -> NoteKey {
        self.public(KeyKind::Log)
    }

    /// What checks our cosignatures on checkpoints of others.
    #[must_use]
    pub fn witness_key(&self) -> NoteKey {
        self.public(KeyKind::Witness)
    }

    /// Signs a checkpoint: the whole note.
    #[must_use]
    pub fn sign(&self, checkpoint: &Checkpoint) -> String {
        let text = checkpoint.text();
        let signature = self.pair.sign(text.as_bytes());
        let line = self.line(KeyKind::Log, signature.as_ref());
        format!("{text}\n{line}")
    }

    /// Says that the note was seen at this time and is consistent with all that was seen before: one signature line.
    #[must_use]
    pub fn cosign(&self, note: &Note, at: Timestamp) -> String {
        let seconds = u64::try_from(at.as_micros() / 1_000_000).unwrap_or(0);
        let signature = self.pair.sign(cosigned_message(seconds, &note.text).as_bytes());
        let mut bytes = seconds.to_be_bytes().to_vec();
        bytes.extend(signature.as_ref());
        self.line(KeyKind::Witness, &bytes)
    }

    fn line(&self, kind: KeyKind, signature: &[u8]) -> String {
        let mut bytes = self.public(kind).id().to_vec();
        bytes.extend(signature);
        format!("{SIGNATURE_MARK}{} {}\n", self.name, BASE64.encode(bytes))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct SignatureLine {
    name: String,
    id: [u8; 4],
    signature: Vec<u8>,
}

/// A note, taken apart; who signed it is not checked yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What is signed: whole lines, the last one ended too.
    text: String,
    signatures: Vec<SignatureLine>,
    whole: String,
}

impl Note {
    /// Takes a note apart.
    ///
    /// # Errors
    /// When it is none, or too long.
    pub fn read(whole: &str) -> Result<Self, NoteError> {
        if whole.len() > NOTE_BYTES_MAX || !whole.ends_with('\n') {
            return Err(NoteError::Note);
        }
        let at = whole.rfind("\n\n").ok_or(NoteError::Note)?;
        let (text, rest) = whole
            .split_at_checked(at.saturating_add(1))
            .ok_or(NoteError::Note)?;
        let is_plain = |c: char| c == '\n' || !c.is_control();
        let lines: Vec<&str> = rest.split('\n').filter(|line| !line.is_empty()).collect();
        if !text.chars().all(is_plain) || lines.is_empty() || lines.len() > SIGNATURES_MAX {
            return Err(NoteError::Note);
        }
        let signatures = lines.into_iter().map(SignatureLine::read).collect::<Option<_>>();
        Ok(Self {
            text: text.to_owned(),
            signatures: signatures.ok_or(NoteError::Note)?,
            whole: whole.to_owned(),
        })
    }

    /// The note as it stands, with all signatures.
    #[must_use]
    pub fn whole(&self) -> &str {
        &self.whole
    }

    /// The checkpoint that is written on it.
    ///
    /// # Errors
    /// When something else is.
    pub fn checkpoint(&self) -> Result<Checkpoint, NoteError> {
        Checkpoint::read(&self.text).ok_or(NoteError::Checkpoint)
    }

    /// Every note in a file: one after the other, with empty lines between, or each in a line `naru-checkpoint base64`,
    /// as syslog keeps them. What is no note is passed over.
    #[must_use]
    pub fn all_in(text: &str) -> Vec<Self> {
        let mut found = Vec::new();
        let mut lines: Vec<&str> = Vec::new();
        for line in text.lines() {
            if let Some((_, note)) = line.split_once(SYSLOG_MARK) {
                found.extend(Self::from_lines(&lines));
                lines.clear();
                let word = note.split_whitespace().next().unwrap_or_default();
                let bytes = BASE64.decode(word).unwrap_or_default();
                found.extend(
                    String::from_utf8(bytes)
                        .ok()
                        .and_then(|note| Self::read(&note).ok()),
                );
                continue;
            }
            let was_signature = lines.last().is_some_and(|last| last.starts_with(SIGNATURE_MARK));
            if was_signature && !line.starts_with(SIGNATURE_MARK) {
                found.extend(Self::from_lines(&lines));
                lines.clear();
            }
            if !(lines.is_empty() && line.is_empty()) {
                lines.push(line);
            }
        }
        found.extend(Self::from_lines(&lines));
        found
    }

    fn from_lines(lines: &[&str]) -> Option<Self> {
        Self::read(&format!("{}\n", lines.join("\n"))).ok()
    }

    /// The note in one line, for syslog.
    #[must_use]
    pub fn in_one_line(&self) -> String {
        format!("{SYSLOG_MARK}{}", BASE64.encode(&self.whole))
    }
}

/// What begins a note in a line of syslog.
const SYSLOG_MARK: &str = "naru-checkpoint ";

impl SignatureLine {
    fn read(line: &str) -> Option<Self> {
        let (name, base64) = line.strip_prefix(SIGNATURE_MARK)?.split_once(' ')?;
        let bytes = BASE64.decode(base64).ok()?;
        let (id, signature) = bytes.split_first_chunk::<4>()?;
        is_name(name).then(|| Self {
            name: name.to_owned(),
            id: *id,
            signature: signature.to_vec(),
        })
    }
}

/// How a log stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: the installation's name and, after a slash, the chain.
    pub origin: String,
    /// How many entries.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Hash,
}

impl Checkpoint {
    fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, BASE64.encode(self.root))
    }

    fn read(text: &str) -> Option<Self> {
        let mut lines = text.split('\n');
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let is_number = size.bytes().all(|b| b.is_ascii_digit()) && (size == "0" || !size.starts_with('0'));
        if !is_name(origin) || !is_number {
            return None;
        }
        Some(Self {
            origin: origin.to_owned(),
            size: size
                .parse()
                .ok()
                .filter(|size| *size <= i64::MAX.unsigned_abs())?,
            root: BASE64.decode(root).ok()?.try_into().ok()?,
        })
    }

    /// The chain it speaks of, if it is one of the log of this name.
    #[must_use]
    pub fn stream(&self, log: &str) -> Option<&str> {
        self.origin.strip_prefix(log)?.strip_prefix('/')
    }
}

#[cfg(test)]
mod tests;
