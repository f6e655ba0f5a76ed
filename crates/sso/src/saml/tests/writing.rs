//! What we write, judged by others: libxml2's canonicalization, xmlsec's signatures and decryption.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Output},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{Counter, IDP, NOW, PROVIDER_KEY, assertion};
use crate::saml::{
    Answer, NameId, NameIdFormat, OutgoingLogoutRequest, Padding, Status, failure_response, success_response,
    xml::{self, Comments},
};

/// Whether a program is there; says so when it is not, and the test has then shown nothing.
fn is_there(program: &str, test: &str) -> bool {
    let there = Command::new(program).arg("--version").output().is_ok();
    if !there {
        let line = format!("{test}: needs {program} (Debian: xmlsec1, libxml2-utils)\n");
        if let Some(path) = std::env::var_os("NARU_TEST_SKIPS") {
            let mut file = std::fs::OpenOptions::new()
                .append(true)
                .create(true)
                .open(path)
                .unwrap();
            file.write_all(line.as_bytes()).unwrap();
        }
        drop(write!(std::io::stderr(), "skipped: {line}"));
    }
    there
}

fn pem(label: &str, der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let lines: Vec<&str> = base64
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

/// A document without comments and line breaks outside tags is canonical exactly if canonicalization leaves it.
fn canonical(text: &str) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a.xml");
    std::fs::write(&file, text).unwrap();
    let output = Command::new("xmllint")
        .arg("--exc-c14n")
        .arg(&file)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

fn verify(text: &str, path: &str) -> Output {
    let directory = tempfile::tempdir().unwrap();
    let (file, key) = (directory.path().join("a.xml"), directory.path().join("key.pem"));
    std::fs::write(&file, text).unwrap();
    std::fs::write(&key, pem("CERTIFICATE", &IDP.certificate)).unwrap();
    Command::new("xmlsec1")
        .args(["--verify", "--node-xpath", path])
        .args([
            "--id-attr:ID",
            "Response",
            "--id-attr:ID",
            "Assertion",
            "--id-attr:ID",
            "LogoutRequest",
        ])
        .args(["--pubkey-cert-pem".as_ref(), key.as_os_str()])
        .arg(&file)
        .output()
        .unwrap()
}

const RESPONSE: &str = "/*[local-name()='Response']/*[local-name()='Signature']";
const ASSERTION: &str = "/*/*[local-name()='Assertion']/*[local-name()='Signature']";

#[test]
fn what_is_written_is_canonical() {
    if !is_there("xmllint", "what_is_written_is_canonical") {
        return;
    }
    let response = success_response(&assertion(), None, &IDP.key, &Counter::new()).unwrap();
    assert_eq!(String::from_utf8(canonical(&response)).unwrap(), response);
    let sealed = Some((PROVIDER_KEY.certificate.as_slice(), Padding::Sha256));
    let response = success_response(&assertion(), sealed, &IDP.key, &Counter::new()).unwrap();
    assert_eq!(String::from_utf8(canonical(&response)).unwrap(), response);
    let signed = assertion().sign(&IDP.key, &Counter::new()).unwrap();
    assert_eq!(String::from_utf8(canonical(&signed)).unwrap(), signed);
}

#[test]
fn signatures_are_good_and_cover_every_letter() {
    if !is_there("xmlsec1", "signatures_are_good_and_cover_every_letter") {
        return;
    }
    let response = success_response(&assertion(), None, &IDP.key, &Counter::new()).unwrap();
    for path in [RESPONSE, ASSERTION] {
        let output = verify(&response, path);
        assert!(
            output.status.success(),
            "{path}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let tampered = response.replace("김나루", "박나루");
    assert_ne!(tampered, response);
    for path in [RESPONSE, ASSERTION] {
        assert!(!verify(&tampered, path).status.success(), "{path}");
    }
    // The status stands in the response alone, so that signature sees it.
    let answer = Answer {
        issuer: "https://portal.example",
        destination: super::ACS,
        in_response_to: Some("_a1"),
        at: NOW,
    };
    for status in [
        Status::NoPassive,
        Status::NoAuthnContext,
        Status::InvalidNameIdPolicy,
        Status::RequestDenied,
    ] {
        let failure = failure_response(&answer, status, &IDP.key, &Counter::new()).unwrap();
        assert!(verify(&failure, RESPONSE).status.success());
        assert!(
            !verify(
                &failure.replace(":NoPassive", ":Success").replace("_a1", "_a2"),
                RESPONSE
            )
            .status
            .success()
        );
    }
    let name_id = NameId {
        format: NameIdFormat::Transient,
        value: "이름".to_owned(),
        for_service_provider: None,
    };
    let request = OutgoingLogoutRequest {
        answer,
        name_id: &name_id,
        session_indexes: &["_s".to_owned(), "_t".to_owned()],
        not_after: NOW,
    };
    let (_, signed) = request.signed(&IDP.key, &Counter::new()).unwrap();
    let output = verify(&signed, "/*/*[local-name()='Signature']");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn decrypt(file: &Path, key: &Path) -> Output {
    Command::new("xmlsec1")
        .args(["--decrypt", "--privkey-pem"])
        .arg(key)
        .arg(file)
        .output()
        .unwrap()
}

#[test]
fn the_service_provider_alone_opens_an_encrypted_assertion() {
    if !is_there(
        "xmlsec1",
        "the_service_provider_alone_opens_an_encrypted_assertion",
    ) {
        return;
    }
    let sealed = Some((PROVIDER_KEY.certificate.as_slice(), Padding::Sha1));
    let response = success_response(&assertion(), sealed, &IDP.key, &Counter::new()).unwrap();
    assert!(!response.contains("김나루"));
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a.xml");
    std::fs::write(&file, &response).unwrap();
    let (right, wrong) = (
        directory.path().join("right.pem"),
        directory.path().join("wrong.pem"),
    );
    std::fs::write(&right, pem("PRIVATE KEY", &PROVIDER_KEY.pkcs8)).unwrap();
    std::fs::write(&wrong, pem("PRIVATE KEY", &IDP.pkcs8)).unwrap();
    let output = decrypt(&file, &right);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let opened = String::from_utf8(output.stdout).unwrap();
    // xmlsec writes letters beyond ASCII as numbers.
    assert!(opened.contains("&#xAE40;&#xB098;&#xB8E8;"), "{opened}");
    // Signed before it was encrypted, and still good after.
    let inner =
        "/*/*[local-name()='EncryptedAssertion']/*[local-name()='Assertion']/*[local-name()='Signature']";
    let output = verify(&opened, inner);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(!decrypt(&file, &wrong).status.success());
}

#[test]
fn our_reader_reads_what_we_write() {
    let response = success_response(&assertion(), None, &IDP.key, &Counter::new()).unwrap();
    let root = xml::read(response.as_bytes(), 1 << 20, Comments::Refuse).unwrap();
    const SA: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
    let read = root.child(SA, "Assertion").unwrap().unwrap();
    let name = read
        .child(SA, "Subject")
        .unwrap()
        .unwrap()
        .child(SA, "NameID")
        .unwrap()
        .unwrap();
    assert_eq!(name.text(), Some("홍길동 & <동료>\r\n\t\"끝\""));
    let statement = read.child(SA, "AttributeStatement").unwrap().unwrap();
    let attribute = statement.child(SA, "Attribute").unwrap().unwrap();
    assert_eq!(attribute.attribute("Name"), Some("urn:이름\t\"\n<&>\r"));
    let values: Vec<_> = attribute
        .children(SA, "AttributeValue")
        .map(|value| value.text().unwrap())
        .collect();
    // What XML cannot carry was replaced, not dropped.
    assert_eq!(values, ["김나루", "두 번째\r값 ]]> & \u{fffd}", ""]);
    let audience = read.child(SA, "Conditions").unwrap().unwrap();
    let audience = audience.child(SA, "AudienceRestriction").unwrap().unwrap();
    assert_eq!(
        audience.child(SA, "Audience").unwrap().unwrap().text(),
        Some(super::SP)
    );
}
