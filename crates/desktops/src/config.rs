//! The `[desktops]` section of the configuration.

use std::collections::BTreeMap;

use naru_kernel::{Zone, access::Label, fleet::ClipboardPolicy};
use serde::{Deserialize, Serialize};

/// What a zone's desktops are to people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ZoneConfig {
    /// What pages call it where they have no text of their own for the zone.
    pub label: String,
    /// What may cross the clipboard, per direction.
    pub clipboard: ClipboardPolicy,
    /// How secret what its desktops hold is, for the site's rules: `C`, `S` or `O`.
    #[serde(default = "sensitive")]
    pub secrecy: Label,
}

const fn sensitive() -> Label {
    Label::S
}

/// Desktops: which zones there are and what each allows.
#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DesktopsConfig {
    /// Zones by name; nodes of other zones cannot enrol.
    pub zones: BTreeMap<Zone, ZoneConfig>,
    /// Where nodes reach the portal's fleet door, `host:port`; stands in the command an operator is shown.
    pub fleet_address: String,
    /// How long a sync is held open when there is nothing to say, in milliseconds; at most 2,000.
    pub sync_hold_ms_max: u64,
}

impl Default for DesktopsConfig {
    fn default() -> Self {
        let zone = |label: &str, copy_out, secrecy| ZoneConfig {
            label: label.to_owned(),
            clipboard: ClipboardPolicy {
                copy_out,
                paste_in: true,
            },
            secrecy,
        };
        Self {
            zones: BTreeMap::from([
                (Zone::business(), zone("Business", false, Label::S)),
                (Zone::internet(), zone("Internet", true, Label::O)),
            ]),
            fleet_address: "127.0.0.1:8445".to_owned(),
            sync_hold_ms_max: 2_000,
        }
    }
}
