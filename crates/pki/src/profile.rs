//! What a certificate must be to log on: configuration, so that another country needs no other program.

use serde::{Deserialize, Serialize};

/// One kind of certificate the platform accepts. GPKI is one profile, the demo authority another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// A short word shown to people and written to the record, such as `gpki`.
    pub name: String,
    /// Trust anchors: PEM text, or names of DER or PEM files, read by the caller of [`crate::Trust::new`].
    pub roots: Vec<String>,
    /// Authorities between root and person, in the same forms. Their revocation lists can be loaded.
    #[serde(default)]
    pub intermediates: Vec<String>,
    /// The certificate must carry one of these policies (dotted numbers), and every authority above it must
    /// allow it. Empty: any policy, or none.
    #[serde(default)]
    pub policies: Vec<String>,
    /// All of these key usages must be in the certificate.
    #[serde(default = "default_key_usage")]
    pub key_usage: Vec<KeyUse>,
    /// RSA keys shorter than this are refused; never below 2,048.
    #[serde(default = "default_rsa_bits_min")]
    pub rsa_bits_min: u32,
    /// How the common name tells agency, name and sequence.
    #[serde(default)]
    pub common_name: CommonNameRule,
    /// What to do about revocation.
    #[serde(default)]
    pub revocation: RevocationRule,
}

/// Key usages a profile can ask for (RFC 5280 4.2.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyUse {
    /// digitalSignature.
    DigitalSignature,
    /// nonRepudiation, also called contentCommitment.
    NonRepudiation,
}

/// How to read the subject's common name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum CommonNameRule {
    /// The whole is the person's name.
    #[default]
    Plain,
    /// Agency code, name, sequence, such as `085홍길동001`. A name of another shape is taken as plain.
    AgencyNameSequence {
        /// Digits of the agency code at the front.
        agency_digits: u8,
        /// Digits of the sequence at the end.
        sequence_digits: u8,
    },
}

/// What is needed to believe that a certificate is not revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RevocationRule {
    /// A list this many hours past its nextUpdate is refused. Until then it is used, and the verdict says so.
    pub refuse_when_stale_hours: u32,
    /// What to do when no list covers the certificate.
    pub when_missing: WhenMissing,
    /// Whether the authorities between root and person are looked up as well.
    pub check_authorities: bool,
}

/// What to do without a revocation list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhenMissing {
    /// Refuse the log-on.
    #[default]
    Refuse,
    /// Accept, and say in the verdict that revocation was not checked.
    Accept,
}

impl Default for RevocationRule {
    fn default() -> Self {
        Self {
            refuse_when_stale_hours: 24,
            when_missing: WhenMissing::Refuse,
            check_authorities: true,
        }
    }
}

/// The floor below which no profile may go.
pub(crate) const RSA_BITS_FLOOR: u32 = 2_048;

const fn default_rsa_bits_min() -> u32 {
    RSA_BITS_FLOOR
}

fn default_key_usage() -> Vec<KeyUse> {
    vec![KeyUse::DigitalSignature]
}

impl Profile {
    /// Civil servants' certificates of the Korean government (policy 1.2.410.100001.2.2.1).
    #[must_use]
    pub fn gpki(roots: Vec<String>, intermediates: Vec<String>) -> Self {
        Self {
            name: "gpki".to_owned(),
            roots,
            intermediates,
            policies: vec!["1.2.410.100001.2.2.1".to_owned()],
            key_usage: default_key_usage(),
            rsa_bits_min: RSA_BITS_FLOOR,
            common_name: CommonNameRule::AgencyNameSequence {
                agency_digits: 3,
                sequence_digits: 3,
            },
            revocation: RevocationRule::default(),
        }
    }
}

/// What a common name tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReadName {
    pub(crate) agency_code: Option<String>,
    pub(crate) person_name: String,
}

impl CommonNameRule {
    pub(crate) fn read(self, common_name: &str) -> ReadName {
        let plain = ReadName {
            agency_code: None,
            person_name: common_name.to_owned(),
        };
        let Self::AgencyNameSequence {
            agency_digits,
            sequence_digits,
        } = self
        else {
            return plain;
        };
        let characters: Vec<char> = common_name.chars().collect();
        let (front, back) = (usize::from(agency_digits), usize::from(sequence_digits));
        let Some(end) = characters.len().checked_sub(back).filter(|end| *end > front) else {
            return plain;
        };
        let (agency, rest) = characters.split_at(front);
        let (name, sequence) = rest.split_at(end - front);
        let digits = |part: &[char]| part.iter().all(char::is_ascii_digit);
        if !digits(agency) || !digits(sequence) || name.iter().any(char::is_ascii_digit) {
            return plain;
        }
        ReadName {
            agency_code: (front > 0).then(|| agency.iter().collect()),
            person_name: name.iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_common_name_tells_agency_and_person() {
        let rule = CommonNameRule::AgencyNameSequence {
            agency_digits: 3,
            sequence_digits: 3,
        };
        let read = rule.read("085홍길동001");
        assert_eq!(read.agency_code.as_deref(), Some("085"));
        assert_eq!(read.person_name, "홍길동");
        for other in [
            "홍길동",
            "SVR1310101010",
            "085001",
            "08홍길동001",
            "",
            "085홍길동01",
        ] {
            assert_eq!(
                rule.read(other),
                ReadName {
                    agency_code: None,
                    person_name: other.to_owned()
                }
            );
        }
        assert_eq!(CommonNameRule::Plain.read("085홍길동001").agency_code, None);
    }

    #[test]
    fn a_profile_needs_little_text() {
        let profile: Profile = serde_json::from_str(r#"{"name":"demo","roots":["root.cer"]}"#).unwrap();
        assert_eq!(profile.rsa_bits_min, 2_048);
        assert_eq!(profile.key_usage, [KeyUse::DigitalSignature]);
        assert_eq!(profile.revocation.when_missing, WhenMissing::Refuse);
        assert!(serde_json::from_str::<Profile>(r#"{"name":"demo","roots":[],"rots":[]}"#).is_err());
    }
}
