//! How tiles are grouped and which were opened last.

use std::collections::BTreeMap;

use crate::answers::{Tile, TileGroup};

/// Tiles in the list of what was opened last.
pub const RECENT_MAX: usize = 8;

/// Tiles under their headings. They come in their order (place, name); headings stand in the order of their first tile,
/// tiles without a heading last.
#[must_use]
pub fn grouped(tiles: Vec<(String, Tile)>) -> Vec<TileGroup> {
    let mut groups: Vec<TileGroup> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut without = Vec::new();
    for (name, tile) in tiles {
        if name.is_empty() {
            without.push(tile);
            continue;
        }
        let place = *places.entry(name.clone()).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.tiles.push(tile),
            None => groups.push(TileGroup {
                name,
                tiles: vec![tile],
            }),
        }
    }
    if !without.is_empty() {
        groups.push(TileGroup {
            name: String::new(),
            tiles: without,
        });
    }
    groups
}

/// What was opened last, newest first.
#[must_use]
pub fn recent<'t>(tiles: impl IntoIterator<Item = &'t Tile>) -> Vec<Tile> {
    let mut opened: Vec<&'t Tile> = tiles
        .into_iter()
        .filter(|tile| tile.last_opened_at.is_some())
        .collect();
    opened.sort_by_key(|tile| core::cmp::Reverse((tile.last_opened_at, tile.application)));
    opened.into_iter().take(RECENT_MAX).cloned().collect()
}

#[cfg(test)]
mod tests {
    use naru_kernel::{ApplicationId, Timestamp};

    use super::*;
    use crate::model::ApplicationSort;

    fn tile(bits: u128, opened: Option<i64>) -> Tile {
        Tile {
            application: ApplicationId::from_bits(bits),
            kind: ApplicationSort::Link,
            name: bits.to_string(),
            description: None,
            icon: None,
            url: None,
            ministry_name: None,
            favourite: false,
            last_opened_at: opened.map(Timestamp::from_seconds),
        }
    }

    #[test]
    fn headings_stand_in_the_order_of_their_first_tile() {
        let tiles = [("", 1), ("업무", 2), ("소통", 3), ("업무", 4)];
        let groups = grouped(
            tiles
                .iter()
                .map(|(name, bits)| ((*name).to_owned(), tile(*bits, None)))
                .collect(),
        );
        let names: Vec<_> = groups
            .iter()
            .map(|group| (group.name.as_str(), group.tiles.len()))
            .collect();
        assert_eq!(names, [("업무", 2), ("소통", 1), ("", 1)]);
    }

    #[test]
    fn the_newest_comes_first_and_few_are_kept() {
        let tiles: Vec<Tile> = (0..20_i64).map(|n| tile(1, (n % 2 == 0).then_some(n))).collect();
        let recent = recent(tiles.iter());
        assert_eq!(recent.len(), RECENT_MAX);
        assert_eq!(recent[0].last_opened_at, Some(Timestamp::from_seconds(18)));
    }
}
