//! A process with our portal, an application in it, and people who are signed in: what `oidc` measures.

use std::{fs, net::SocketAddr, path::Path, sync::Arc};

use anyhow::{Context as _, Result};
use naru_applications::rules::form::ApplicationForm;
use naru_identity::{IdentityConfig, NewMinistry, PersonForm};
use naru_kernel::{Clock as _, MinistryId, Tenant};
use naru_pki::demo::{self, DemoOptions, DemoPerson, DemoPki};
use naru_portal::{Portal, PortalConfig, Settings};
use naru_runtime::{
    Tasks,
    clock::{SystemClock, SystemEntropy},
};
use naru_testkit::{Browser, enrol_totp, show_certificate};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What the browsers' stand-ins call themselves; sessions are bound to it.
pub(super) const USER_AGENT: &str = "naru-bench";
const COOKIE: &str = "__Host-naru";

/// What the process says once it is ready.
#[derive(Serialize, Deserialize)]
pub(super) struct Ready {
    pub(super) port: u16,
    pub(super) authority: String,
    pub(super) client: String,
    pub(super) secret: String,
    pub(super) cookies: Vec<String>,
}

/// Where it says so.
pub(super) const READY: &str = "portal.ready";

/// Runs the portal until it is told to end.
pub(crate) fn run(directory: &str, people: &str, redirect: &str) -> Result<()> {
    crate::process::raise_open_files()?;
    let people: u16 = people.parse().context("how many people")?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(serve(directory.as_ref(), people, redirect))
}

async fn serve(directory: &Path, people: u16, redirect: &str) -> Result<()> {
    let clock = Arc::new(SystemClock);
    let now = clock.now();
    let pki = demo::make(now, &SystemEntropy, &[], DemoOptions::default())?;
    let mut lists = Vec::new();
    for (name, list) in ["root.crl", "people.crl"].into_iter().zip(pki.crls(now)?) {
        let path = directory.join(name);
        fs::write(&path, list)?;
        lists.push(path.display().to_string());
    }
    let free = || -> Result<SocketAddr> { Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?) };
    let listen = free()?;
    let config = PortalConfig {
        listen,
        port: listen.port(),
        fleet_listen: free()?,
        ..PortalConfig::default()
    };
    let settings = Settings {
        store_url: format!("sqlite:{}", directory.join("naru.db").display()),
        portal: config.clone(),
        identity: IdentityConfig {
            origin: config.origin(),
            certificate_door: config.certificate_door(),
            profiles: vec![pki.profile()],
            revocation_lists: lists,
            ..IdentityConfig::default()
        },
        desktops: naru_desktops::DesktopsConfig::default(),
        audit: naru_audit::AuditConfig::default(),
    };
    let portal = Portal::open(settings, clock, Arc::new(SystemEntropy)).await?;
    portal.identity().refresh_revocations().await?;
    let ministry = portal
        .identity()
        .admin_create_ministry(&NewMinistry {
            name_ko: "행정안전부".to_owned(),
            name_en: "Ministry of the Interior and Safety".to_owned(),
            agency_code: "085".to_owned(),
            is_platform: false,
        })
        .await?;
    let (client, secret) = application(&portal, ministry, redirect).await?;
    let mut cookies = Vec::new();
    for sequence in 1..=people {
        cookies.push(sign_in(&portal, &config, &pki, ministry, sequence).await?);
    }
    let tasks = Tasks::new();
    portal.run_jobs(&tasks);
    portal.open_doors(&config, &tasks).await?;
    let ready = Ready {
        port: listen.port(),
        authority: portal.authority_pem().to_owned(),
        client,
        secret,
        cookies,
    };
    // Whole or not at all: the parent waits for the name.
    let unfinished = directory.join("portal.unfinished");
    fs::write(&unfinished, serde_json::to_vec(&ready)?)?;
    fs::rename(&unfinished, directory.join(READY))?;
    naru_runtime::termination().await?;
    tasks.stop().await;
    portal.close().await;
    Ok(())
}

async fn application(portal: &Portal, ministry: MinistryId, redirect: &str) -> Result<(String, String)> {
    let form: ApplicationForm = serde_json::from_value(json!({
        "name": { "ko": "전자결재", "en": "Approvals" },
        "label": "O",
        "audience": { "kind": "ministry" },
        "state": "active",
        "protocol": {
            "kind": "oidc",
            "redirect_uris": [redirect],
            "client_proof": "client_secret_basic",
            "scopes": ["openid", "profile"],
            "grant_types": ["authorization_code"],
        },
    }))?;
    let (id, secret) = portal
        .applications()
        .admin_create(Tenant::of(ministry), form)
        .await?;
    Ok((
        id.to_string(),
        secret.context("an application with a secret")?.secret,
    ))
}

/// A person who logs on with certificate and code; gives their cookie.
async fn sign_in(
    portal: &Portal,
    config: &PortalConfig,
    pki: &DemoPki,
    ministry: MinistryId,
    sequence: u16,
) -> Result<String> {
    let person = DemoPerson {
        ministry: "행정안전부".to_owned(),
        agency_code: "085".to_owned(),
        name: "홍길동".to_owned(),
        sequence,
        password: "bench".to_owned(),
    };
    let now = SystemClock.now();
    let carried = pki.issue(&person, now, &SystemEntropy)?;
    let form = PersonForm {
        name: person.name.clone(),
        subject_name: person.subject(),
        roles: vec!["worker".to_owned()],
        language: "ko".to_owned(),
        ..PersonForm::default()
    };
    let id = portal.identity().admin_create_person(ministry, &form).await?;
    let code = portal.identity().admin_activation_code(id).await?.code;
    let mut browser = Browser::new(portal.public_router(config), &config.origin());
    browser.set_user_agent(USER_AGENT);
    show_certificate(&mut browser, &carried, &pki.issuing.certificate, now).await;
    enrol_totp(&mut browser, &code, now).await;
    let cookie = browser.cookie(COOKIE).context("a session")?;
    Ok(format!("{COOKIE}={cookie}"))
}
