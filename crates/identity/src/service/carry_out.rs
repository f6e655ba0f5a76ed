//! Doing what a second administrator agreed to, in the transaction of the agreement.

use naru_store::Tx;

use super::{
    Identity, Verdict, grants::carry_out_grant, memberships::carry_out_membership, moving::carry_out_move,
    recovery::carry_out_recovery,
};
use crate::{
    Agreed, Error, Refusal,
    asking::{ADD_MEMBERSHIP, GRANT_ROLE, MOVE_PERSON, RECOVER_FACTORS},
};

impl Identity {
    /// Does what was agreed to. A refusal says that it cannot be done any more as it was asked, and nothing was written
    /// that matters; call [`Identity::wake`] after the commit.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn carry_out(&self, tx: &mut Tx, agreed: &Agreed) -> Result<Verdict<()>, Error> {
        tx.note("asked_by", agreed.asked_by.to_string());
        match agreed.kind.as_str() {
            GRANT_ROLE => carry_out_grant(tx, &self.tools, agreed).await,
            ADD_MEMBERSHIP => {
                tx.across_ministries().await?;
                carry_out_membership(tx, &self.tools, agreed).await
            }
            MOVE_PERSON => {
                tx.across_ministries().await?;
                carry_out_move(tx, &self.tools, agreed).await
            }
            RECOVER_FACTORS => carry_out_recovery(tx, &self.tools, agreed).await,
            _ => Ok(Err(Refusal::NoSuch("wish"))),
        }
    }
}
