//! The roles, each alone or all in one process. Every role gets its place in the fleet the same way: a token, a
//! certificate, mutual TLS from then on; `up` only makes the tokens itself.

use std::{process::ExitCode, sync::Arc, time::Duration};

use anyhow::Context as _;
use naru_agent::HostNode;
use naru_kernel::fleet::NodeRole;
use naru_runtime::{
    Tasks,
    clock::{SystemClock, SystemEntropy},
    fleet::{NodeIdentity, sync_loop},
    operation::{self, Readiness},
    telemetry, termination, tls,
};
use tokio::net::TcpListener;

use crate::{
    cli::{Enrol, Up},
    config::{self, Config},
    demo, doctor, fleet,
    state::StateDirectory,
};

/// How long a portal's first reading of revocation lists may keep its doors shut.
const FIRST_LISTS_WAIT: Duration = Duration::from_secs(10);

/// A process with its operation door open.
struct Process {
    tasks: Tasks,
    readiness: Readiness,
}

impl Process {
    async fn start(config: &Config, which: config::Process) -> anyhow::Result<Self> {
        let tasks = Tasks::new();
        let readiness = Readiness::default();
        let metrics = telemetry::start_metrics();
        let listen = config.operation.listen(which);
        operation::open(listen, readiness.clone(), metrics, &tasks)
            .await
            .with_context(|| format!("the operation door {listen} cannot be opened"))?;
        Ok(Self { tasks, readiness })
    }

    /// Says that all is ready, then works until told to stop.
    async fn work(self) -> anyhow::Result<ExitCode> {
        self.ready();
        termination().await?;
        Ok(self.stop().await)
    }

    fn ready(&self) {
        self.readiness.started();
        // Only systemd listens; elsewhere there is nobody to tell.
        drop(sd_notify::notify(&[sd_notify::NotifyState::Ready]));
        tracing::info!("ready");
    }

    async fn stop(self) -> ExitCode {
        drop(sd_notify::notify(&[sd_notify::NotifyState::Stopping]));
        tracing::info!("going down");
        if self.tasks.stop().await {
            ExitCode::SUCCESS
        } else {
            tracing::warn!("some tasks did not finish in time");
            ExitCode::FAILURE
        }
    }
}

pub(crate) async fn gateway(
    config: Config,
    state: StateDirectory,
    wishes: Enrol,
) -> anyhow::Result<ExitCode> {
    let process = Process::start(&config, config::Process::Gateway).await?;
    let identity = fleet::join(NodeRole::Gateway, &config, &state, &wishes).await?;
    start_gateway(&config, identity, &process.tasks).await?;
    process.work().await
}

pub(crate) async fn host(config: Config, state: StateDirectory, wishes: Enrol) -> anyhow::Result<ExitCode> {
    let process = Process::start(&config, config::Process::Host).await?;
    let identity = fleet::join(NodeRole::Host, &config, &state, &wishes).await?;
    start_host(&config, identity, &process.tasks).await?;
    process.work().await
}

pub(crate) async fn portal(config: Config, state: StateDirectory) -> anyhow::Result<ExitCode> {
    let process = Process::start(&config, config::Process::Portal).await?;
    let portal = start_portal(&config, &state, &process).await?;
    let code = process.work().await?;
    portal.close().await;
    Ok(code)
}

/// All roles in one process.
pub(crate) async fn up(mut config: Config, state: StateDirectory, wishes: Up) -> anyhow::Result<ExitCode> {
    let process = Process::start(&config, config::Process::Portal).await?;
    let demo = if wishes.demo {
        Some(demo::prepare(&mut config, &state)?)
    } else {
        None
    };
    let portal = start_portal(&config, &state, &process).await?;
    let people = match &demo {
        Some(demo) => demo::fill(demo, &portal).await?,
        None => Vec::new(),
    };
    start_gateway(
        &config,
        join_locally(NodeRole::Gateway, &config, &state, &portal).await?,
        &process.tasks,
    )
    .await?;
    if !wishes.no_host {
        let identity = join_locally(NodeRole::Host, &config, &state, &portal).await?;
        start_host(&config, identity, &process.tasks).await?;
    }
    demo::welcome(&config, &state, &people);
    if wishes.exit_after_ready {
        process.ready();
        let code = process.stop().await;
        portal.close().await;
        return Ok(code);
    }
    let code = process.work().await?;
    portal.close().await;
    Ok(code)
}

async fn start_portal(
    config: &Config,
    state: &StateDirectory,
    process: &Process,
) -> anyhow::Result<Arc<naru_portal::Portal>> {
    let portal = admin_portal(config).await?;
    if !portal.db().keeps_ministries_apart().await? {
        anyhow::bail!(
            "the database's user is a superuser or may bypass row security, so PostgreSQL would not keep ministries apart; {}",
            doctor::MEND_POWERFUL_USER
        );
    }
    // Before a door opens: without revocation lists every certificate would be refused.
    let lists = portal.identity().refresh_revocations();
    if let Ok(refreshed) = tokio::time::timeout(FIRST_LISTS_WAIT, lists).await {
        refreshed.context("revocation lists cannot be stored")?;
    } else {
        tracing::warn!("revocation lists take long; doors open with those of earlier");
    }
    portal.open_doors(&config.portal, &process.tasks).await?;
    portal.run_jobs(&process.tasks);
    let authority = state.join("authority.pem");
    std::fs::write(&authority, portal.authority_pem())
        .with_context(|| format!("{} cannot be written", authority.display()))?;
    let db = portal.db().clone();
    process.readiness.check("database", move || {
        let db = db.clone();
        Box::pin(async move { db.ping().await.is_ok() })
    });
    Ok(portal)
}

/// The portal without its doors: for the administrator at the command line.
pub(crate) async fn admin_portal(config: &Config) -> anyhow::Result<Arc<naru_portal::Portal>> {
    let parts = naru_portal::Settings {
        store_url: config.store.url.clone(),
        portal: config.portal.clone(),
        identity: config.identity.clone(),
        desktops: config.desktops.clone(),
        audit: config.audit.clone(),
    };
    Ok(Arc::new(
        naru_portal::Portal::open(parts, Arc::new(SystemClock), Arc::new(SystemEntropy))
            .await
            .context("the portal cannot start")?,
    ))
}

async fn join_locally(
    role: NodeRole,
    config: &Config,
    state: &StateDirectory,
    portal: &naru_portal::Portal,
) -> anyhow::Result<NodeIdentity> {
    let known = NodeIdentity::load(&state.join(&format!("{role}.json")))?.is_some();
    let token = if known {
        None
    } else {
        Some(portal.enrolment_token(role, &config.node.name).await?)
    };
    let door = format!("localhost:{}", config.portal.fleet_listen.port());
    fleet::join(
        role,
        config,
        state,
        &Enrol {
            portal: Some(door),
            token,
        },
    )
    .await
}

async fn start_gateway(config: &Config, identity: NodeIdentity, tasks: &Tasks) -> anyhow::Result<()> {
    naru_gateway::start(
        &config.gateway,
        identity,
        Arc::new(SystemClock),
        fleet::boot(),
        tasks,
    )
    .await
    .context("the gateway cannot start")?;
    Ok(())
}

async fn start_host(config: &Config, identity: NodeIdentity, tasks: &Tasks) -> anyhow::Result<()> {
    let agent = naru_agent::Agent::new(
        config.agent.clone(),
        identity.node,
        &config.node.zone,
        naru_agent::Machine::system(),
        tasks.clone(),
    )
    .await
    .context("the host agent cannot start")?;
    if let Some(limitation) = agent.limitation() {
        tracing::warn!("the host agent {limitation}");
    }
    let server = tls::server(
        identity.credentials()?,
        Some(tls::demand_client(&identity.authority_pem)?),
        &[],
    )?;
    let listen = config.agent.listen;
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("{listen} cannot be listened on"))?;
    let serving = Arc::clone(&agent);
    tasks.spawn(async move {
        if let Err(error) = naru_agent::serve(serving, listener, server).await {
            tracing::error!(%error, "the host agent stopped");
        }
    });
    let shutdown = tasks.shutdown();
    tasks.spawn(async move {
        let node = Arc::new(HostNode(agent));
        if let Err(error) = sync_loop(node, &identity, fleet::boot(), shutdown).await {
            tracing::error!(%error, "the host left the fleet");
        }
    });
    Ok(())
}
