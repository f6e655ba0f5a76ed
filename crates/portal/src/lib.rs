//! Shell: one HTTP router from all domains, the local certificate authority, the web application's files.
//!
//! Domains do not know each other; what one needs of another is wired here. Two doors: the public one for browsers
//! (with a second name that asks for client certificates) and the fleet's for gateways and hosts.

mod authority;
mod certificate_door;
mod config;
mod doors;
mod headers;
mod pages;
mod wiring;
mod wiring_applications;
mod wiring_approvals;
mod wiring_policies;

use std::sync::Arc;

use naru_applications::{Applications, ApplicationsConfig};
use naru_approvals::Approvals;
use naru_audit::{Audit, AuditConfig};
use naru_desktops::{Desktops, DesktopsConfig};
use naru_identity::{Identity, IdentityConfig};
use naru_kernel::{Clock, Entropy, fleet::NodeRole};
use naru_policies::Policies;
use naru_runtime::{RouteEntry, Routes, Tasks};
use naru_store::Db;

pub use authority::Authority;
pub use config::{CertificateFiles, PortalConfig};
pub use pages::are_there as pages_are_there;

/// Every SQL text of this crate.
pub fn statements() -> impl Iterator<Item = &'static str> {
    authority::statements()
}

/// Why the portal cannot work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store.
    #[error(transparent)]
    Store(#[from] naru_store::Error),
    /// Identity.
    #[error(transparent)]
    Identity(#[from] naru_identity::Error),
    /// Desktops.
    #[error(transparent)]
    Desktops(#[from] naru_desktops::Error),
    /// Applications.
    #[error(transparent)]
    Applications(#[from] naru_applications::Error),
    /// The site's rules.
    #[error(transparent)]
    Policies(#[from] naru_policies::Error),
    /// The record.
    #[error(transparent)]
    Audit(#[from] naru_audit::Error),
    /// The local authority.
    #[error(transparent)]
    Authority(#[from] authority::AuthorityError),
    /// TLS.
    #[error(transparent)]
    Tls(#[from] naru_runtime::tls::TlsError),
    /// A file of the configuration cannot be read, or a door not be opened.
    #[error("{what}: {source}")]
    Io {
        /// Which.
        what: String,
        /// Why.
        source: std::io::Error,
    },
}

/// What a portal is made of.
pub struct Settings {
    /// Where its state is.
    pub store_url: String,
    /// `[portal]`
    pub portal: PortalConfig,
    /// `[identity]`
    pub identity: IdentityConfig,
    /// `[desktops]`
    pub desktops: DesktopsConfig,
    /// `[audit]`
    pub audit: AuditConfig,
}

/// The portal: all domains on one database.
pub struct Portal {
    db: Db,
    entropy: Arc<dyn Entropy>,
    authority: Arc<Authority>,
    identity: Arc<Identity>,
    desktops: Arc<Desktops>,
    applications: Arc<Applications>,
    approvals: Arc<Approvals>,
    policies: Arc<Policies>,
    audit: Arc<Audit>,
}

impl Portal {
    /// Opens the database and all domains; no door yet.
    ///
    /// # Errors
    /// When the database, a profile or the authority cannot be used.
    pub async fn open(
        settings: Settings,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, Error> {
        let db = Db::open(&settings.store_url).await?;
        let authority = Arc::new(Authority::open(&db, Arc::clone(&clock), entropy.as_ref()).await?);
        let people = wiring::People::default();
        let what_opens = wiring_policies::WhatOpens::default();
        let policies = Arc::new(Policies::new(naru_policies::Parts {
            db: db.clone(),
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
            people: Arc::new(people.clone()),
            opens: Arc::new(what_opens.clone()),
        })?);
        let rules = Arc::new(wiring_policies::Rules(Arc::clone(&policies)));
        let desktops = Desktops::start(naru_desktops::Parts {
            config: settings.desktops,
            db: db.clone(),
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
            certificates: Arc::<Authority>::clone(&authority),
            people: Arc::new(people.clone()),
            sessions: Arc::new(people.clone()),
            rules: Arc::<wiring_policies::Rules>::clone(&rules),
        })
        .await?;
        let applications = Applications::start(naru_applications::Parts {
            config: ApplicationsConfig {
                origin: settings.portal.origin(),
                certificate_door: settings.portal.certificate_door(),
                trusted_roots: settings.portal.trusted_roots.clone(),
            },
            db: db.clone(),
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
            people: Arc::new(people.clone()),
            rules,
        })
        .await?;
        let identity = Identity::open(
            settings.identity,
            db.clone(),
            Arc::clone(&clock),
            Arc::clone(&entropy),
            Arc::new(wiring::Closer {
                desktops: Arc::clone(&desktops),
                applications: Arc::clone(&applications),
            }),
        )
        .await?;
        let identity = Arc::new(identity);
        people.are(&identity);
        what_opens.are(&applications, &desktops);
        let hand = wiring_approvals::IdentitysHand(Arc::downgrade(&identity));
        let approvals = Arc::new(Approvals::new(
            db.clone(),
            Arc::clone(&clock),
            Arc::clone(&entropy),
            vec![
                Arc::new(hand),
                Arc::new(wiring_policies::PoliciesHand(Arc::downgrade(&policies))),
            ],
        ));
        identity.ask_by(Arc::new(wiring_approvals::SecondPerson(Arc::clone(&approvals))));
        policies.ask_by(Arc::new(wiring_approvals::SecondPerson(Arc::clone(&approvals))));
        let mut config = settings.audit;
        if config.name.is_empty() {
            config.name.clone_from(&settings.portal.host);
        }
        let audit = Audit::open(naru_audit::Parts {
            config,
            db: db.clone(),
            clock,
            entropy: Arc::clone(&entropy),
            ministries: Arc::new(people.clone()),
            people: Arc::new(people),
        })
        .await?;
        let audit = Arc::new(audit);
        Ok(Self {
            db,
            entropy,
            authority,
            identity,
            desktops,
            applications,
            approvals,
            policies,
            audit,
        })
    }

    /// The database.
    #[must_use]
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// People, certificates, sessions.
    #[must_use]
    pub fn identity(&self) -> &Arc<Identity> {
        &self.identity
    }

    /// Hosts, gateways, desktops.
    #[must_use]
    pub fn desktops(&self) -> &Arc<Desktops> {
        &self.desktops
    }

    /// Applications and single sign-on.
    #[must_use]
    pub fn applications(&self) -> &Arc<Applications> {
        &self.applications
    }

    /// The site's rules.
    #[must_use]
    pub fn policies(&self) -> &Arc<Policies> {
        &self.policies
    }

    /// The record.
    #[must_use]
    pub fn audit(&self) -> &Arc<Audit> {
        &self.audit
    }

    /// The local authority's certificate.
    #[must_use]
    pub fn authority_pem(&self) -> &str {
        self.authority.certificate_pem()
    }

    /// Everything browsers may ask.
    #[must_use]
    pub fn routes(&self) -> Routes {
        Routes::new()
            .merge(naru_identity::routes(Arc::clone(&self.identity)))
            .merge(naru_desktops::routes(Arc::clone(&self.desktops)))
            .merge(naru_applications::routes(Arc::clone(&self.applications)))
            .merge(naru_approvals::routes(Arc::clone(&self.approvals)))
            .merge(naru_policies::routes(Arc::clone(&self.policies)))
            .merge(naru_audit::routes(Arc::clone(&self.audit)))
            .merge(naru_audit::witness_routes(Arc::clone(&self.audit)))
    }

    /// The table of all routes of both doors.
    #[must_use]
    pub fn route_table(&self) -> Vec<RouteEntry> {
        let (_, table) = self
            .routes()
            .merge(naru_desktops::fleet_routes(Arc::clone(&self.desktops)))
            .finish();
        table
    }

    /// Makes a one-time enrolment token, as the platform itself.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn enrolment_token(&self, role: NodeRole, name: &str) -> Result<String, Error> {
        Ok(self.desktops.make_token_as_platform(role, name).await?.token)
    }

    /// Starts what runs by itself: sessions that idle out, lists that are read again, things that expire.
    pub fn run_jobs(&self, tasks: &Tasks) {
        self.identity.start_jobs(tasks);
        self.desktops.jobs(tasks);
        self.applications.jobs(tasks);
        self.audit.start_jobs(tasks);
        self.approvals.start_jobs(tasks);
    }

    /// Closes the database, after all doors have closed.
    pub async fn close(&self) {
        self.db.close().await;
    }
}
