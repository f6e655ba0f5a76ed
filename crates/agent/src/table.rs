//! The table of this host's desktops and who is attached to which: plain state, no I/O.

use std::collections::{BTreeMap, BTreeSet};

use naru_kernel::DesktopId;
use naru_kernel::fleet::{HostDesktop, HostDesktopState, Protocol};
use naru_relay::ticket::Claims;
use tokio_util::sync::CancellationToken;

use crate::{Error, session::process::ProcessId};

/// One desktop.
struct Desktop {
    protocol: Protocol,
    account: String,
    state: HostDesktopState,
    leader: Option<ProcessId>,
    /// Its processes are being ended; nobody attaches any more.
    ending: bool,
    /// Its end was in a report, which the portal has not answered yet.
    end_reported: bool,
    attachment: Option<Attachment>,
}

struct Attachment {
    number: u64,
    claims: Box<Claims>,
    cut: CancellationToken,
}

/// How a desktop stands when somebody wants in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing runs yet; it was entered as starting.
    Absent,
    /// It runs.
    Running,
}

/// All desktops of the host.
#[derive(Default)]
pub(crate) struct Table {
    desktops: BTreeMap<DesktopId, Desktop>,
    /// What the portal said should not run; a late ticket for one of these opens nothing.
    unwanted: BTreeSet<DesktopId>,
    attachments: u64,
}

impl Table {
    /// Enters a desktop that is to be started, unless it is there.
    ///
    /// # Errors
    /// [`Error::Full`], or [`Error::Ending`].
    pub(crate) fn enter(
        &mut self,
        desktop: DesktopId,
        protocol: Protocol,
        account: &str,
        sessions_max: i64,
    ) -> Result<Standing, Error> {
        if self.unwanted.contains(&desktop) {
            return Err(Error::Ending);
        }
        match self.desktops.get(&desktop) {
            Some(there) if there.ending => return Err(Error::Ending),
            Some(there) if there.state == HostDesktopState::Running => return Ok(Standing::Running),
            Some(there) if there.state == HostDesktopState::Starting => return Ok(Standing::Absent),
            Some(_) | None => {}
        }
        if self.sessions() >= sessions_max {
            return Err(Error::Full { sessions_max });
        }
        self.insert(desktop, protocol, account, HostDesktopState::Starting, None);
        Ok(Standing::Absent)
    }

    /// Takes up a session that an earlier agent left.
    pub(crate) fn adopt(&mut self, desktop: DesktopId, protocol: Protocol, account: &str, leader: ProcessId) {
        self.insert(
            desktop,
            protocol,
            account,
            HostDesktopState::Running,
            Some(leader),
        );
    }

    /// Notes the end of a session that an earlier agent left and that is gone.
    pub(crate) fn lost(&mut self, desktop: DesktopId, protocol: Protocol, account: &str) {
        self.insert(desktop, protocol, account, HostDesktopState::Ended, None);
    }

    fn insert(
        &mut self,
        desktop: DesktopId,
        protocol: Protocol,
        account: &str,
        state: HostDesktopState,
        leader: Option<ProcessId>,
    ) {
        let entry = Desktop {
            protocol,
            account: account.to_owned(),
            state,
            leader,
            ending: false,
            end_reported: false,
            attachment: None,
        };
        self.desktops.insert(desktop, entry);
    }

    /// Its first process is up.
    pub(crate) fn running(&mut self, desktop: DesktopId, leader: ProcessId) {
        if let Some(there) = self.desktops.get_mut(&desktop) {
            there.state = HostDesktopState::Running;
            there.leader = Some(leader);
        }
    }

    /// Its first process, once it is known.
    pub(crate) fn leader(&self, desktop: DesktopId) -> Option<ProcessId> {
        self.desktops.get(&desktop).and_then(|there| there.leader)
    }

    /// Begins to end it: cuts who is attached. `None` if it has ended or is being ended; else its account.
    pub(crate) fn begin_end(&mut self, desktop: DesktopId) -> Option<String> {
        let there = self.desktops.get_mut(&desktop)?;
        if there.ending || there.state == HostDesktopState::Ended {
            return None;
        }
        there.ending = true;
        if let Some(attachment) = there.attachment.take() {
            attachment.cut.cancel();
        }
        Some(there.account.clone())
    }

    /// It has ended.
    pub(crate) fn ended(&mut self, desktop: DesktopId) {
        if let Some(there) = self.desktops.get_mut(&desktop) {
            there.state = HostDesktopState::Ended;
            there.ending = false;
            there.leader = None;
        }
    }

    /// Whether the account has a desktop besides this one.
    pub(crate) fn has_other(&self, account: &str, desktop: DesktopId) -> bool {
        self.desktops.iter().any(|(id, there)| {
            *id != desktop && there.account == account && there.state != HostDesktopState::Ended
        })
    }

    /// Sessions that take room.
    pub(crate) fn sessions(&self) -> i64 {
        let count = self
            .desktops
            .values()
            .filter(|there| there.state != HostDesktopState::Ended)
            .count();
        i64::try_from(count).unwrap_or(i64::MAX)
    }

    /// Those that run or start.
    pub(crate) fn open(&self) -> Vec<DesktopId> {
        let open = self
            .desktops
            .iter()
            .filter(|(_, there)| there.state != HostDesktopState::Ended);
        open.map(|(id, _)| *id).collect()
    }

    /// Attaches to a desktop; who was attached before is cut. The token says when this one is.
    ///
    /// # Errors
    /// [`Error::Ending`] when there is nothing to attach to any more.
    pub(crate) fn attach(&mut self, claims: &Claims) -> Result<(u64, CancellationToken), Error> {
        let there = self.desktops.get_mut(&claims.desktop).ok_or(Error::Ending)?;
        if there.ending || there.state == HostDesktopState::Ended {
            return Err(Error::Ending);
        }
        self.attachments += 1;
        let cut = CancellationToken::new();
        let attachment = Attachment {
            number: self.attachments,
            claims: Box::new(claims.clone()),
            cut: cut.clone(),
        };
        if let Some(older) = there.attachment.replace(attachment) {
            older.cut.cancel();
        }
        Ok((self.attachments, cut))
    }

    /// Who was attached by this number has left.
    pub(crate) fn detach(&mut self, desktop: DesktopId, number: u64) {
        if let Some(there) = self.desktops.get_mut(&desktop)
            && there
                .attachment
                .as_ref()
                .is_some_and(|attachment| attachment.number == number)
        {
            there.attachment = None;
        }
    }

    /// Cuts every attachment whose ticket fits.
    pub(crate) fn cut(&mut self, fits: impl Fn(&Claims) -> bool) {
        for there in self.desktops.values_mut() {
            if let Some(attachment) = there.attachment.take_if(|attachment| fits(&attachment.claims)) {
                attachment.cut.cancel();
            }
        }
    }

    /// What is told to the portal; an end that is in it counts as told once the portal has answered.
    pub(crate) fn report(&mut self) -> Vec<HostDesktop> {
        let told = |(desktop, there): (&DesktopId, &mut Desktop)| {
            there.end_reported |= there.state == HostDesktopState::Ended;
            let attached = there.attachment.is_some();
            HostDesktop {
                desktop: *desktop,
                state: there.state,
                attached,
            }
        };
        self.desktops.iter_mut().map(told).collect()
    }

    /// The portal has answered a report, and says which desktops should not run. Those of them that do
    /// are given back.
    pub(crate) fn answered(&mut self, unwanted: &[DesktopId]) -> Vec<DesktopId> {
        self.desktops
            .retain(|_, there| !there.end_reported || there.state != HostDesktopState::Ended);
        self.unwanted = unwanted.iter().copied().collect();
        let there = |id: &DesktopId| {
            self.desktops
                .get(id)
                .is_some_and(|there| there.state != HostDesktopState::Ended && !there.ending)
        };
        unwanted.iter().copied().filter(there).collect()
    }

    /// How the desktop is carried.
    pub(crate) fn protocol(&self, desktop: DesktopId) -> Option<Protocol> {
        self.desktops.get(&desktop).map(|there| there.protocol)
    }
}

#[cfg(test)]
mod tests {
    use naru_kernel::fleet::ClipboardPolicy;
    use naru_kernel::{HostId, LogonId, MinistryId, PersonId, Timestamp, Zone};

    use super::*;

    const LEADER: ProcessId = ProcessId { pid: 2, start: 3 };

    fn desktop(bits: u128) -> DesktopId {
        DesktopId::from_bits(bits)
    }

    fn claims(bits: u128) -> Claims {
        Claims {
            version: 1,
            id: "00".repeat(16),
            desktop: desktop(bits),
            logon: LogonId::from_bits(1),
            person: PersonId::from_bits(1),
            ministry: MinistryId::from_bits(1),
            account: "naru-a".into(),
            display_name: "가".into(),
            host: HostId::from_bits(1),
            host_address: "127.0.0.1:8446".into(),
            host_certificate: "00".repeat(32),
            protocol: Protocol::Rfb,
            zone: Zone::business(),
            clipboard: ClipboardPolicy {
                copy_out: false,
                paste_in: true,
            },
            issued_at: Timestamp::from_seconds(1),
            expires_at: Timestamp::from_seconds(2),
        }
    }

    fn with_running(ids: &[u128]) -> Table {
        let mut table = Table::default();
        for id in ids {
            table.enter(desktop(*id), Protocol::Rfb, "naru-a", 9).unwrap();
            table.running(desktop(*id), LEADER);
        }
        table
    }

    #[test]
    fn the_limit_counts_what_starts_and_an_existing_session_wins_over_it() {
        let mut table = Table::default();
        assert_eq!(
            table.enter(desktop(1), Protocol::Rfb, "naru-a", 1).unwrap(),
            Standing::Absent
        );
        assert!(matches!(
            table.enter(desktop(2), Protocol::Rfb, "naru-b", 1),
            Err(Error::Full { sessions_max: 1 })
        ));
        table.running(desktop(1), LEADER);
        assert_eq!(
            table.enter(desktop(1), Protocol::Rfb, "naru-a", 1).unwrap(),
            Standing::Running
        );
    }

    #[test]
    fn a_newer_attachment_cuts_the_older_and_survives_its_leaving() {
        let mut table = with_running(&[1]);
        let (first, first_cut) = table.attach(&claims(1)).unwrap();
        let (second, second_cut) = table.attach(&claims(1)).unwrap();
        assert!(first_cut.is_cancelled() && !second_cut.is_cancelled());
        table.detach(desktop(1), first);
        assert!(table.report().first().is_some_and(|told| told.attached));
        table.detach(desktop(1), second);
        assert!(table.report().first().is_some_and(|told| !told.attached));
    }

    #[test]
    fn an_end_is_told_until_the_portal_has_answered_and_then_no_more() {
        let mut table = with_running(&[1]);
        assert_eq!(table.begin_end(desktop(1)).as_deref(), Some("naru-a"));
        assert_eq!(table.begin_end(desktop(1)), None);
        assert!(matches!(table.attach(&claims(1)), Err(Error::Ending)));
        table.ended(desktop(1));
        // The portal answers a report that was made before the end: the end is still to be told.
        table.answered(&[]);
        for _ in 0..2 {
            assert_eq!(
                table.report().first().map(|told| told.state),
                Some(HostDesktopState::Ended)
            );
        }
        table.answered(&[]);
        assert_eq!(table.report(), []);
        assert_eq!(table.sessions(), 0);
    }

    #[test]
    fn an_unwanted_desktop_is_ended_once_and_not_opened_again() {
        let mut table = with_running(&[1, 2]);
        assert_eq!(table.answered(&[desktop(1), desktop(9)]), [desktop(1)]);
        table.begin_end(desktop(1));
        assert_eq!(table.answered(&[desktop(1), desktop(9)]), []);
        table.ended(desktop(1));
        assert!(matches!(
            table.enter(desktop(1), Protocol::Rfb, "naru-a", 9),
            Err(Error::Ending)
        ));
        assert!(matches!(
            table.enter(desktop(9), Protocol::Rfb, "naru-a", 9),
            Err(Error::Ending)
        ));
        table.answered(&[]);
        assert_eq!(
            table.enter(desktop(9), Protocol::Rfb, "naru-a", 9).unwrap(),
            Standing::Absent
        );
    }

    #[test]
    fn only_fitting_attachments_are_cut_and_accounts_are_told_apart() {
        let mut table = with_running(&[1, 2]);
        let (_, one) = table.attach(&claims(1)).unwrap();
        let (_, two) = table.attach(&claims(2)).unwrap();
        table.cut(|claims| claims.desktop == desktop(1));
        assert!(one.is_cancelled() && !two.is_cancelled());
        assert!(table.has_other("naru-a", desktop(1)));
        assert!(!table.has_other("naru-b", desktop(1)));
        table.begin_end(desktop(2));
        table.ended(desktop(2));
        assert!(!table.has_other("naru-a", desktop(1)));
    }
}
