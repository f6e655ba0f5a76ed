//! Rules that are ready to be asked, by ministry and version; the least used go first.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use naru_kernel::MinistryId;

use crate::cedar::Compiled;

/// Ministries whose rules are kept ready.
const MINISTRIES_MAX: usize = 256;
/// Rule texts that what is kept was made from.
const BYTES_MAX: usize = 32 * 1024 * 1024;

struct Kept {
    version: i64,
    rules: Arc<Compiled>,
    used: u64,
}

#[derive(Default)]
struct Inner {
    kept: BTreeMap<MinistryId, Kept>,
    bytes: usize,
    clock: u64,
}

/// What is kept ready.
#[derive(Default)]
pub(crate) struct Cache(Mutex<Inner>);

impl Cache {
    pub(crate) fn get(&self, ministry: MinistryId, version: i64) -> Option<Arc<Compiled>> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.clock += 1;
        let now = inner.clock;
        let kept = inner
            .kept
            .get_mut(&ministry)
            .filter(|kept| kept.version == version)?;
        kept.used = now;
        Some(Arc::clone(&kept.rules))
    }

    pub(crate) fn put(&self, ministry: MinistryId, version: i64, rules: &Arc<Compiled>) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.clock += 1;
        let kept = Kept {
            version,
            rules: Arc::clone(rules),
            used: inner.clock,
        };
        inner.bytes += rules.bytes;
        if let Some(before) = inner.kept.insert(ministry, kept) {
            inner.bytes -= before.rules.bytes;
        }
        while inner.kept.len() > MINISTRIES_MAX || (inner.bytes > BYTES_MAX && inner.kept.len() > 1) {
            let oldest = inner.kept.iter().min_by_key(|(_, kept)| kept.used);
            let Some(oldest) = oldest.map(|(ministry, _)| *ministry) else {
                return;
            };
            if let Some(gone) = inner.kept.remove(&oldest) {
                inner.bytes -= gone.rules.bytes;
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn ministries(&self) -> usize {
        self.0.lock().unwrap().kept.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cedar::Language;

    #[test]
    fn the_least_used_goes_first_and_versions_are_told_apart() {
        let cache = Cache::default();
        let rules = Arc::new(Language::new().unwrap().compile(&[]).unwrap());
        let ministry = |number: usize| MinistryId::from_bits(number.try_into().unwrap());
        for number in 0..MINISTRIES_MAX {
            cache.put(ministry(number), 1, &rules);
        }
        assert!(cache.get(ministry(0), 1).is_some());
        assert!(cache.get(ministry(0), 2).is_none());
        cache.put(ministry(MINISTRIES_MAX), 1, &rules);
        assert_eq!(cache.ministries(), MINISTRIES_MAX);
        assert!(cache.get(ministry(0), 1).is_some(), "was used a moment ago");
        assert!(cache.get(ministry(1), 1).is_none(), "was not");
    }
}
