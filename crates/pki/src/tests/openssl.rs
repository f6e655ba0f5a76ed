//! The same bytes through OpenSSL's command line: what we make it accepts, what it makes we accept.

use std::{path::Path, process::Command};

use super::{ENTROPY, NOW, RSA, code, fresh, log_on, signed};
use crate::{
    demo::{DemoPki, sign_cms},
    keyfile::{self, KeyFileFormat},
};

/// Whether the program is there. Its absence is said aloud, so that nobody takes silence for a pass.
#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
fn has_openssl() -> bool {
    let found = Command::new("openssl")
        .arg("version")
        .output()
        .is_ok_and(|output| output.status.success());
    if !found {
        eprintln!("SKIPPED: openssl is not installed, so nothing was compared with it");
    }
    found
}

/// Runs OpenSSL in a directory; standard output, or standard error when it fails.
fn openssl(folder: &Path, arguments: &str) -> Result<Vec<u8>, String> {
    let output = Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(folder)
        .output();
    let output = output.map_err(|error| error.to_string())?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    der::pem::encode_string(label, der::pem::LineEnding::LF, der).unwrap()
}

fn folder(pki: &DemoPki) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    let [root_list, list] = pki.crls(NOW).unwrap();
    write("root.pem", pem("CERTIFICATE", &pki.root.certificate).as_bytes());
    write("ca.pem", pem("CERTIFICATE", &pki.issuing.certificate).as_bytes());
    write(
        "lists.pem",
        (pem("X509 CRL", &root_list) + &pem("X509 CRL", &list)).as_bytes(),
    );
    let identity = &pki.people[0];
    write(
        "sign.pem",
        pem("CERTIFICATE", &identity.sign.certificate).as_bytes(),
    );
    write(
        "sign.key",
        pem("PRIVATE KEY", identity.sign.key.pkcs8()).as_bytes(),
    );
    write("person.p12", &identity.pkcs12);
    write("password", identity.person.password.as_bytes());
    folder
}

/// The time of the tests, so that the demo's certificates are valid.
const AT: &str = "-attime 1800000000";

#[test]
fn it_accepts_the_demos_chain_with_policy_and_lists() {
    if !has_openssl() {
        return;
    }
    let folder = folder(&RSA);
    let verify = |certificate: &str, policy: &str| {
        openssl(
            folder.path(),
            &format!(
                "verify {AT} -x509_strict -CAfile root.pem -untrusted ca.pem -CRLfile lists.pem -crl_check_all \
                 -policy_check -explicit_policy -policy {policy} {certificate}"
            ),
        )
    };
    verify("sign.pem", "1.2.410.100001.2.2.1").unwrap();
    let refused = verify("sign.pem", "1.2.410.100001.2.2.2").unwrap_err();
    assert!(refused.contains("policy"), "{refused}");
    let mut pki = RSA.clone();
    let serial = pki.people[0].sign.serial();
    pki.revoke(&serial, NOW, crate::Reason::KeyCompromise);
    let [root_list, list] = pki.crls(NOW).unwrap();
    let lists = pem("X509 CRL", &root_list) + &pem("X509 CRL", &list);
    std::fs::write(folder.path().join("lists.pem"), lists).unwrap();
    let refused = verify("sign.pem", "1.2.410.100001.2.2.1").unwrap_err();
    assert!(refused.contains("revoked"), "{refused}");
}

#[test]
fn it_accepts_our_signed_message_and_we_accept_its() {
    if !has_openssl() {
        return;
    }
    let folder = folder(&RSA);
    let sign = &RSA.people[0].sign;
    let challenge = fresh().bytes;
    let cms = sign_cms(
        &challenge,
        &sign.certificate,
        &[&RSA.issuing.certificate],
        &sign.key,
        NOW,
    )
    .unwrap();
    std::fs::write(folder.path().join("ours.der"), cms).unwrap();
    let verify = format!("cms -verify {AT} -binary -inform DER -in ours.der -CAfile root.pem -purpose any");
    assert_eq!(openssl(folder.path(), &verify).unwrap(), challenge);

    std::fs::write(folder.path().join("challenge"), &challenge).unwrap();
    let trust = RSA.trust(NOW).unwrap();
    for more in [
        "",
        " -keyopt rsa_padding_mode:pss -keyopt rsa_pss_saltlen:digest",
        " -keyid",
        " -md sha512",
    ] {
        let line = format!(
            "cms -sign -binary -nodetach -nosmimecap -in challenge -signer sign.pem -inkey sign.key{more} -outform DER"
        );
        let cms = openssl(folder.path(), &line).unwrap();
        assert_eq!(code(log_on(&cms, &trust)), "accepted", "{more}");
    }
    let line =
        "cms -sign -binary -nodetach -noattr -in challenge -signer sign.pem -inkey sign.key -outform DER";
    let cms = openssl(folder.path(), line).unwrap();
    assert_eq!(code(log_on(&cms, &trust)), "signed-attributes-missing");
    let line =
        "cms -sign -binary -nodetach -in challenge -signer sign.pem -inkey sign.key -md sha1 -outform DER";
    let cms = openssl(folder.path(), line).unwrap();
    assert_eq!(code(log_on(&cms, &trust)), "algorithm-refused");
    let line =
        "cms -sign -binary -nodetach -nocerts -in challenge -signer sign.pem -inkey sign.key -outform DER";
    let cms = openssl(folder.path(), line).unwrap();
    assert_eq!(code(log_on(&cms, &trust)), "certificate-missing");
    assert_eq!(code(log_on(&signed(&challenge, sign), &trust)), "accepted");
}

#[test]
fn it_opens_our_pkcs12_and_key_files_and_we_open_its() {
    if !has_openssl() {
        return;
    }
    let folder = folder(&RSA);
    let opened = openssl(
        folder.path(),
        "pkcs12 -in person.p12 -passin file:password -nodes",
    )
    .unwrap();
    // It prints the friendly name in another encoding.
    let opened = String::from_utf8_lossy(&opened);
    assert_eq!(opened.matches("BEGIN CERTIFICATE").count(), 2);
    assert_eq!(opened.matches("BEGIN PRIVATE KEY").count(), 1);
    std::fs::write(folder.path().join("wrong"), "wrong").unwrap();
    let refused = openssl(folder.path(), "pkcs12 -in person.p12 -passin file:wrong -nodes").unwrap_err();
    assert!(refused.contains("password"), "{refused}");

    let (key, password) = (&RSA.people[0].sign.key, &RSA.people[0].person.password);
    // SEED is in the legacy provider; its PBES1 OpenSSL does not know at all.
    for (format, provider) in [
        (KeyFileFormat::Pbes2Aes256, ""),
        (KeyFileFormat::Pbes2Seed, " -provider legacy -provider default"),
    ] {
        let file = keyfile::encrypt(key.pkcs8(), password, format, 2_048, &ENTROPY).unwrap();
        std::fs::write(folder.path().join("ours.key"), file).unwrap();
        let line = format!("pkcs8 -inform DER -in ours.key -passin file:password{provider}");
        let opened = openssl(folder.path(), &line).unwrap();
        let (label, opened) = der::pem::decode_vec(&opened).unwrap();
        assert_eq!(label, "PRIVATE KEY");
        assert_eq!(
            crate::demo::DemoKey::from_pkcs8(&opened).unwrap().pkcs8(),
            key.pkcs8(),
            "{format:?}"
        );
    }
    for cipher in [
        "aes-256-cbc",
        "aes-128-cbc",
        "seed-cbc -provider legacy -provider default",
    ] {
        for function in ["hmacWithSHA1", "hmacWithSHA256", "hmacWithSHA512"] {
            let line = format!(
                "pkcs8 -topk8 -in sign.key -passout file:password -outform DER -v2prf {function} -v2 {cipher}"
            );
            let file = openssl(folder.path(), &line).unwrap();
            let opened = keyfile::decrypt(&file, password).unwrap();
            let opened = crate::demo::DemoKey::from_pkcs8(&opened).unwrap();
            assert_eq!(opened.pkcs8(), key.pkcs8(), "{cipher} {function}");
        }
    }
}
