//! Name constraints (RFC 5280 4.2.1.10), for directory names; other forms only make refusals.

use x509_cert::ext::pkix::{constraints::name::GeneralSubtree, name::GeneralName};

use crate::{certificate::Certificate, name, oid};

/// Whether `certificate` lies within what `authority` above it may name.
///
/// Directory names (the subject and those among the alternative names) are compared. When the authority
/// constrains another form and the certificate has a name of that form, the answer is no.
pub(crate) fn allows(authority: &Certificate, certificate: &Certificate) -> bool {
    let Some(constraints) = &authority.extensions.name_constraints else {
        return true;
    };
    let permitted = constraints.permitted_subtrees.as_deref().unwrap_or_default();
    let excluded = constraints.excluded_subtrees.as_deref().unwrap_or_default();
    let all = || permitted.iter().chain(excluded);
    if certificate.extensions.has_unreadable_names {
        return false;
    }
    // RFC 5280: minimum 0 and no maximum; anything else is not understood.
    if all().any(|subtree| subtree.minimum != 0 || subtree.maximum.is_some()) {
        return false;
    }
    let mut names = vec![name::parts(&certificate.subject)];
    for alternative in certificate
        .extensions
        .alternative_names
        .iter()
        .flat_map(|names| &names.0)
    {
        if let GeneralName::DirectoryName(directory) = alternative {
            names.push(name::parts(directory));
        } else if all().any(|subtree| same_form(&subtree.base, alternative)) {
            return false;
        }
    }
    // Old certificates carry mail addresses in the subject; they fall under constraints on mail names.
    let has_mail = name::attribute(&certificate.subject, oid::EMAIL_ADDRESS).is_some();
    if has_mail && all().any(|subtree| matches!(subtree.base, GeneralName::Rfc822Name(_))) {
        return false;
    }
    let permitted = directories(permitted);
    let excluded = directories(excluded);
    names.iter().filter(|parts| !parts.is_empty()).all(|parts| {
        (permitted.is_empty() || permitted.iter().any(|base| parts.ends_with(base)))
            && !excluded.iter().any(|base| parts.ends_with(base))
    })
}

fn directories(subtrees: &[GeneralSubtree]) -> Vec<Vec<String>> {
    subtrees
        .iter()
        .filter_map(|subtree| match &subtree.base {
            GeneralName::DirectoryName(base) => Some(name::parts(base)),
            GeneralName::OtherName(_)
            | GeneralName::Rfc822Name(_)
            | GeneralName::DnsName(_)
            | GeneralName::EdiPartyName(_)
            | GeneralName::UniformResourceIdentifier(_)
            | GeneralName::IpAddress(_)
            | GeneralName::RegisteredId(_) => None,
        })
        .collect()
}

fn same_form(left: &GeneralName, right: &GeneralName) -> bool {
    core::mem::discriminant(left) == core::mem::discriminant(right)
}
