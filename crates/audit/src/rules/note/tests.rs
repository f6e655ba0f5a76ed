//! Notes, keys and checkpoints: read, signed, refused.

use proptest::prelude::*;

use super::*;

fn signer() -> Signer {
    Signer::new("centre.example", &[7; 32]).unwrap()
}

fn checkpoint() -> Checkpoint {
    Checkpoint {
        origin: "centre.example/platform".into(),
        size: 20_852_163,
        root: [5; 32],
    }
}

#[test]
fn the_published_key_and_signature_are_understood() {
    // The example of golang.org/x/mod/sumdb/note.
    let key = NoteKey::read("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").unwrap();
    let text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    let whole = format!(
        "{text}\n\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    );
    let note = Note::read(&whole).unwrap();
    assert_eq!(key.verify(&note), Ok(()));
    let changed = Note::read(&whole.replace("answer", "Answer")).unwrap();
    assert_eq!(key.verify(&changed), Err(NoteError::Forged));
    assert_eq!(note.checkpoint(), Err(NoteError::Checkpoint));
}

#[test]
fn a_checkpoint_is_read_back_and_only_its_key_fits() {
    let whole = signer().sign(&checkpoint());
    let note = Note::read(&whole).unwrap();
    assert_eq!(note.checkpoint(), Ok(checkpoint()));
    assert_eq!(checkpoint().stream("centre.example"), Some("platform"));
    let key = signer().log_key();
    assert_eq!(NoteKey::read(&key.to_string()), Ok(key.clone()));
    assert_eq!(key.verify(&note), Ok(()));
    let other = Signer::new("centre.example", &[8; 32]).unwrap().log_key();
    assert_eq!(other.verify(&note), Err(NoteError::Unsigned));
    let larger = Note::read(&whole.replace("20852163", "20852164")).unwrap();
    assert_eq!(key.verify(&larger), Err(NoteError::Forged));
}

#[test]
fn a_witness_signs_the_time_as_well() {
    let note = Note::read(&signer().sign(&checkpoint())).unwrap();
    let witness = Signer::new("ministry.example", &[9; 32]).unwrap();
    let line = witness.cosign(&note, Timestamp::from_seconds(1_700_000_000));
    let both = Note::read(&format!("{}{line}", note.whole())).unwrap();
    assert_eq!(witness.witness_key().verify(&both), Ok(()));
    assert_eq!(signer().log_key().verify(&both), Ok(()));
    assert_eq!(witness.log_key().verify(&both), Err(NoteError::Unsigned));
}

#[test]
fn all_notes_of_a_file_are_found() {
    let one = Note::read(&signer().sign(&checkpoint())).unwrap();
    let mut later = checkpoint();
    later.size += 1;
    let two = Note::read(&signer().sign(&later)).unwrap();
    let text = format!(
        "{}\n{}Nov 23 host naru[1]: {}\nnoise\n\nmore noise\n",
        one.whole(),
        two.whole(),
        one.in_one_line()
    );
    assert_eq!(Note::all_in(&text), vec![one.clone(), two, one]);
}

#[test]
fn keys_and_names_that_are_none_are_refused() {
    for text in [
        "",
        "a+b",
        "a+00000000+AAAA",
        "a b+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ] {
        assert!(NoteKey::read(text).is_err(), "{text}");
    }
    for name in ["", "a b", "a+b", "a\nb"] {
        assert!(Signer::new(name, &[7; 32]).is_err(), "{name:?}");
    }
    for size in ["01", "-1", "1 ", "99999999999999999999", ""] {
        assert_eq!(
            Checkpoint::read(&format!("a\n{size}\n{}\n", BASE64.encode([5; 32]))),
            None
        );
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "(\u{2014}| |\n|[a-zA-Z0-9+/=.\u{0}]){0,200}") {
        drop(Note::read(&text));
        drop(Note::all_in(&text));
        drop(NoteKey::read(&text));
    }
}
