//! A desktop's life: found or started, watched, ended, taken up again after a restart of the agent.

use std::sync::Arc;
use std::time::Duration;

use naru_kernel::DesktopId;
use naru_kernel::fleet::{AttachStep, Protocol};
use naru_relay::ticket::Claims;
use tokio::process::Child;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_util::sync::CancellationToken;

use crate::Error;
use crate::account::{self, Account};
use crate::agent::{Agent, Power};
use crate::session::process::{self, Membership, ProcessId};
use crate::session::record::{self, Record};
use crate::session::{self, files};
use crate::table::Standing;

/// How long a person waits for a free log-in place before they are sent elsewhere.
const LOGON_WAIT: Duration = Duration::from_secs(30);
/// How often it is looked whether xrdp has started the desktop.
const RDP_LOOK: Duration = Duration::from_millis(300);
/// A desktop that xrdp has not started after this long has failed.
const RDP_START: Duration = Duration::from_secs(25);
/// A failed xrdp log-in leaves a child behind that tries on for a while and could take the next one's session.
const RDP_FAILED_PAUSE: Duration = Duration::from_secs(2);

impl Agent {
    /// Waits for one of the log-in places.
    pub(crate) async fn logon_place(&self) -> Result<OwnedSemaphorePermit, Error> {
        match tokio::time::timeout(LOGON_WAIT, Arc::clone(&self.logons).acquire_owned()).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) | Err(_) => Err(Error::Busy),
        }
    }

    /// Finds or starts the desktop of the ticket; the account it runs as.
    pub(crate) async fn open(
        self: Arc<Self>,
        claims: Claims,
        size: (u16, u16),
        steps: mpsc::Sender<AttachStep>,
    ) -> Result<Account, Error> {
        if !self.config.protocols.contains(&claims.protocol) {
            return Err(Error::ProtocolOff {
                protocol: claims.protocol.as_str(),
            });
        }
        let name = account::Name::parse(&claims.account)?;
        self.claim_for(&name)?;
        let sessions_max = self.sessions_max();
        self.state()
            .table
            .enter(claims.desktop, claims.protocol, name.as_str(), sessions_max)?;
        let _turn = self.turn(name.as_str()).await;
        // Asked again: while waiting for the turn it may have been started, or ended.
        let standing =
            self.state()
                .table
                .enter(claims.desktop, claims.protocol, name.as_str(), sessions_max)?;
        tell(&steps, AttachStep::OpeningSession);
        let started = async {
            let account = match &self.power {
                Power::Everybody => account::ensure(&name).await?,
                Power::OnePerson(account) => account.clone(),
            };
            match (standing, claims.protocol) {
                (Standing::Running, _) => {}
                (Standing::Absent, Protocol::Rfb) => {
                    let _place = self.logon_place().await?;
                    tell(&steps, AttachStep::StartingDesktop);
                    self.start(claims.desktop, &account, size).await?;
                }
                (Standing::Absent, Protocol::Rdp) => self.announce_rdp(claims.desktop, &account)?,
            }
            Ok(account)
        };
        match started.await {
            Ok(account) => Ok(account),
            Err(error) => {
                if standing == Standing::Absent {
                    self.layout.clear(claims.desktop);
                    self.records.forget(claims.desktop);
                    self.state().table.ended(claims.desktop);
                }
                Err(error)
            }
        }
    }

    /// Without root the first account that comes is the only one, for good: two people must not share a home.
    fn claim_for(&self, name: &account::Name) -> Result<(), Error> {
        if matches!(self.power, Power::Everybody) {
            return Ok(());
        }
        let kept = self.places.state.join("sole-account");
        let mut state = self.state();
        if state.sole_account.is_none() {
            state.sole_account = std::fs::read_to_string(&kept).ok();
        }
        match &state.sole_account {
            Some(sole) if sole == name.as_str() => Ok(()),
            Some(_) => Err(Error::OnePersonOnly),
            None => {
                std::fs::write(&kept, name.as_str()).map_err(Error::io("note whom this host serves"))?;
                state.sole_account = Some(name.as_str().to_owned());
                Ok(())
            }
        }
    }

    async fn start(
        self: &Arc<Self>,
        desktop: DesktopId,
        owner: &Account,
        size: (u16, u16),
    ) -> Result<(), Error> {
        self.layout.make(desktop, owner, &*self.machine.entropy)?;
        let mut child = session::launch(&self.layout, desktop, owner, size)?;
        let leader = child
            .id()
            .and_then(|pid| i32::try_from(pid).ok())
            .and_then(ProcessId::of);
        let record = record_of(desktop, Protocol::Rfb, owner, leader);
        let ready = match self.records.keep(&record) {
            Ok(()) => session::ready(&self.layout, desktop, &mut child).await,
            Err(error) => Err(error),
        };
        match (ready, leader) {
            (Ok(()), Some(leader)) => {
                tracing::info!(%desktop, account = owner.name, pid = leader.pid, "the desktop runs");
                metrics::counter!("naru_host_desktops_started_total").increment(1);
                self.state().table.running(desktop, leader);
                self.watch(desktop, leader, Some(child));
                Ok(())
            }
            (outcome, _) => {
                self.sweep(desktop, owner, leader).await;
                drop(child.wait().await);
                outcome.and(Err(Error::StartFailed {
                    detail: "it ended at once".to_owned(),
                }))
            }
        }
    }

    /// Ends the desktop when its first process has ended.
    fn watch(self: &Arc<Self>, desktop: DesktopId, leader: ProcessId, child: Option<Child>) {
        let agent = Arc::clone(self);
        let shutdown = self.tasks.shutdown();
        drop(self.tasks.spawn(async move {
            let gone = async {
                match child {
                    // A child must be waited for, else it stays as a zombie.
                    Some(mut child) => drop(child.wait().await),
                    None => leader.gone().await,
                }
            };
            tokio::select! {
                () = gone => agent.end(desktop, "left by the person").await,
                () = shutdown.requested() => {}
            }
        }));
    }

    /// Ends a desktop: everything of its session, and its files. Harmless when repeated.
    pub(crate) async fn end(self: &Arc<Self>, desktop: DesktopId, why: &'static str) {
        let Some(name) = self.state().table.begin_end(desktop) else {
            return;
        };
        let _turn = self.turn(&name).await;
        let leader = self.state().table.leader(desktop);
        let owner = match &self.power {
            Power::OnePerson(account) => Some(account.clone()),
            Power::Everybody => self.owner(&name).await,
        };
        if let Some(owner) = owner {
            self.sweep(desktop, &owner, leader).await;
        }
        let protocol = self.state().table.protocol(desktop).unwrap_or(Protocol::Rfb);
        self.forget(desktop, protocol, &name);
        tracing::info!(%desktop, account = name, why, "the desktop has ended");
        metrics::counter!("naru_host_desktops_ended_total").increment(1);
        self.state().table.ended(desktop);
    }

    /// Whose session is ended: looked up, never made.
    async fn owner(&self, name: &str) -> Option<Account> {
        let found = account::find(&account::Name::parse(name).ok()?).await;
        found
            .inspect_err(|error| tracing::error!(error = error.chain(), "the account cannot be looked up"))
            .ok()
            .flatten()
    }

    async fn sweep(&self, desktop: DesktopId, owner: &Account, leader: Option<ProcessId>) {
        let alone = !self.state().table.has_other(&owner.name, desktop);
        let whole_account = alone && matches!(self.power, Power::Everybody);
        let left = process::end(Membership {
            desktop,
            leader,
            uid: owner.uid,
            whole_account,
        })
        .await;
        if left > 0 {
            tracing::error!(%desktop, left, "some processes of the session cannot be ended");
        }
    }

    fn forget(&self, desktop: DesktopId, protocol: Protocol, account: &str) {
        if protocol == Protocol::Rdp {
            drop(std::fs::remove_file(self.layout.rdp().join(account)));
        }
        self.layout.clear(desktop);
        self.records.forget(desktop);
    }

    /// Makes ready what xrdp's session will ask for: which desktop it is and where its files lie.
    fn announce_rdp(&self, desktop: DesktopId, owner: &Account) -> Result<(), Error> {
        let (entry, personal) = (self.layout.rdp().join(&owner.name), self.layout.personal(desktop));
        let text = format!("{desktop}\n{}\n", files::plain(&personal)?);
        let announced = std::fs::read_to_string(&entry).is_ok_and(|there| there == text);
        if announced && personal.is_dir() {
            // Somebody attached again while xrdp is starting it: what it has written there must stay.
            return Ok(());
        }
        self.layout.make(desktop, owner, &*self.machine.entropy)?;
        self.records
            .keep(&record_of(desktop, Protocol::Rdp, owner, None))?;
        std::fs::write(entry, text).map_err(Error::io("announce the desktop"))
    }

    /// Waits until xrdp has started the desktop, keeping the log-in place meanwhile; gives up soon after the
    /// connection is `closed`. `false` if there is no desktop.
    pub(crate) async fn await_rdp(
        self: &Arc<Self>,
        desktop: DesktopId,
        owner: &Account,
        place: OwnedSemaphorePermit,
        closed: CancellationToken,
    ) -> bool {
        if self.state().table.leader(desktop).is_some() {
            // A reconnect is soon over; the place is kept for the time one takes.
            tokio::time::sleep(RDP_FAILED_PAUSE).await;
            return true;
        }
        let patience = async {
            tokio::select! {
                () = tokio::time::sleep(RDP_START) => {}
                () = closed.cancelled() => tokio::time::sleep(RDP_FAILED_PAUSE).await,
            }
        };
        let found = tokio::select! {
            leader = self.rdp_leader(desktop, owner) => Some(leader),
            () = patience => None,
        };
        let Some(leader) = found else {
            self.end(desktop, "not started by xrdp").await;
            tokio::time::sleep(RDP_FAILED_PAUSE).await;
            drop(place);
            return false;
        };
        tracing::info!(%desktop, account = owner.name, pid = leader.pid, "the desktop runs");
        metrics::counter!("naru_host_desktops_started_total").increment(1);
        self.state().table.running(desktop, leader);
        let record = record_of(desktop, Protocol::Rdp, owner, Some(leader));
        if let Err(error) = self.records.keep(&record) {
            tracing::error!(
                error = error.chain(),
                "a restart of the agent will not find this session"
            );
        }
        self.watch(desktop, leader, None);
        true
    }

    /// The first process of the desktop xrdp starts, once there is one.
    async fn rdp_leader(&self, desktop: DesktopId, owner: &Account) -> ProcessId {
        let script = self.layout.files().join(files::RDP_SCRIPT);
        loop {
            let (uid, script) = (owner.uid, script.clone());
            let look = tokio::task::spawn_blocking(move || process::script_of(uid, &script, desktop));
            if let Ok(Some(leader)) = look.await {
                return leader;
            }
            tokio::time::sleep(RDP_LOOK).await;
        }
    }

    /// Takes up the sessions an earlier agent left. Before the first report: the portal holds a desktop that a
    /// new start of the agent does not report to be over.
    ///
    /// # Errors
    /// The records cannot be read.
    pub(crate) fn adopt(self: &Arc<Self>) -> Result<(), Error> {
        let boot = record::boot();
        for record in self.records.all()? {
            let alive = |leader: &ProcessId| record.boot == boot && leader.is_alive();
            let Some(leader) = record.leader.filter(alive) else {
                continue;
            };
            tracing::info!(desktop = %record.desktop, account = record.account.name, "taken up again");
            self.state()
                .table
                .adopt(record.desktop, record.protocol, &record.account.name, leader);
            self.watch(record.desktop, leader, None);
        }
        Ok(())
    }

    /// Clears away what is left of sessions that have not survived. After [`Self::adopt`]: only then it is
    /// known which accounts have no living session and can be swept wholly.
    ///
    /// # Errors
    /// The records cannot be read.
    pub(crate) async fn clear_dead(self: &Arc<Self>) -> Result<(), Error> {
        let boot = record::boot();
        for record in self.records.all()? {
            let Record {
                desktop,
                protocol,
                account,
                ..
            } = record;
            if self.state().table.protocol(desktop).is_some() {
                continue;
            }
            tracing::info!(%desktop, account = account.name, "has not survived");
            if record.boot == boot {
                self.sweep(desktop, &account, None).await;
            }
            self.forget(desktop, protocol, &account.name);
            self.state().table.lost(desktop, protocol, &account.name);
        }
        Ok(())
    }

    /// Ends every desktop, side by side.
    pub(crate) async fn end_all(self: &Arc<Self>) {
        let ends = tokio_util::task::TaskTracker::new();
        for desktop in self.open_desktops() {
            let agent = Arc::clone(self);
            ends.spawn(async move { agent.end(desktop, "the agent stops").await });
        }
        ends.close();
        ends.wait().await;
    }
}

fn record_of(desktop: DesktopId, protocol: Protocol, owner: &Account, leader: Option<ProcessId>) -> Record {
    Record {
        desktop,
        protocol,
        account: owner.clone(),
        leader,
        boot: record::boot(),
    }
}

/// What a person waits for is told if somebody listens; a start goes on without.
fn tell(steps: &mpsc::Sender<AttachStep>, step: AttachStep) {
    if steps.try_send(step).is_err() {
        tracing::debug!("nobody waits for this desktop any more");
    }
}
