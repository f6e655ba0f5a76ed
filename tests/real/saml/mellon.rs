//! `mod_auth_mellon`: sign-on from both sides, logout from both sides, encryption, and what it refuses.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use naru_testkit::{
    apache::{Apache, Site, key_pair, missing},
    skip,
};
use serde_json::{Value, json};

use super::round_trip::{Town, location};
use crate::{ports::free_port, process::figure, stage::Stage};

const MODULES: &[&str] = &["auth_mellon", "cgid"];
const PAGE: &str = "/secret/who";

/// A site with a page behind mellon that tells who mellon says it is.
async fn site(stage: &Stage) -> (Apache, String) {
    let site = Site::new(free_port()).unwrap();
    let keys = key_pair("localhost").unwrap();
    std::fs::write(site.path("sp.crt"), keys.certificate_pem).unwrap();
    std::fs::write(site.path("sp.key"), keys.key_pem).unwrap();
    std::fs::create_dir(site.path("www/secret")).unwrap();
    let script = site.path("www/secret/who");
    std::fs::write(
        &script,
        "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\nenv | grep ^MELLON_\n",
    )
    .unwrap();
    set_executable(&script);
    // The portal must run for its metadata: mellon gets it with the metadata of a portal that starts a moment later.
    std::fs::write(site.path("idp.xml"), stage_metadata(stage).await).unwrap();
    let directory = site.path("").display().to_string();
    let directory = directory.trim_end_matches('/');
    let configuration = format!(
        "ScriptSock {directory}/run/cgid\nMellonLockFile {directory}/run/mellon\n<Location />\nMellonEnable info\nMellonEndpointPath /mellon/\n\
         MellonSPPrivateKeyFile {directory}/sp.key\nMellonSPCertFile {directory}/sp.crt\n\
         MellonIdPMetadataFile {directory}/idp.xml\nMellonSecureCookie On\nMellonSetEnvNoPrefix MELLON_NAME name\n\
         MellonSignatureMethod rsa-sha256\n</Location>\n<Location /secret>\nMellonEnable auth\nRequire valid-user\n\
         AuthType Mellon\n</Location>\n<Directory {directory}/www/secret>\nOptions +ExecCGI\nSetHandler cgi-script\n</Directory>\n"
    );
    let origin = site.origin();
    (site.start(MODULES, &configuration).await.unwrap(), origin)
}

fn set_executable(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Starts the portal for a moment: its keys are made at the first question and stay.
pub(super) async fn stage_metadata(stage: &Stage) -> Vec<u8> {
    let mut portal = stage.portal().await;
    let metadata = stage.browser().get("/sso/saml/metadata").await;
    assert!(metadata.status.is_success(), "{}", metadata.status);
    portal.stop().await;
    metadata.bytes
}

async fn town() -> (Town, Apache, String, Value) {
    let stage = Stage::new();
    let (apache, origin) = site(&stage).await;
    let mut town = Town::open(stage, &apache).await;
    let metadata = town.at_site.get("/mellon/metadata").await;
    assert!(metadata.status.is_success(), "{}", apache.log());
    let metadata = String::from_utf8(metadata.bytes).unwrap();
    let mut kept = Value::Null;
    let id = town
        .register(&metadata, |protocol| {
            protocol["attributes"] = json!([
                { "name": "name", "source": "name" },
                { "name": "urn:oid:2.5.4.11", "source": "unit" },
                { "name": "ministry", "source": "ministry_name_ko" },
            ]);
            protocol["allows_unasked"] = json!(true);
            protocol["relay_state"] = json!(format!("{origin}{PAGE}"));
            kept = protocol.clone();
        })
        .await;
    (town, apache, id, kept)
}

fn said(answer: &naru_testkit::Answer) -> String {
    String::from_utf8_lossy(&answer.bytes).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mellon_signs_people_on_and_off() {
    if let Some(why) = missing(MODULES) {
        skip("mellon_signs_people_on_and_off", &why);
        return;
    }
    let (mut town, apache, id, mut protocol) = town().await;
    assert!(!town.is_in(PAGE).await);

    // The service provider begins: one log-on at the portal, no second prompt.
    let started = naru_runtime::clock::instant();
    let page = said(&town.sign_on(PAGE).await);
    figure(&format!(
        "mellon: signed on in {:.2} s",
        started.elapsed().as_secs_f64()
    ));
    assert!(page.contains("MELLON_NAME=홍길동"), "{page}\n{}", apache.log());
    assert!(page.contains("MELLON_ministry=행정안전부"), "{page}");
    let named = |page: &str| -> String {
        page.lines()
            .find_map(|line| line.strip_prefix("MELLON_NAME_ID="))
            .unwrap()
            .to_owned()
    };
    let name = named(&page);
    assert!(town.is_in(PAGE).await);

    // The service provider begins the logout: the portal's session ends too.
    let origin = apache.site().origin();
    let passed = town
        .follow(&format!("{origin}/mellon/logout?ReturnTo={origin}/after"))
        .await;
    assert!(
        passed.last().unwrap().ends_with("/after"),
        "{passed:#?}
{}",
        apache.log()
    );
    let me = town.at_home.get("/api/v1/me").await;
    assert!(!me.status.is_success(), "the portal's session goes on");
    assert!(!town.is_in(PAGE).await, "{}", apache.log());

    // Again, encrypted.
    town.log_on_again().await;
    protocol["wants_encrypted"] = json!(true);
    town.change(&id, &protocol).await;
    let url = town.at_site(PAGE).await.unwrap_err();
    let (_, step) = town.begin(&url).await;
    let form = town.answer(&step).await;
    let xml = STANDARD.decode(form.field("SAMLResponse").unwrap()).unwrap();
    let xml = String::from_utf8(xml).unwrap();
    assert!(
        xml.contains("EncryptedAssertion") && !xml.contains("홍길동"),
        "{xml}"
    );
    let next = location(&town.post(&form).await);
    assert!(next.ends_with(PAGE), "{next}\n{}", apache.log());
    let page = said(&town.at_site(PAGE).await.unwrap());
    assert_ne!(named(&page), name, "mellon asks for a name for one session");
    // A tile begins, while a session is there.
    let opened = town
        .at_home
        .post(&format!("/api/v1/portal/open/{id}"), &json!({}))
        .await;
    assert!(opened.status.is_success(), "{:?}", opened.body);
    let step = json!({ "next": "post", "url": opened.body["url"] });
    let form = town.answer(&step).await;
    let next = location(&town.post(&form).await);
    assert!(next.ends_with(PAGE), "{next}");
    assert!(town.is_in(PAGE).await);

    // The person logs off in the portal: mellon is told by us, without the browser.
    let leave = town.at_home.post("/api/v1/sso/saml/leave", &json!({})).await;
    assert_eq!(leave.body, json!({ "url": null }));
    let started = naru_runtime::clock::instant();
    let off = town.at_home.post("/api/v1/logoff", &json!({})).await;
    assert!(off.status.is_success());
    while town.is_in(PAGE).await {
        assert!(
            started.elapsed().as_secs_f64() < 5.0,
            "{}\n{}",
            town.portal.log(),
            apache.log()
        );
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    figure(&format!(
        "mellon: told of a logout after {:.2} s",
        started.elapsed().as_secs_f64()
    ));
    assert!(town.stage.record_is_whole());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mellon_refuses_what_was_altered() {
    if let Some(why) = missing(MODULES) {
        skip("mellon_refuses_what_was_altered", &why);
        return;
    }
    let (mut town, apache, _, _) = town().await;
    for (from, to) in [
        ("홍길동", "홍길순"),
        ("행정안전부", "기획재정부"),
        ("SmartcardPKI", "unspecified"),
        ("SoftwarePKI", "SmartcardPKI"),
    ] {
        let url = town.at_site(PAGE).await.unwrap_err();
        let (_, step) = town.begin(&url).await;
        let mut form = town.answer(&step).await;
        let xml = STANDARD.decode(form.field("SAMLResponse").unwrap()).unwrap();
        let xml = String::from_utf8(xml).unwrap();
        let altered = xml.replace(from, to);
        if altered == xml {
            continue;
        }
        for (name, value) in &mut form.fields {
            if name == "SAMLResponse" {
                *value = STANDARD.encode(&altered);
            }
        }
        let answer = town.post(&form).await;
        assert!(
            !answer.status.is_redirection() && !answer.status.is_success(),
            "{from}: {}",
            answer.status
        );
        assert!(!town.is_in(PAGE).await, "{from}\n{}", apache.log());
    }
    // An answer of another request, and one posted twice.
    let url = town.at_site(PAGE).await.unwrap_err();
    let (_, step) = town.begin(&url).await;
    let form = town.answer(&step).await;
    assert!(town.post(&form).await.status.is_redirection(), "{}", apache.log());
}
