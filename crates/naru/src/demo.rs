//! The demo: an authority in GPKI's shape, two ministries, a few people. Nothing of it is made unless asked for.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use naru_identity::{Error as IdentityError, NewMinistry, PersonForm};
use naru_kernel::{Clock as _, Kind, Role, Timestamp, fleet::Protocol};
use naru_pki::demo::{self as pki, DemoFile, DemoOptions, DemoPerson, DemoPki, ISSUING_NAME};
use naru_portal::Portal;
use naru_runtime::Fails as _;
use naru_runtime::clock::{SystemClock, SystemEntropy};

use crate::{config::Config, demo_portal, say::say, state::StateDirectory};

/// Opens every demo person's key files. Printed at the start: it protects nothing.
const PASSWORD: &str = "naru-demo-2026";

/// Name, ministry, roles, place in the certificate's name.
const PEOPLE: &[(&str, usize, &[Role])] = &[
    ("홍길동", 0, &[Role::Worker]),
    ("김관리", 0, &[Role::Worker, Role::MinistryAdmin]),
    ("이운영", 0, &[Role::Worker, Role::Operator]),
    ("박감사", 0, &[Role::Auditor]),
    ("성춘향", 1, &[Role::Worker]),
    ("변학도", 1, &[Role::Worker, Role::MinistryAdmin]),
];

/// Korean name, English name, agency code.
const MINISTRIES: &[(&str, &str, &str)] = &[
    ("행정안전부", "Ministry of the Interior and Safety", "085"),
    ("보건복지부", "Ministry of Health and Welfare", "051"),
];

/// The demo authority on disk.
pub(crate) struct Demo {
    directory: PathBuf,
}

/// One person, as the welcome shows them.
pub(crate) struct Welcomed {
    name: String,
    ministry: &'static str,
    roles: String,
    files: PathBuf,
    /// Absent once they have a second factor.
    activation_code: Option<String>,
}

fn demo_person(&(name, ministry, _): &(&str, usize, &[Role])) -> anyhow::Result<DemoPerson> {
    let (ministry, _, agency_code) = MINISTRIES.get(ministry).context("a demo person of no ministry")?;
    Ok(DemoPerson {
        ministry: (*ministry).to_owned(),
        agency_code: (*agency_code).to_owned(),
        name: name.to_owned(),
        sequence: 1,
        password: PASSWORD.to_owned(),
    })
}

/// Makes the authority and the people's files, or takes up those of an earlier start with fresh revocation lists, and
/// tells the configuration to accept them.
pub(crate) fn prepare(config: &mut Config, state: &StateDirectory) -> anyhow::Result<Demo> {
    let directory = state.join("demo");
    let authority = authority(&directory, SystemClock.now())?;
    config.identity.demo = true;
    // Who tries it out and stops it expects nothing to go on running.
    config.agent.keep_sessions = false;
    // The demo shows every way to a desktop that this machine can serve.
    let serves_rdp = rustix::process::geteuid().is_root() && Path::new("/usr/sbin/xrdp").is_file();
    if serves_rdp && !config.agent.protocols.contains(&Protocol::Rdp) {
        config.agent.protocols.push(Protocol::Rdp);
    }
    config.identity.profiles.push(authority.profile());
    for name in ["root", ISSUING_NAME] {
        let list = directory.join("authority").join(format!("{name}.crl"));
        config.identity.revocation_lists.push(list.display().to_string());
    }
    Ok(Demo { directory })
}

/// Opens or makes the demo authority in `directory`.
pub(crate) fn authority(directory: &Path, now: Timestamp) -> anyhow::Result<DemoPki> {
    let options = DemoOptions::default();
    let read = |name: String| {
        let path = directory.join("authority").join(name);
        fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))
    };
    if !directory.join("authority").is_dir() {
        let people = PEOPLE.iter().map(demo_person).collect::<Result<Vec<_>, _>>()?;
        let authority = pki::make(now, &SystemEntropy, &people, options)?;
        write(directory, &authority.files(now)?)?;
        return Ok(authority);
    }
    let root = (read("root.cer".to_owned())?, read("root.key".to_owned())?);
    let issuing = (
        read(format!("{ISSUING_NAME}.cer"))?,
        read(format!("{ISSUING_NAME}.key"))?,
    );
    let list = read(format!("{ISSUING_NAME}.crl"))?;
    let authority = DemoPki::reopen((&root.0, &root.1), (&issuing.0, &issuing.1), &list, options)
        .with_context(|| format!("{} is damaged: remove it to start anew", directory.display()))?;
    write_lists(directory, &authority, now)?;
    Ok(authority)
}

/// Signs fresh revocation lists and writes them.
pub(crate) fn write_lists(directory: &Path, authority: &DemoPki, now: Timestamp) -> anyhow::Result<()> {
    let lists = authority
        .files(now)?
        .into_iter()
        .filter(|file| file.path.ends_with(".crl"));
    write(directory, &lists.collect::<Vec<_>>())
}

/// Writes files below `directory`, each whole or not at all; secrets for the owner alone.
pub(crate) fn write(directory: &Path, files: &[DemoFile]) -> anyhow::Result<()> {
    for file in files {
        let path = directory.join(&file.path);
        let parent = path.parent().context("a file without a directory")?;
        let fail = || format!("{} cannot be written", path.display());
        fs::create_dir_all(parent).with_context(fail)?;
        let draft = path.with_extension("draft");
        drop(fs::remove_file(&draft));
        let mode = if file.is_secret { 0o600 } else { 0o644 };
        let mut out = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&draft)
            .with_context(fail)?;
        out.write_all(&file.bytes)
            .and_then(|()| out.sync_all())
            .with_context(fail)?;
        fs::rename(&draft, &path).with_context(fail)?;
    }
    Ok(())
}

/// Fills an empty portal with the demo's ministries and people; leaves a filled one as it is. People without a second
/// factor get a fresh activation code.
pub(crate) async fn fill(demo: &Demo, portal: &Portal) -> anyhow::Result<Vec<Welcomed>> {
    let mut welcomed = Vec::new();
    let mut corners = std::collections::BTreeMap::new();
    for entry in PEOPLE {
        let person = demo_person(entry)?;
        let &(name, ministry, roles) = entry;
        let Some(&(korean, english, agency_code)) = MINISTRIES.get(ministry) else {
            bail!("a demo person of no ministry")
        };
        let identity = portal.identity();
        let ministry_id = match identity.ministry_by_agency(agency_code).await {
            Ok(known) => known.id,
            Err(error) => {
                absent(error)?;
                let new = NewMinistry {
                    name_ko: korean.to_owned(),
                    name_en: english.to_owned(),
                    agency_code: agency_code.to_owned(),
                    is_platform: ministry == 0,
                };
                identity.admin_create_ministry(&new).await?
            }
        };
        corners.insert(ministry, ministry_id);
        let id = match identity.person_by_subject(&person.subject()).await {
            Ok(known) => known,
            Err(error) => {
                absent(error)?;
                let form = PersonForm {
                    name: name.to_owned(),
                    subject_name: person.subject(),
                    roles: roles.iter().map(|role| role.as_str().to_owned()).collect(),
                    language: "ko".to_owned(),
                    ..PersonForm::default()
                };
                identity.admin_create_person(ministry_id, &form).await?
            }
        };
        let activation_code = if identity.has_factor(id).await? {
            None
        } else {
            Some(identity.admin_activation_code(id).await?.code)
        };
        let common_name = person.common_name();
        welcomed.push(Welcomed {
            name: name.to_owned(),
            ministry: korean,
            roles: roles
                .iter()
                .map(|role| role.as_str())
                .collect::<Vec<_>>()
                .join(", "),
            files: demo
                .directory
                .join("people")
                .join(&common_name)
                .join("GPKI/Certificate/class2"),
            activation_code,
        });
    }
    for (place, ministry) in corners {
        for connected in demo_portal::fill(portal, ministry, place).await? {
            say(format_args!(
                "  {} (OpenID Connect)\n      client_id        {}\n      client_secret    {}",
                connected.name, connected.client_id, connected.secret
            ));
        }
    }
    Ok(welcomed)
}

/// Passes only "there is no such thing".
fn absent(error: IdentityError) -> anyhow::Result<()> {
    if error.kind() == Kind::NotFound {
        Ok(())
    } else {
        Err(error.into())
    }
}

/// Tells the person at the terminal what runs where, and who can log on how.
pub(crate) fn welcome(config: &Config, state: &StateDirectory, people: &[Welcomed]) {
    say(format_args!("\nNaru is up.\n"));
    say(format_args!("  Portal      {}", config.portal.origin()));
    say(format_args!(
        "  Authority   {}   (trust it in the browser)",
        state.join("authority.pem").display()
    ));
    say(format_args!("  State       {}", state.path().display()));
    if people.is_empty() {
        say(format_args!(
            "\n  No demo people. `naru admin --help` makes the first ministry and its administrator.\n"
        ));
        return;
    }
    say(format_args!(
        "\n  Log on with certificate and key of one of these; the password of all keys is {PASSWORD}\n"
    ));
    for person in people {
        let common_name = person
            .files
            .ancestors()
            .nth(3)
            .and_then(Path::file_name)
            .unwrap_or_default();
        let stem = person.files.join(common_name);
        say(format_args!(
            "  {} · {} · {}",
            person.name, person.ministry, person.roles
        ));
        say(format_args!("      certificate      {}_sig.cer", stem.display()));
        say(format_args!("      key              {}_sig.key", stem.display()));
        match &person.activation_code {
            Some(code) => say(format_args!("      activation code  {code}")),
            None => say("      second factor    enrolled before"),
        }
    }
    say("");
}
