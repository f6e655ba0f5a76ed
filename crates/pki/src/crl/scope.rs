//! Which certificates a list speaks of (RFC 5280 5.2.5, 6.3.3 b).

use std::collections::BTreeSet;

use x509_cert::ext::pkix::{
    crl::dp::IssuingDistributionPoint,
    name::{DistributionPointName, GeneralName},
};

use crate::{certificate::Certificate, name};

/// What a list covers. The default is everything its issuer issued.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Scope {
    /// Keys of the distribution point's names; `None`: not a part.
    part: Option<BTreeSet<String>>,
    only_people: bool,
    only_authorities: bool,
}

impl Scope {
    /// `None` for kinds that are not supported.
    pub(super) fn of(point: &IssuingDistributionPoint) -> Option<Self> {
        if point.indirect_crl || point.only_contains_attribute_certs || point.only_some_reasons.is_some() {
            return None;
        }
        let part = match &point.distribution_point {
            None => None,
            Some(DistributionPointName::FullName(names)) => {
                let keys = keys(names);
                if keys.is_empty() {
                    return None;
                }
                Some(keys)
            }
            Some(DistributionPointName::NameRelativeToCRLIssuer(_)) => return None,
        };
        Some(Self {
            part,
            only_people: point.only_contains_user_certs,
            only_authorities: point.only_contains_ca_certs,
        })
    }

    pub(super) fn covers(&self, certificate: &Certificate) -> bool {
        let is_authority = certificate
            .extensions
            .basic
            .as_ref()
            .is_some_and(|basic| basic.ca);
        if (self.only_people && is_authority) || (self.only_authorities && !is_authority) {
            return false;
        }
        let Some(part) = &self.part else { return true };
        // A certificate that names no part must not be looked up in any one part: it would be found innocent.
        certificate
            .extensions
            .distribution
            .iter()
            .flat_map(|points| &points.0)
            .filter(|point| point.crl_issuer.is_none() && point.reasons.is_none())
            .filter_map(|point| match &point.distribution_point {
                Some(DistributionPointName::FullName(names)) => Some(keys(names)),
                Some(DistributionPointName::NameRelativeToCRLIssuer(_)) | None => None,
            })
            .any(|names| !names.is_disjoint(part))
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.part.iter().flatten().cloned().collect()
    }
}

/// Keys under which two spellings of one distribution point meet: a directory name, and the name inside an LDAP
/// address (RFC 4516), are the same place.
fn keys(names: &[GeneralName]) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for general in names {
        match general {
            GeneralName::DirectoryName(directory) => {
                keys.insert(format!("dn:{}", name::fold(directory)));
            }
            GeneralName::UniformResourceIdentifier(address) => {
                let address = decoded(address.as_str());
                if let Some(directory) = ldap_name(&address).and_then(name::fold_text) {
                    keys.insert(format!("dn:{directory}"));
                }
                keys.insert(format!("uri:{}", address.to_lowercase()));
            }
            GeneralName::OtherName(_)
            | GeneralName::Rfc822Name(_)
            | GeneralName::DnsName(_)
            | GeneralName::EdiPartyName(_)
            | GeneralName::IpAddress(_)
            | GeneralName::RegisteredId(_) => {}
        }
    }
    keys
}

/// The distinguished name in `ldap://host:port/name?attributes`.
fn ldap_name(address: &str) -> Option<&str> {
    let (scheme, rest) = address.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("ldap") && !scheme.eq_ignore_ascii_case("ldaps") {
        return None;
    }
    let (_, path) = rest.split_once('/')?;
    path.split('?').next().filter(|name| !name.is_empty())
}

/// Percent-decoded; a stray percent sign stays.
fn decoded(address: &str) -> String {
    let mut out = Vec::with_capacity(address.len());
    let mut bytes = address.as_bytes();
    while let Some((first, rest)) = bytes.split_first() {
        let pair = if *first == b'%' {
            rest.split_at_checked(2)
        } else {
            None
        };
        let value = pair.and_then(|(pair, after)| Some((hex::decode(pair).ok()?, after)));
        match value {
            Some((value, after)) => {
                out.extend_from_slice(&value);
                bytes = after;
            }
            None => {
                out.push(*first);
                bytes = rest;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use der::{Decode as _, asn1::Ia5String};
    use x509_cert::name::Name;

    use super::*;
    use crate::write;

    fn address(text: &str) -> GeneralName {
        GeneralName::UniformResourceIdentifier(Ia5String::new(text).unwrap())
    }

    #[test]
    fn one_place_has_one_key_however_it_is_written() {
        let written = "ldap://cen.dir.go.kr:389/cn=crl1p1dp8335,cn=CA131100001,ou=GPKI,o=Government of Korea,c=KR?certificateRevocationList;binary";
        let encoded = written.replace(' ', "%20");
        let directory = write::name(&[
            ("2.5.4.6", "KR"),
            ("2.5.4.10", "Government of Korea"),
            ("2.5.4.11", "GPKI"),
            ("2.5.4.3", "CA131100001"),
            ("2.5.4.3", "crl1p1dp8335"),
        ]);
        let directory = GeneralName::DirectoryName(Name::from_der(&directory).unwrap());
        let first = keys(&[address(written)]);
        assert!(!first.is_disjoint(&keys(&[address(&encoded)])));
        assert!(!first.is_disjoint(&keys(&[directory])));
        let other = keys(&[address(&written.replace("8335", "8336"))]);
        assert!(first.is_disjoint(&other));
        let nameless = keys(&[address("ldap://cen.dir.go.kr:389/?certificateRevocationList")]);
        assert!(first.is_disjoint(&nameless));
    }
}
