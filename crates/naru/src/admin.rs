//! `naru admin`: what is done at the command line, before there is an administrator or when none can log on.
//!
//! Works on the database directly, so it needs the same configuration as the portal; the portal may be running.

use std::{path::PathBuf, process::ExitCode};

use clap::Subcommand;
use naru_identity::{GrantForm, NewMinistry, PersonForm};
use naru_kernel::{Clock as _, PersonId, Seconds, Tenant, fleet::NodeRole};
use naru_pki::{Reason, demo::DemoPerson};
use naru_runtime::clock::{SystemClock, SystemEntropy};

use crate::{
    config::{Config, Store},
    demo, roles,
    say::say,
    state::StateDirectory,
};

#[derive(Subcommand, Debug)]
pub(crate) enum Admin {
    /// Add a ministry
    Ministry {
        /// Its agency code, as certificates carry it
        #[arg(long)]
        code: String,
        /// Its Korean name
        #[arg(long)]
        name_ko: String,
        /// Its English name
        #[arg(long)]
        name_en: String,
        /// It runs the platform: its auditors see the platform's own record
        #[arg(long)]
        platform: bool,
    },
    /// Add a person to a ministry
    Person {
        /// The ministry's agency code
        #[arg(long)]
        ministry: String,
        /// The person's name
        #[arg(long)]
        name: String,
        /// The certificate's subject, such as `cn=085홍길동001,ou=people,ou=행정안전부,o=Government of Korea,c=KR`
        #[arg(long)]
        subject: String,
        /// `worker`, `ministry_admin`, `operator`, `auditor`; repeatable
        #[arg(long = "role")]
        roles: Vec<String>,
    },
    /// Give a person a role without a second administrator: for a ministry's first ones, or when none is left
    Grant {
        /// The certificate's subject
        #[arg(long)]
        subject: String,
        /// The ministry's agency code; their home if left out
        #[arg(long)]
        ministry: Option<String>,
        /// `worker`, `ministry_admin`, `operator` or `auditor`
        #[arg(long)]
        role: naru_kernel::Role,
        /// Only in this unit and below it (administrators)
        #[arg(long)]
        unit: Option<String>,
        /// For so many days; for good if left out
        #[arg(long)]
        days: Option<i64>,
    },
    /// Hand out an activation code for a person's first second factor
    ActivationCode {
        /// The certificate's subject
        #[arg(long)]
        subject: String,
    },
    /// Revoke a person: everything they have open closes within 5 seconds
    Revoke {
        /// The certificate's subject
        #[arg(long)]
        subject: String,
    },
    /// Make a one-time enrolment token for a gateway or a host
    Token {
        /// gateway or host
        role: NodeRole,
        /// What people call the machine
        #[arg(long, default_value = "")]
        name: String,
    },
    /// Replace the key that signs SAML assertions, in two steps
    SamlKey {
        /// What to do
        step: SamlKeyStep,
    },
    /// A certification authority for demos and tests
    #[command(subcommand)]
    Pki(Pki),
}

/// Replacing the SAML key: applications hold its certificate, so they must have the second before the first goes.
#[derive(clap::ValueEnum, Clone, Copy, Debug)]
pub(crate) enum SamlKeyStep {
    /// A second certificate appears in the metadata; the first key still signs
    Begin,
    /// The second key signs; the first is gone
    Finish,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Pki {
    /// Make a GPKI-shaped root, issuing authority, revocation lists and people's certificates
    Demo {
        /// Where to; opened again if it is there
        #[arg(long)]
        directory: PathBuf,
        /// One more person, as `agency code,ministry,name,sequence,password`
        #[arg(long = "person", value_parser = demo_person)]
        people: Vec<DemoPerson>,
        /// Revoke the certificate with this serial number (hexadecimal)
        #[arg(long)]
        revoke: Vec<String>,
    },
}

fn demo_person(text: &str) -> Result<DemoPerson, String> {
    let fields: Vec<&str> = text.split(',').collect();
    let [agency_code, ministry, name, sequence, password] = fields.as_slice() else {
        return Err("five fields: agency code,ministry,name,sequence,password".to_owned());
    };
    Ok(DemoPerson {
        ministry: (*ministry).to_owned(),
        agency_code: (*agency_code).to_owned(),
        name: (*name).to_owned(),
        sequence: sequence
            .parse()
            .map_err(|_| "the sequence is a number up to 65535".to_owned())?,
        password: (*password).to_owned(),
    })
}

pub(crate) async fn run(command: Admin, config: Config, state: StateDirectory) -> anyhow::Result<ExitCode> {
    if let Admin::Pki(Pki::Demo {
        directory,
        people,
        revoke,
    }) = command
    {
        return make_demo_pki(&directory, &people, &revoke);
    }
    let portal = roles::admin_portal(&config).await?;
    let identity = portal.identity();
    match command {
        Admin::Ministry {
            code,
            name_ko,
            name_en,
            platform,
        } => {
            let new = NewMinistry {
                name_ko,
                name_en,
                agency_code: code,
                is_platform: platform,
            };
            say(identity.admin_create_ministry(&new).await?);
        }
        Admin::Person {
            ministry,
            name,
            subject,
            roles,
        } => {
            let ministry = identity.ministry_by_agency(&ministry).await?;
            let form = PersonForm {
                name,
                subject_name: subject,
                roles,
                language: String::new(),
                ..PersonForm::default()
            };
            say(identity.admin_create_person(ministry.id, &form).await?);
        }
        Admin::Grant {
            subject,
            ministry,
            role,
            unit,
            days,
        } => {
            let person = identity.person_by_subject(&subject).await?;
            let ministry = match ministry {
                Some(code) => identity.ministry_by_agency(&code).await?.id,
                None => identity.home_of(person).await?,
            };
            let form = GrantForm {
                person,
                role,
                within: if unit.is_some() { "unit" } else { "" }.to_owned(),
                scope: unit.unwrap_or_default(),
                expires_at: days.map(|days| SystemClock.now() + Seconds::hours(days.saturating_mul(24))),
            };
            identity.admin_grant_role(Tenant::of(ministry), &form).await?;
            say(format!("{person} is {role} of {ministry}"));
        }
        Admin::ActivationCode { subject } => {
            let person: PersonId = identity.person_by_subject(&subject).await?;
            say(identity.admin_activation_code(person).await?.code);
        }
        Admin::Revoke { subject } => {
            let person = identity.person_by_subject(&subject).await?;
            identity.admin_revoke_person(person).await?;
            say(format!("{person} is revoked"));
        }
        Admin::Token { role, name } => {
            let name = if name.is_empty() { role.as_str() } else { &name };
            say(portal.enrolment_token(role, name).await?);
        }
        Admin::SamlKey { step } => {
            let applications = portal.applications();
            match step {
                SamlKeyStep::Begin => applications.begin_saml_key_rotation().await?,
                SamlKeyStep::Finish => applications.finish_saml_key_rotation().await?,
            }
        }
        // Answered above: it needs no portal.
        Admin::Pki(_) => {}
    }
    portal.close().await;
    drop(state);
    Ok(ExitCode::SUCCESS)
}

fn make_demo_pki(
    directory: &std::path::Path,
    people: &[DemoPerson],
    revoke: &[String],
) -> anyhow::Result<ExitCode> {
    let now = SystemClock.now();
    let mut authority = demo::authority(directory, now)?;
    for person in people {
        let identity = authority.issue(person, now, &SystemEntropy)?;
        demo::write(directory, &identity.files())?;
    }
    for serial in revoke {
        authority.revoke(serial, now, Reason::Unspecified);
    }
    demo::write_lists(directory, &authority, now)?;
    say(directory.display());
    Ok(ExitCode::SUCCESS)
}

/// `naru openapi`: the description of every route, from the routes themselves.
pub(crate) async fn print_openapi(state: &StateDirectory) -> anyhow::Result<ExitCode> {
    // Routes are made with their domains, and those need a database: an empty one that goes again.
    let file = state.join(&format!("openapi-{}.db", std::process::id()));
    let store = Store {
        url: format!("sqlite:{}", file.display()),
    };
    let portal = roles::admin_portal(&Config {
        store,
        ..Config::default()
    })
    .await?;
    let description = naru_runtime::openapi::describe(&portal.route_table(), env!("CARGO_PKG_VERSION"));
    portal.close().await;
    for suffix in ["", "-wal", "-shm"] {
        drop(std::fs::remove_file(format!("{}{suffix}", file.display())));
    }
    say(serde_json::to_string_pretty(&description)?);
    Ok(ExitCode::SUCCESS)
}
