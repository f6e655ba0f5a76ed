//! A node's place in the fleet: kept from an earlier start, or enrolled now with a one-time token.

use anyhow::{Context as _, bail};
use naru_kernel::{Entropy as _, fleet::NodeRole};
use naru_runtime::{
    clock::SystemEntropy,
    fleet::{Enrolment, NodeIdentity, enrol},
};

use crate::{cli::Enrol, config::Config, state::StateDirectory};

/// The node's identity; enrols at the first start.
pub(crate) async fn join(
    role: NodeRole,
    config: &Config,
    state: &StateDirectory,
    wishes: &Enrol,
) -> anyhow::Result<NodeIdentity> {
    let path = state.join(&format!("{role}.json"));
    if let Some(identity) = NodeIdentity::load(&path)? {
        return Ok(identity);
    }
    let Some(token) = wishes.token.clone() else {
        bail!(
            "this {role} is not enrolled yet: make a token on the portal (Hosts, \"Enrol\"; or `naru admin token {role}`) \
             and start again with --portal HOST:PORT --token TOKEN"
        );
    };
    let (address, protocols) = match role {
        NodeRole::Gateway => (config.gateway.public_url.clone(), Vec::new()),
        NodeRole::Host => (config.node.address.clone(), config.agent.protocols.clone()),
    };
    let identity = enrol(Enrolment {
        token,
        portal: wishes
            .portal
            .clone()
            .unwrap_or_else(|| config.node.portal.clone()),
        role,
        name: config.node.name.clone(),
        address,
        zone: config.node.zone.clone(),
        protocols,
    })
    .await
    .with_context(|| format!("this {role} could not be enrolled"))?;
    identity.save(&path)?;
    tracing::info!(node = %identity.node, %role, "enrolled");
    Ok(identity)
}

/// A name for this start of the process.
pub(crate) fn boot() -> String {
    let mut bits = [0_u8; 8];
    SystemEntropy.fill(&mut bits);
    hex::encode(bits)
}
