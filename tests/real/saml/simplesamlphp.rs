//! SimpleSAMLphp as a service provider: logout goes through the browser.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use naru_testkit::{
    apache::{Apache, Site, key_pair, missing},
    skip,
};
use serde_json::{Value, json};

use super::{mellon::stage_metadata, round_trip::Town};
use crate::{ports::free_port, process::figure, stage::Stage};

const MODULES: &[&str] = &["php"];
const HOME: &str = "/usr/share/simplesamlphp";
const PAGE: &str = "/app.php";

fn lacks() -> Option<String> {
    let php = std::process::Command::new("php").arg("-m").output();
    let has_xml = php.is_ok_and(|php| {
        String::from_utf8_lossy(&php.stdout)
            .lines()
            .any(|line| line == "dom")
    });
    missing(MODULES).or_else(|| {
        if !std::path::Path::new(HOME).is_dir() {
            Some("simplesamlphp is not installed".to_owned())
        } else if !has_xml {
            Some("php-xml is not installed".to_owned())
        } else {
            None
        }
    })
}

async fn site(stage: &Stage) -> Apache {
    let site = Site::new(free_port()).unwrap();
    let origin = site.origin();
    let keys = key_pair("localhost").unwrap();
    for directory in ["config", "metadata", "cert"] {
        std::fs::create_dir(site.path(directory)).unwrap();
    }
    for directory in ["log", "data", "temp", "sessions"] {
        site.writable(directory).unwrap();
    }
    std::fs::write(site.path("cert/sp.crt"), keys.certificate_pem).unwrap();
    std::fs::write(site.path("cert/sp.key"), keys.key_pem).unwrap();
    let metadata = String::from_utf8(stage_metadata(stage).await).unwrap();
    let certificate = metadata
        .split_once("<ds:X509Certificate>")
        .unwrap()
        .1
        .split_once('<')
        .unwrap()
        .0;
    let idp = format!("{}/sso/saml", stage.origin());
    let path = |name: &str| site.path(name).display().to_string();
    let config = format!(
        "<?php $config = ['baseurlpath' => '{origin}/simplesaml/', 'certdir' => '{}/', 'loggingdir' => '{}/',\n\
         'datadir' => '{}/', 'tempdir' => '{}', 'metadatadir' => '{}/', 'technicalcontact_name' => 'Test',\n\
         'technicalcontact_email' => 'test@example.org', 'timezone' => 'UTC', 'secretsalt' => 'throw-away',\n\
         'auth.adminpassword' => 'throw-away', 'logging.handler' => 'file', 'logging.logfile' => 'ssp.log',\n\
         'logging.level' => 7, 'showerrors' => true, 'store.type' => 'phpsession',\n\
         'session.phpsession.savepath' => '{}', 'session.cookie.secure' => true, 'language.available' => ['en'],\n\
         'language.default' => 'en', 'module.enable' => ['core' => true, 'saml' => true],\n\
         'metadata.sources' => [['type' => 'flatfile']], 'trusted.url.domains' => null,\n\
         'session.cookie.samesite' => 'None', 'production' => true];",
        path("cert"),
        path("log"),
        path("data"),
        path("temp"),
        path("metadata"),
        path("sessions"),
    );
    std::fs::write(site.path("config/config.php"), config).unwrap();
    let sources = format!(
        "<?php $config = ['naru' => ['saml:SP', 'entityID' => '{origin}/ssp', 'idp' => '{idp}/metadata',\n\
         'privatekey' => 'sp.key', 'certificate' => 'sp.crt', 'sign.authnrequest' => true, 'sign.logout' => true,\n\
         'NameIDPolicy' => ['Format' => 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent', 'AllowCreate' => true],\n\
         'validate.logout' => true, 'signature.algorithm' => 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256']];"
    );
    std::fs::write(site.path("config/authsources.php"), sources).unwrap();
    let remote = format!(
        "<?php $metadata['{idp}/metadata'] = ['SingleSignOnService' => '{idp}/sign-on',\n\
         'SingleLogoutService' => '{idp}/logout', 'certData' => '{certificate}', 'validate.logout' => true,\n\
         'redirect.validate' => true];"
    );
    std::fs::write(site.path("metadata/saml20-idp-remote.php"), remote).unwrap();
    let page = format!(
        "<?php require '{HOME}/lib/_autoload.php'; $as = new \\SimpleSAML\\Auth\\Simple('naru');\n\
         if (isset($_GET['out'])) {{ $as->logout('{origin}/after.txt'); }}\n\
         $as->requireAuth(['ReturnTo' => '{origin}{PAGE}', 'ForceAuthn' => isset($_GET['force']),\n\
         'isPassive' => isset($_GET['passive'])]);\n\
         \\SimpleSAML\\Session::getSessionFromRequest()->cleanup(); header('Content-Type: application/json');\n\
         echo json_encode(['attributes' => $as->getAttributes(), 'name' => $as->getAuthData('saml:sp:NameID')->getValue(),\n\
         'index' => $as->getAuthData('saml:sp:SessionIndex')]);"
    );
    std::fs::write(site.path("www/app.php"), page).unwrap();
    std::fs::write(site.path("www/after.txt"), "logged out").unwrap();
    let configuration = format!(
        "SetEnv SIMPLESAMLPHP_CONFIG_DIR {}\nAlias /simplesaml {HOME}/www\n<Directory {HOME}/www>\nRequire all granted\n\
         </Directory>\n<FilesMatch \"\\.php$\">\nSetHandler application/x-httpd-php\n</FilesMatch>\nAcceptPathInfo On\n",
        path("config")
    );
    site.start(MODULES, &configuration).await.unwrap()
}

async fn town() -> (Town, Apache, String, Value) {
    let stage = Stage::new();
    let apache = site(&stage).await;
    let mut town = Town::open(stage, &apache).await;
    let metadata = town
        .at_site
        .get("/simplesaml/module.php/saml/sp/metadata.php/naru")
        .await;
    let text = String::from_utf8(metadata.bytes).unwrap();
    assert!(
        metadata.status.is_success() && text.contains("SPSSODescriptor"),
        "{text}\n{}",
        log(&apache)
    );
    let mut kept = Value::Null;
    let id = town
        .register(&text, |protocol| {
            protocol["attributes"] = json!([
                { "name": "displayName", "source": "name" },
                { "name": "ministry", "source": "ministry_name_ko" },
            ]);
            protocol["allows_unasked"] = json!(true);
            protocol["requires_signed_requests"] = json!(true);
            kept = protocol.clone();
        })
        .await;
    (town, apache, id, kept)
}

fn log(apache: &Apache) -> String {
    let own = std::fs::read(apache.site().path("log/ssp.log")).unwrap_or_default();
    format!("{}\n{}", apache.log(), String::from_utf8_lossy(&own))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn simplesamlphp_signs_people_on_and_off() {
    if let Some(why) = lacks() {
        skip("simplesamlphp_signs_people_on_and_off", &why);
        return;
    }
    let (mut town, apache, id, mut protocol) = town().await;
    let started = naru_runtime::clock::instant();
    let page = town.sign_on(PAGE).await;
    figure(&format!(
        "SimpleSAMLphp: signed on in {:.2} s",
        started.elapsed().as_secs_f64()
    ));
    assert_eq!(
        page.body["attributes"]["displayName"],
        json!(["홍길동"]),
        "{}",
        log(&apache)
    );
    assert_eq!(page.body["attributes"]["ministry"], json!(["행정안전부"]));
    let name = page.body["name"].clone();

    // It begins the logout, by a signed redirect; the portal's session ends and it is told so.
    let passed = town
        .follow(&format!("{}/app.php?out=1", apache.site().origin()))
        .await;
    assert!(
        passed.last().unwrap().ends_with("/after.txt"),
        "{passed:#?}\n{}",
        log(&apache)
    );
    assert!(!town.is_in(PAGE).await);
    let me = town.at_home.get("/api/v1/me").await;
    assert!(!me.status.is_success(), "the portal's session goes on");

    // Again, encrypted.
    town.log_on_again().await;
    protocol["wants_encrypted"] = json!(true);
    town.change(&id, &protocol).await;
    let page = town.sign_on(PAGE).await;
    assert_eq!(
        page.body["attributes"]["displayName"],
        json!(["홍길동"]),
        "{}",
        log(&apache)
    );
    assert_eq!(page.body["name"], name, "the lasting name stays");

    // The person logs off in the portal: the browser tells it.
    let leave = town.at_home.post("/api/v1/sso/saml/leave", &json!({})).await;
    let url = leave.body["url"].as_str().unwrap().to_owned();
    let off = town.at_home.post("/api/v1/logoff", &json!({})).await;
    assert!(off.status.is_success());
    let passed = town.follow(&url).await;
    assert_eq!(
        passed.last().unwrap(),
        "/#/logon",
        "{passed:#?}\n{}",
        log(&apache)
    );
    assert!(!town.is_in(PAGE).await, "{}", log(&apache));
    assert!(town.stage.record_is_whole());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn simplesamlphp_refuses_what_was_altered() {
    if let Some(why) = lacks() {
        skip("simplesamlphp_refuses_what_was_altered", &why);
        return;
    }
    let (mut town, apache, id, _) = town().await;
    let url = town.at_site(PAGE).await.unwrap_err();
    let (_, step) = town.begin(&url).await;
    let mut form = town.answer(&step).await;
    for (name, value) in &mut form.fields {
        if name == "SAMLResponse" {
            let xml = String::from_utf8(STANDARD.decode(&*value).unwrap()).unwrap();
            let altered = xml.replace("홍길동", "홍길순");
            assert_ne!(altered, xml);
            *value = STANDARD.encode(altered);
        }
    }
    let answer = town.post(&form).await;
    let told = String::from_utf8_lossy(&answer.bytes);
    assert!(
        told.contains("Reference validation failed"),
        "{}: {told}",
        answer.status
    );
    assert!(!town.is_in(PAGE).await);
    // What it asks for passively is answered without showing anything; nobody is signed on in that browser.
    let url = town.at_site("/app.php?passive=1").await.unwrap_err();
    let home = std::mem::replace(&mut town.at_home, town.stage.browser());
    let (_, step) = town.begin(&url).await;
    let form = town.answer(&step).await;
    let xml = String::from_utf8(STANDARD.decode(form.field("SAMLResponse").unwrap()).unwrap()).unwrap();
    assert!(
        xml.contains("status:NoPassive") && !xml.contains("Assertion>"),
        "{xml}"
    );
    let answer = town.post(&form).await;
    assert!(!town.is_in(PAGE).await, "{}: {}", answer.status, log(&apache));
    town.at_home = home;
    // The same request a second time is refused by the portal.
    let mut stranger = town.stage.browser();
    let path = url.strip_prefix(&town.stage.origin()).unwrap();
    assert_eq!(stranger.get(path).await.status.as_u16(), 422);
    // A new factor is asked for where it insists.
    let url = town.at_site("/app.php?force=1").await.unwrap_err();
    let (_, step) = town.begin(&url).await;
    assert_eq!(
        (&step["next"], &step["reason"]),
        (&json!("step_up"), &json!("login")),
        "{step}"
    );
    // A tile begins.
    let opened = town
        .at_home
        .post(&format!("/api/v1/portal/open/{id}"), &json!({}))
        .await;
    let step = json!({ "next": "post", "url": opened.body["url"] });
    let form = town.answer(&step).await;
    let answer = town.post(&form).await;
    assert!(answer.status.is_redirection(), "{}", log(&apache));
    let page = town
        .at_site(PAGE)
        .await
        .unwrap_or_else(|url| panic!("asked again: {url}"));
    assert_eq!(
        page.body["attributes"]["displayName"],
        json!(["홍길동"]),
        "{}",
        log(&apache)
    );
}
