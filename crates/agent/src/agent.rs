//! The agent's state, what it reports and how it obeys.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use naru_kernel::fleet::{Closure, Orders, Protocol, Report};
use naru_kernel::{Clock, DesktopId, Entropy, HostId, Seconds, Timestamp, Zone};
use naru_relay::ticket::{self, Claims, PublicKey, TicketRefusal, UsedTickets};
use naru_runtime::Tasks;
use tokio::sync::Semaphore;

use crate::account::Account;
use crate::config::Places;
use crate::session::{Layout, files, record::Lock, record::Records};
use crate::table::Table;
use crate::{AgentConfig, Error, account, load, otp, session};

/// Log-ins at a time; more make each slower and some fail (measured: 8 drop connections, 4 none).
pub const LOGONS_AT_ONCE_MAX: usize = 4;
/// Closures remembered, so that a ticket signed before one is refused; a ticket lives 60 s.
const CLOSURES_MAX: usize = 8_192;
/// How long a closure is remembered, in seconds.
const CLOSURE_SECONDS: i64 = ticket::LIFE_SECONDS_MAX + 2 * ticket::CLOCK_TOLERANCE_SECONDS;

/// Time and randomness, given so that tests can replace them.
#[derive(Clone)]
pub struct Machine {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The randomness.
    pub entropy: Arc<dyn Entropy>,
}

impl Machine {
    /// The real ones.
    #[must_use]
    pub fn system() -> Self {
        Self {
            clock: Arc::new(naru_runtime::clock::SystemClock),
            entropy: Arc::new(naru_runtime::clock::SystemEntropy),
        }
    }
}

/// Whose sessions can be opened.
pub(crate) enum Power {
    /// Root: everybody's, each with an account of their own.
    Everybody,
    /// Not root: one person's, as the one who runs the agent.
    OnePerson(Account),
}

/// A desktop host.
pub struct Agent {
    pub(crate) config: AgentConfig,
    pub(crate) host: HostId,
    pub(crate) machine: Machine,
    pub(crate) tasks: Tasks,
    pub(crate) power: Power,
    pub(crate) layout: Layout,
    pub(crate) records: Records,
    pub(crate) logons: Arc<Semaphore>,
    pub(crate) places: Places,
    state: Mutex<State>,
    turns: Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<()>>>>,
    _lock: Lock,
}

/// What changes.
#[derive(Default)]
pub(crate) struct State {
    keys: Vec<PublicKey>,
    closures: VecDeque<Closure>,
    used: UsedTickets,
    pub(crate) table: Table,
    pub(crate) passwords: otp::Passwords,
    /// Without root: whom this host serves.
    pub(crate) sole_account: Option<String>,
}

impl Agent {
    /// Prepares directories and files and takes up the sessions an earlier agent left; starts nothing.
    ///
    /// # Errors
    /// The configuration cannot be used, or a directory cannot be made.
    pub async fn new(
        config: AgentConfig,
        host: HostId,
        zone: &Zone,
        machine: Machine,
        tasks: Tasks,
    ) -> Result<Arc<Self>, Error> {
        let own = account::current().await?;
        let places = Places::of(&config, own.uid, &own.home);
        let power = if rustix::process::geteuid().is_root() {
            Power::Everybody
        } else {
            tracing::warn!("not root: this host serves one person only, as the account that runs it");
            Power::OnePerson(own)
        };
        if config.protocols.contains(&Protocol::Rdp) && matches!(power, Power::OnePerson(_)) {
            return Err(Error::Configuration {
                why: "the protocol rdp needs root",
            });
        }
        if matches!(power, Power::Everybody) {
            session::prepare_x11_directory()?;
        }
        let lock = Lock::take(&places.state)?;
        let layout = Layout::prepare(&places.run)?;
        files::write(&layout.files(), &files::Look::of(zone, config.colour.as_deref())?)?;
        let records = Records::open(&places.state)?;
        let agent = Arc::new(Self {
            config,
            host,
            machine,
            tasks,
            power,
            layout,
            records,
            logons: Arc::new(Semaphore::new(LOGONS_AT_ONCE_MAX)),
            places,
            state: Mutex::default(),
            turns: Mutex::default(),
            _lock: lock,
        });
        agent.adopt()?;
        Ok(agent)
    }

    /// The state. A panic elsewhere leaves it usable: every change is one step.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.machine.clock.now()
    }

    /// The turn of an account: its sessions start and end one after another, so that ending one never
    /// takes what another has just started.
    pub(crate) async fn turn(&self, account: &str) -> tokio::sync::OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
            Arc::clone(turns.entry(account.to_owned()).or_default())
        };
        turn.lock_owned().await
    }

    pub(crate) fn sessions_max(&self) -> i64 {
        match self.power {
            // Business and internet desktop of the one person.
            Power::OnePerson(_) => 2,
            Power::Everybody => self.load().sessions_max,
        }
    }

    fn load(&self) -> naru_kernel::fleet::HostLoad {
        let mut seen = load::read(load::Sessions {
            running: self.state().table.sessions(),
            max: self.config.sessions_max.map(i64::from),
            logons_in_progress: i64::try_from(LOGONS_AT_ONCE_MAX - self.logons.available_permits())
                .unwrap_or(0),
        });
        if matches!(self.power, Power::OnePerson(_)) {
            seen.sessions_max = seen.sessions_max.min(2);
        }
        seen
    }

    /// Verifies a ticket for this host and spends it.
    pub(crate) fn accept(&self, text: &str) -> Result<Claims, TicketRefusal> {
        let now = self.now();
        let mut state = self.state();
        let claims = ticket::verify(text, &state.keys, now)?;
        claims.check_target(self.host, claims.protocol)?;
        if state.closures.iter().any(|closure| claims.is_closed_by(closure)) {
            return Err(TicketRefusal::Closed);
        }
        state.used.spend(&claims, now)?;
        Ok(claims)
    }

    fn remember_closures(&self, closures: &[Closure]) {
        let oldest = self.now() - Seconds(CLOSURE_SECONDS);
        let mut state = self.state();
        state.closures.retain(|closure| closure.at >= oldest);
        for closure in closures {
            state.table.cut(|claims| claims.is_closed_by(closure));
            if state.closures.len() >= CLOSURES_MAX {
                state.closures.pop_front();
            }
            state.closures.push_back(*closure);
        }
    }

    /// What an operator should know besides the figures: whether the host does less than it could.
    #[must_use]
    pub fn limitation(&self) -> Option<&'static str> {
        match self.power {
            Power::Everybody => None,
            Power::OnePerson(_) => Some("runs without root: serves one person, with the agent's own account"),
        }
    }

    /// Desktops that run or start now.
    #[must_use]
    pub fn open_desktops(&self) -> Vec<DesktopId> {
        self.state().table.open()
    }
}

fn count(number: i64) -> f64 {
    f64::from(i32::try_from(number).unwrap_or(i32::MAX))
}

/// The agent as a node of the fleet: hand it to [`naru_runtime::fleet::sync_loop`].
pub struct HostNode(pub Arc<Agent>);

impl naru_runtime::fleet::Node for HostNode {
    fn report(&self) -> Report {
        let load = self.0.load();
        metrics::gauge!("naru_host_cpu_pressure_percent").set(load.cpu_pressure_percent);
        metrics::gauge!("naru_host_sessions").set(count(load.sessions));
        metrics::gauge!("naru_host_sessions_max").set(count(load.sessions_max));
        metrics::gauge!("naru_host_logons_in_progress").set(count(load.logons_in_progress));
        let desktops = self.0.state().table.report();
        Report {
            load: Some(load),
            desktops,
            ..Report::default()
        }
    }

    fn apply(&self, orders: &Orders) {
        let keys: Vec<PublicKey> = orders
            .ticket_keys
            .iter()
            .filter_map(|key| PublicKey::from_hex(key).ok())
            .collect();
        let unwanted = {
            let mut state = self.0.state();
            // Without keys no ticket could be accepted: an empty list is no order.
            if !keys.is_empty() {
                state.keys = keys;
            }
            state.table.answered(&orders.end_desktops)
        };
        self.0.remember_closures(&orders.closures);
        for desktop in unwanted {
            let agent = Arc::clone(&self.0);
            drop(
                self.0
                    .tasks
                    .spawn(async move { agent.end(desktop, "ordered").await }),
            );
        }
    }
}
