//! Use cases: who may, in one transaction, with its entry in the record.

mod adding;
mod admin;
mod alarms;
mod authenticate;
mod carry_out;
mod enrol;
mod facts;
mod fetch;
mod grants;
mod groups;
mod history;
mod import;
mod jobs;
mod logon;
mod memberships;
mod ministries;
mod moving;
mod people;
mod reach;
mod recovery;
mod revocation;
mod roster;
mod scim;
mod scim_tokens;
mod second_factor;
mod seed;
mod sessions;
mod step_up;
mod visits;

use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use naru_kernel::{Clock, Entropy, MinistryId, Seconds, Timestamp};
use naru_pki::{ChallengeKey, Trust};
use naru_runtime::{Client, Fails as _, Windows};
use naru_store::{Act, BoxFuture, By, Db, Outcome, Tx};
use webauthn_rs::{Webauthn, WebauthnBuilder};

pub use admin::{NewMinistry, PersonCard};
pub use authenticate::{Authenticated, CurrentLogon};
pub use facts::KnownPerson;
pub use grants::{GrantForm, GrantQuery};
pub use groups::{GroupForm, GroupQuery, MembersForm};
pub(crate) use import::{FILE_BYTES_MAX, ImportWish, Mode};
pub use logon::Opened;
pub use memberships::{MembershipForm, SwitchForm};
pub use ministries::{FirstActivation, FirstAdministrator, MinistryForm, MinistryMade, MinistryQuery};
pub use moving::MoveForm;
pub use people::{PeopleQuery, PersonForm};
pub use revocation::ListStatus;
pub(crate) use scim::{
    Attributes, Directory, IfMatch, RESOURCE_TYPES, SCHEMAS, ScimError, ScimQuery, ScimRefusal, configuration,
};
pub use scim_tokens::ScimTokenForm;
pub use step_up::LogonProof;
pub use visits::Visitor;

use crate::{
    AsksSecondPerson, ClosesWhatIsOpen, Error, IdentityConfig, Refusal,
    rules::{Lifetimes, Places},
    secret::Keys,
    store,
};

/// Gives the value of a verdict, or ends the work of a change with its refusal, which is then recorded.
macro_rules! granted {
    ($verdict:expr) => {
        match $verdict {
            Ok(value) => value,
            Err(refusal) => return Ok(Err(Refusal::from(refusal))),
        }
    };
}
pub(crate) use granted;

/// Refusals of directories nobody knows that are written to the record, for each address in one window; more are only
/// counted.
const STRANGERS_PER_WINDOW_MAX: u32 = 10;
const STRANGERS_WINDOW: Seconds = Seconds(60);

/// What a change decides: its value, or why not.
pub(crate) type Verdict<T> = Result<T, Refusal>;

/// What the work of a change needs besides the transaction.
#[derive(Clone)]
pub(crate) struct Tools {
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) desktops: Arc<dyn ClosesWhatIsOpen>,
    pub(crate) second: Arc<OnceLock<Arc<dyn AsksSecondPerson>>>,
    pub(crate) lifetimes: Lifetimes,
    pub(crate) places: Arc<Places>,
}

/// The domain: people, certificates, second factors, sessions.
pub struct Identity {
    config: IdentityConfig,
    db: Db,
    clock: Arc<dyn Clock>,
    tools: Tools,
    challenge_keys: Vec<ChallengeKey>,
    webauthn: Webauthn,
    trust: RwLock<Arc<Trust>>,
    lists: RwLock<Vec<ListStatus>>,
    /// Refusals of directories nobody knows, by address.
    strangers: Mutex<Windows<String>>,
}

impl Identity {
    /// Prepares the domain: reads the profiles' authorities, makes or reads the installation's keys, loads the
    /// revocation lists that are stored.
    ///
    /// # Errors
    /// When a profile or the origin cannot be used, or the store fails.
    pub async fn open(
        config: IdentityConfig,
        db: Db,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        desktops: Arc<dyn ClosesWhatIsOpen>,
    ) -> Result<Self, Error> {
        let trust = Trust::new(&config.profiles, |name| std::fs::read(name).ok())?;
        let webauthn = webauthn(&config)?;
        let now = clock.now();
        let [challenge, code, seal] = installation_keys(&db, entropy.as_ref(), now).await?;
        let tools = Tools {
            entropy,
            keys: Arc::new(Keys::new(&code, &seal)?),
            desktops,
            second: Arc::new(OnceLock::new()),
            lifetimes: config.lifetimes(),
            places: Arc::new(Places::new(&config.places).map_err(Error::Place)?),
        };
        let identity = Self {
            config,
            db,
            clock,
            tools,
            challenge_keys: vec![ChallengeKey::new("1", &challenge)],
            webauthn,
            trust: RwLock::new(Arc::new(trust)),
            lists: RwLock::new(Vec::new()),
            strangers: Mutex::new(Windows::new(STRANGERS_WINDOW, STRANGERS_PER_WINDOW_MAX)),
        };
        identity.load_stored_lists().await?;
        Ok(identity)
    }

    /// Says who keeps what a second administrator must agree to. Approvals know this domain, so they start later.
    pub fn ask_by(&self, second: Arc<dyn AsksSecondPerson>) {
        // Only the one that opens the portal calls this, once.
        drop(self.tools.second.set(second));
    }

    /// Called after the commit of what [`Identity::carry_out`] did: whoever waits for orders is answered at once.
    pub fn wake(&self) {
        self.tools.desktops.wake();
    }

    /// The domain's configuration.
    #[must_use]
    pub const fn config(&self) -> &IdentityConfig {
        &self.config
    }

    /// What certificates are judged by, as of now.
    #[must_use]
    pub fn trust(&self) -> Arc<Trust> {
        Arc::clone(&self.trust.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn act(&self, action: &'static str, by: By, client: &Client) -> Act {
        Act {
            at: self.clock.now(),
            action,
            by,
            ministry: None,
            subject: String::new(),
            address: Some(client.address.clone()).filter(|address| !address.is_empty()),
        }
    }

    fn act_for(&self, action: &'static str, by: By, ministry: MinistryId, client: &Client) -> Act {
        Act {
            ministry: Some(ministry),
            ..self.act(action, by, client)
        }
    }

    /// Runs a change whose refusal is recorded as well: what the work wrote before it refused (a failure counted, a
    /// nonce used up) is kept.
    async fn decide<T, W>(&self, act: Act, work: W) -> Result<T, Error>
    where
        T: Send + 'static,
        W: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<Verdict<T>, Error>> + Send + 'static,
    {
        let verdict: Verdict<T> = self
            .db
            .change(act, move |tx| {
                Box::pin(async move {
                    let verdict = work(tx).await?;
                    if let Err(refusal) = &verdict {
                        tx.refused(refusal.code());
                    }
                    Ok::<_, Error>(verdict)
                })
            })
            .await?;
        verdict.map_err(Error::Refused)
    }

    /// Records a refusal that changed nothing, and gives it back.
    async fn refuse(&self, act: Act, refusal: Refusal, detail: serde_json::Value) -> Error {
        match self
            .db
            .record(act, Outcome::Refused(refusal.code()), detail)
            .await
        {
            Ok(()) => refusal.into(),
            Err(error) => error.into(),
        }
    }
}

/// Counts how log-ons come out.
fn count_logon<T>(result: &Result<T, Error>) {
    let (outcome, code) = match result {
        Ok(_) => ("done", "none"),
        Err(error @ Error::Refused(_)) => ("refused", error.code()),
        Err(error) => ("failed", error.code()),
    };
    metrics::counter!("naru_logon_total", "outcome" => outcome, "code" => code).increment(1);
}

fn webauthn(config: &IdentityConfig) -> Result<Webauthn, Error> {
    let origin = url::Url::parse(&config.origin).map_err(|error| Error::Origin(error.into()))?;
    let host = origin.host_str().unwrap_or_default().to_owned();
    WebauthnBuilder::new(&host, &origin)
        .map(|builder| builder.rp_name(&config.platform_name))
        .and_then(WebauthnBuilder::build)
        .map_err(|error| Error::Origin(error.into()))
}

async fn installation_keys(db: &Db, entropy: &dyn Entropy, now: Timestamp) -> Result<[[u8; 32]; 3], Error> {
    const NAMES: [&str; 3] = ["identity.challenge", "identity.activation", "identity.factors"];
    let mut fresh = [[0_u8; 32]; 3];
    for key in &mut fresh {
        entropy.fill(key);
    }
    db.housekeep("runtime.secrets", move |tx| {
        Box::pin(async move {
            let mut keys = fresh;
            for (key, name) in keys.iter_mut().zip(NAMES) {
                *key = store::keys::key(tx, name, *key, now).await?;
            }
            Ok(keys)
        })
    })
    .await
}
