//! Accounts of the host: only names with the reserved prefix are ever created or used, their password is
//! always locked, and an account that was not made for desktops is never touched.

use std::path::PathBuf;

use tokio::process::Command;

use crate::Error;

/// Every account the agent makes or uses begins with this.
pub const NAME_PREFIX: &str = "naru-";
/// The longest login name (`useradd(8)`).
pub const NAME_BYTES_MAX: usize = 32;
/// Lower user ids belong to the system (Debian policy 9.2.2).
const UID_MIN: u32 = 1_000;

/// Why an account is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not a login name with the reserved prefix.
    #[error(
        "an account name is {NAME_PREFIX} and then 1 or more of a-z, 0-9, _ and -, at most {NAME_BYTES_MAX} in all"
    )]
    Name,
    /// It belongs to the system.
    #[error("the account belongs to the system")]
    SystemAccount,
    /// It has a password, so somebody uses it otherwise.
    #[error("the account has a password")]
    HasPassword,
    /// The answer about it cannot be read.
    #[error("the account's entry is malformed")]
    Entry,
    /// It is not there, even after it was made.
    #[error("there is no such account")]
    Missing,
}

/// A login name the agent may use: `^naru-[a-z0-9_-]+$`, at most 32 bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(String);

impl Name {
    /// The name, if it is one.
    ///
    /// # Errors
    /// [`Refusal::Name`].
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let rest = text.strip_prefix(NAME_PREFIX).ok_or(Refusal::Name)?;
        let fits = !rest.is_empty()
            && text.len() <= NAME_BYTES_MAX
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte));
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(Refusal::Name)
        }
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An account as the host knows it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Account {
    /// Login name.
    pub name: String,
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
    /// Home directory.
    pub home: PathBuf,
}

impl Account {
    /// Reads a line of `passwd(5)`.
    fn from_passwd(line: &str) -> Result<Self, Refusal> {
        let fields: Vec<&str> = line.trim_end().split(':').collect();
        let [name, _, uid, gid, _, home, _] = fields.as_slice() else {
            return Err(Refusal::Entry);
        };
        Ok(Self {
            name: (*name).to_owned(),
            uid: uid.parse().map_err(|_| Refusal::Entry)?,
            gid: gid.parse().map_err(|_| Refusal::Entry)?,
            home: PathBuf::from(home),
        })
    }

    /// Refuses what was not made for desktops.
    fn check_usable(&self, shadow_line: &str) -> Result<(), Refusal> {
        if self.uid < UID_MIN {
            return Err(Refusal::SystemAccount);
        }
        match shadow_line.split(':').nth(1) {
            Some(password) if password.starts_with('!') || password.starts_with('*') => Ok(()),
            Some(_) => Err(Refusal::HasPassword),
            None => Err(Refusal::Entry),
        }
    }
}

/// The account of this name, made if it is missing. Needs root.
///
/// # Errors
/// A [`Refusal`], or `useradd` failed.
pub(crate) async fn ensure(name: &Name) -> Result<Account, Error> {
    if let Some(account) = find(name).await? {
        return Ok(account);
    }
    tracing::info!(account = name.as_str(), "making the account");
    let made = Command::new("useradd")
        .args(["--create-home", "--user-group", "--shell", "/bin/bash"])
        .args([
            "--password",
            "!",
            "--comment",
            "Naru desktop",
            "--key",
            "HOME_MODE=0700",
        ])
        .arg(name.as_str())
        .output()
        .await
        .map_err(Error::io("run useradd"))?;
    if !made.status.success() {
        let detail = String::from_utf8_lossy(&made.stderr).trim().to_owned();
        return Err(Error::Program {
            program: "useradd",
            detail,
        });
    }
    find(name).await?.ok_or_else(|| Refusal::Missing.into())
}

/// The account of this name, if there is one and it may be used.
///
/// # Errors
/// A [`Refusal`], or the name service does not answer.
pub(crate) async fn find(name: &Name) -> Result<Option<Account>, Error> {
    let Some(line) = getent("passwd", name.as_str()).await? else {
        return Ok(None);
    };
    let account = Account::from_passwd(&line)?;
    let shadow = getent("shadow", name.as_str()).await?.ok_or(Refusal::Entry)?;
    account.check_usable(&shadow)?;
    Ok(Some(account))
}

/// The account the agent itself runs as.
///
/// # Errors
/// The name service cannot be asked or does not know it.
pub(crate) async fn current() -> Result<Account, Error> {
    let uid = rustix::process::getuid().as_raw().to_string();
    let line = getent("passwd", &uid).await?.ok_or(Refusal::Entry)?;
    Ok(Account::from_passwd(&line)?)
}

/// A system account another package made.
pub(crate) async fn system(name: &str) -> Result<Account, Error> {
    let line = getent("passwd", name).await?.ok_or(Refusal::Missing)?;
    Ok(Account::from_passwd(&line)?)
}

async fn getent(database: &str, key: &str) -> Result<Option<String>, Error> {
    let found = Command::new("getent")
        .args([database, key])
        .output()
        .await
        .map_err(Error::io("run getent"))?;
    Ok(found
        .status
        .success()
        .then(|| String::from_utf8_lossy(&found.stdout).into_owned()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_reserved_names_are_accounts() {
        for good in [
            "naru-a",
            "naru-hong_1",
            "naru-0",
            "naru-abcdefghijklmnopqrstuvwxyz1",
        ] {
            assert_eq!(
                Name::parse(good).map(|name| name.as_str().to_owned()),
                Ok(good.to_owned())
            );
        }
        for bad in [
            "",
            "root",
            "naru",
            "naru-",
            "Naru-a",
            "naru-A",
            "naru-a b",
            "naru-a;id",
            "naru-한글",
            "naru-a\n",
            "naru-../x",
            "-naru-a",
            "naru-abcdefghijklmnopqrstuvwxyz12",
        ] {
            assert_eq!(Name::parse(bad), Err(Refusal::Name), "{bad:?}");
        }
    }

    #[test]
    fn system_accounts_and_accounts_with_a_password_are_refused() {
        let desktop =
            Account::from_passwd("naru-a:x:1001:1001:Naru desktop:/home/naru-a:/bin/bash\n").unwrap();
        assert_eq!(desktop.uid, 1001);
        assert_eq!(desktop.check_usable("naru-a:!:20000:0:99999:7:::"), Ok(()));
        assert_eq!(
            desktop.check_usable("naru-a:$y$j9T$x:20000::::::"),
            Err(Refusal::HasPassword)
        );
        assert_eq!(
            desktop.check_usable("naru-a::20000::::::"),
            Err(Refusal::HasPassword)
        );
        let system = Account::from_passwd("naru-b:x:999:999::/var/empty:/bin/false").unwrap();
        assert_eq!(
            system.check_usable("naru-b:!:1::::::"),
            Err(Refusal::SystemAccount)
        );
        assert_eq!(Account::from_passwd("naru-b:x:-1:0:::"), Err(Refusal::Entry));
        assert_eq!(Account::from_passwd("a:b"), Err(Refusal::Entry));
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_is_safe_in_a_shell_and_a_path(text in "(naru-)?.{0,40}") {
            if let Ok(name) = Name::parse(&text) {
                prop_assert!(name.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b)));
                prop_assert!(name.as_str().len() <= NAME_BYTES_MAX && !name.as_str().starts_with('-'));
            }
        }
    }
}
