//! What one question makes known to rules: the person, what they want to open, and the context. Nothing else is there.

use std::collections::{HashMap, HashSet};

use cedar_policy::{
    Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request, RestrictedExpression,
};
use naru_kernel::{
    MinistryId, Timestamp,
    access::{AccessQuestion, Assurance, Resource},
};

use super::{Language, language};
use crate::Error;

const HOUR_SECONDS: i64 = 3_600;
const DAY_HOURS: i64 = 24;
/// Korea keeps one time, nine hours ahead of UTC, without summer time since 1988.
const KOREA_HOURS: i64 = 9;

/// Hour 0–23 and weekday 1 (Monday)–7 in Korea.
pub(crate) const fn korean(at: Timestamp) -> (i64, i64) {
    let hours = at.as_seconds().div_euclid(HOUR_SECONDS) + KOREA_HOURS;
    // 1970-01-01 was a Thursday.
    let weekday = (hours.div_euclid(DAY_HOURS) + 3).rem_euclid(7) + 1;
    (hours.rem_euclid(DAY_HOURS), weekday)
}

fn text(value: impl Into<String>) -> RestrictedExpression {
    RestrictedExpression::new_string(value.into())
}

fn number(value: i64) -> RestrictedExpression {
    RestrictedExpression::new_long(value)
}

fn uid(kind: &EntityTypeName, id: impl AsRef<str>) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}

fn entity(
    uid: EntityUid,
    attributes: Vec<(&str, RestrictedExpression)>,
    parents: impl IntoIterator<Item = EntityUid>,
) -> Result<Entity, Error> {
    let attributes: HashMap<String, RestrictedExpression> = attributes
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    Entity::new(uid, attributes, parents.into_iter().collect::<HashSet<_>>()).map_err(language)
}

impl Language {
    fn ministry(&self, ministry: MinistryId) -> EntityUid {
        uid(&self.types.ministry, ministry.to_string())
    }

    /// The question as rules of `ministry` see it: groups and units are words of the ministry that gave them, so others
    /// do not see them, lest somebody elsewhere makes a group of the same name. With this assurance.
    pub(super) fn slice(
        &self,
        question: &AccessQuestion,
        is_offered: bool,
        assurance: Assurance,
        ministry: Option<MinistryId>,
    ) -> Result<(Request, Entities), Error> {
        let actor = &question.actor;
        let is_own = ministry == Some(actor.ministry);
        let person = uid(&self.types.person, actor.person.to_string());
        let theirs = self.ministry(actor.ministry);
        let groups: Vec<EntityUid> = question
            .groups
            .iter()
            .filter(|_| is_own)
            .map(|group| uid(&self.types.group, group))
            .collect();
        let roles = actor.roles.iter().map(|role| text(role.as_str()));
        let unit = if is_own { question.unit.as_str() } else { "" };
        let person_attributes = vec![
            ("ministry", RestrictedExpression::new_entity_uid(theirs.clone())),
            ("unit", text(unit)),
            ("roles", RestrictedExpression::new_set(roles)),
            ("assurance", number(assurance.level())),
        ];
        let parents = groups.iter().cloned().chain([theirs.clone()]);
        let mut entities = vec![entity(person.clone(), person_attributes, parents)?];
        let mut ministries = HashSet::from([theirs]);
        entities.extend(
            groups
                .into_iter()
                .map(|group| Entity::new_no_attrs(group, HashSet::new())),
        );
        let resource = match &question.resource {
            Resource::Application { id, ministry, label } => {
                let owner = self.ministry(*ministry);
                let resource = uid(&self.types.application, id.to_string());
                let attributes = vec![
                    ("ministry", RestrictedExpression::new_entity_uid(owner.clone())),
                    ("label", text(label.as_str())),
                    ("offered", RestrictedExpression::new_bool(is_offered)),
                ];
                ministries.insert(owner.clone());
                entities.push(entity(resource.clone(), attributes, [owner])?);
                resource
            }
            Resource::Desktop { zone, label } => {
                let resource = uid(&self.types.desktop, zone.as_str());
                let attributes = vec![("zone", text(zone.as_str())), ("label", text(label.as_str()))];
                entities.push(entity(resource.clone(), attributes, [])?);
                resource
            }
        };
        entities.extend(
            ministries
                .into_iter()
                .map(|ministry| Entity::new_no_attrs(ministry, HashSet::new())),
        );
        let entities = Entities::from_entities(entities, Some(&self.schema)).map_err(language)?;
        let context = self.context(question, assurance)?;
        let open = self.types.open.clone();
        let request = Request::new(person, open, resource, context, Some(&self.schema)).map_err(language)?;
        Ok((request, entities))
    }

    #[expect(clippy::unused_self, reason = "belongs to the slice of this language")]
    fn context(&self, question: &AccessQuestion, assurance: Assurance) -> Result<Context, Error> {
        let (hour, weekday) = korean(question.at);
        let mut pairs = vec![
            ("hour".to_owned(), number(hour)),
            ("weekday".to_owned(), number(weekday)),
            ("device".to_owned(), text(question.device.as_str())),
            ("assurance".to_owned(), number(assurance.level())),
        ];
        if let Some(zone) = &question.zone {
            pairs.push(("zone".to_owned(), text(zone.as_str())));
        }
        // An address that is none is unknown: rules see that there is none.
        if let Ok(address) = question.address.parse::<std::net::IpAddr>() {
            let address = RestrictedExpression::new_ip(address.to_string());
            pairs.push(("address".to_owned(), address));
        }
        Context::from_pairs(pairs).map_err(language)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_and_weekdays_are_koreas() {
        // 2026-11-23 is a Monday.
        let midnight = 1_795_392_000;
        assert_eq!(korean(Timestamp::from_seconds(midnight)), (9, 1));
        assert_eq!(korean(Timestamp::from_seconds(midnight - 9 * 3_600 - 1)), (23, 7));
        assert_eq!(korean(Timestamp::from_seconds(midnight - 9 * 3_600)), (0, 1));
        assert_eq!(korean(Timestamp::from_seconds(-1)), (8, 4));
        assert_eq!(korean(Timestamp::from_seconds(0)), (9, 4));
    }
}
