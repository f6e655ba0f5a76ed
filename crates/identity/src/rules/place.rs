//! Where an address is, by the site's own table, and whether somebody can have come from one place to another in time.

use core::net::IpAddr;

use naru_kernel::Timestamp;
use serde::Deserialize;

/// Nobody travels faster, in kilometres per hour: an airliner.
pub const FASTEST_KM_PER_HOUR: f64 = 900.0;
/// So near to each other, two places are one: tables name cities, not doors.
pub const SAME_PLACE_KM: f64 = 50.0;
/// Rows of the site's table of places.
pub const PLACES_MAX: usize = 10_000;
/// The mean radius of the Earth, in kilometres (IUGG).
const EARTH_RADIUS_KM: f64 = 6_371.0;
const SECONDS_PER_HOUR: f64 = 3_600.0;
/// The longest name of a place, in characters.
const NAME_CHARACTERS_MAX: usize = 100;

/// A row of the site's table: whoever comes from this network is here. Closed networks have no public table of places.
#[derive(Clone, Debug, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceConfig {
    /// Addresses, such as `10.1.0.0/16` or `fd00:1::/32`; the narrowest network that holds an address counts.
    pub network: String,
    /// What people read, in Korean.
    pub name_ko: String,
    /// What people read, in English.
    pub name_en: String,
    /// Degrees north; with `longitude`, or absent: then no journey from or to it is judged.
    #[serde(default)]
    pub latitude: Option<f64>,
    /// Degrees east.
    #[serde(default)]
    pub longitude: Option<f64>,
    /// Browsers there belong to nobody and forget everything, as in a smart work centre: a new one is no alarm.
    #[serde(default)]
    pub shared_devices: bool,
}

/// A point on the Earth, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    latitude: f64,
    longitude: f64,
}

impl Position {
    /// A point, if there is one with these degrees.
    #[must_use]
    pub fn new(latitude: f64, longitude: f64) -> Option<Self> {
        let is_there = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
        is_there.then_some(Self { latitude, longitude })
    }

    /// Degrees north.
    #[must_use]
    pub const fn latitude(self) -> f64 {
        self.latitude
    }

    /// Degrees east.
    #[must_use]
    pub const fn longitude(self) -> f64 {
        self.longitude
    }

    /// The way over the ground, in kilometres (haversine formula).
    #[must_use]
    pub fn kilometres_to(self, other: Self) -> f64 {
        let (here, there) = (self.latitude.to_radians(), other.latitude.to_radians());
        let north = (there - here) / 2.0;
        let east = (other.longitude - self.longitude).to_radians() / 2.0;
        let part = here.cos() * there.cos() * east.sin().powi(2) + north.sin().powi(2);
        // Rounding can bring it a hair above one.
        2.0 * EARTH_RADIUS_KM * part.clamp(0.0, 1.0).sqrt().asin()
    }
}

/// Whether nobody can have been at both: farther apart than [`FASTEST_KM_PER_HOUR`] allows, and than [`SAME_PLACE_KM`].
#[must_use]
pub fn is_impossible_travel(one: (Timestamp, Position), other: (Timestamp, Position)) -> bool {
    let kilometres = one.1.kilometres_to(other.1);
    let seconds = one.0.seconds_since(other.0).unsigned_abs();
    // More than 136 years is enough for any journey.
    let seconds = u32::try_from(seconds).map_or(f64::INFINITY, f64::from);
    kilometres > SAME_PLACE_KM && kilometres > seconds / SECONDS_PER_HOUR * FASTEST_KM_PER_HOUR
}

/// A network of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    bits: u128,
    length: u8,
    is_six: bool,
}

fn bits_of(address: IpAddr) -> (u128, bool) {
    // `::ffff:10.0.0.1` is 10.0.0.1 as a socket for both families shows it.
    match address.to_canonical() {
        IpAddr::V4(four) => (u128::from(four.to_bits()), false),
        IpAddr::V6(six) => (six.to_bits(), true),
    }
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, length) = match text.trim().split_once('/') {
            Some((address, length)) => (address, Some(length.parse::<u8>().ok()?)),
            None => (text.trim(), None),
        };
        let (bits, is_six) = bits_of(address.parse().ok()?);
        let whole = if is_six { 128 } else { 32 };
        let length = length.unwrap_or(whole);
        let network = Self { bits, length, is_six };
        // Bits behind the prefix are a slip of the pen: `10.1.2.0/16`.
        (length <= whole && network.prefix(bits) == bits).then_some(network)
    }

    const fn prefix(self, bits: u128) -> u128 {
        let whole: u8 = if self.is_six { 128 } else { 32 };
        let behind = whole.saturating_sub(self.length);
        if behind >= 128 {
            0
        } else {
            (bits >> behind) << behind
        }
    }

    const fn holds(self, (bits, is_six): (u128, bool)) -> bool {
        self.is_six == is_six && self.prefix(bits) == self.bits
    }
}

/// A place of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// What people read, in Korean.
    pub name_ko: String,
    /// What people read, in English.
    pub name_en: String,
    /// Where it is, if the site says so.
    pub position: Option<Position>,
    /// A new browser there is no alarm.
    pub shared_devices: bool,
}

/// The site's table of places.
#[derive(Clone, Debug, Default)]
pub struct Places(Vec<(Network, Place)>);

impl Places {
    /// Reads the table.
    ///
    /// # Errors
    /// The text of the network whose row cannot be used.
    pub fn new(rows: &[PlaceConfig]) -> Result<Self, String> {
        if rows.len() > PLACES_MAX {
            return Err(format!("more than {PLACES_MAX} places"));
        }
        let mut places = Vec::with_capacity(rows.len());
        for row in rows {
            let wrong = || row.network.clone();
            let network = Network::parse(&row.network).ok_or_else(wrong)?;
            let position = match (row.latitude, row.longitude) {
                (Some(latitude), Some(longitude)) => {
                    Some(Position::new(latitude, longitude).ok_or_else(wrong)?)
                }
                (None, None) => None,
                (Some(_), None) | (None, Some(_)) => return Err(wrong()),
            };
            for name in [&row.name_ko, &row.name_en] {
                if name.trim().is_empty() || name.chars().count() > NAME_CHARACTERS_MAX {
                    return Err(wrong());
                }
            }
            let place = Place {
                name_ko: row.name_ko.trim().to_owned(),
                name_en: row.name_en.trim().to_owned(),
                position,
                shared_devices: row.shared_devices,
            };
            places.push((network, place));
        }
        // The narrowest first: the first that holds an address is its place.
        places.sort_by_key(|(network, _)| core::cmp::Reverse(network.length));
        Ok(Self(places))
    }

    /// The place of an address; `None` for one the table does not name, or that is none.
    #[must_use]
    pub fn of(&self, address: &str) -> Option<&Place> {
        let address = bits_of(address.parse().ok()?);
        let found = self.0.iter().find(|(network, _)| network.holds(address));
        found.map(|(_, place)| place)
    }
}

#[cfg(test)]
mod tests {
    use naru_kernel::Seconds;
    use proptest::prelude::*;

    use super::*;

    fn row(network: &str, name: &str) -> PlaceConfig {
        PlaceConfig {
            network: network.to_owned(),
            name_ko: name.to_owned(),
            name_en: name.to_owned(),
            latitude: None,
            longitude: None,
            shared_devices: false,
        }
    }

    fn seoul() -> Position {
        Position::new(37.5665, 126.9780).unwrap()
    }

    #[test]
    fn the_narrowest_network_counts() {
        let rows = [
            row("10.0.0.0/8", "정부"),
            row("10.1.0.0/16", "세종"),
            row("fd00:1::/32", "여섯"),
            row("10.1.2.3", "하나"),
        ];
        let places = Places::new(&rows).unwrap();
        let name = |address: &str| places.of(address).map(|place| place.name_ko.clone());
        assert_eq!(name("10.1.2.3").as_deref(), Some("하나"));
        assert_eq!(name("10.1.2.4").as_deref(), Some("세종"));
        assert_eq!(name("::ffff:10.1.2.4").as_deref(), Some("세종"));
        assert_eq!(name("10.2.0.1").as_deref(), Some("정부"));
        assert_eq!(name("fd00:1::9").as_deref(), Some("여섯"));
        assert_eq!(name("fd00:2::9"), None);
        assert_eq!(name("192.0.2.7"), None);
        assert_eq!(name("nonsense"), None);
        let everything = Places::new(&[row("::/0", "다"), row("0.0.0.0/0", "넷")]).unwrap();
        assert_eq!(everything.of("::1").unwrap().name_ko, "다");
        assert_eq!(everything.of("1.2.3.4").unwrap().name_ko, "넷");
    }

    #[test]
    fn a_row_that_says_nothing_is_refused() {
        for network in [
            "",
            "10.0.0.0/33",
            "10.1.2.0/16",
            "::/129",
            "10.0.0/8",
            "a/b",
            "10.0.0.0/-1",
        ] {
            assert_eq!(Places::new(&[row(network, "곳")]).unwrap_err(), network);
        }
        let mut half = row("10.0.0.0/8", "곳");
        half.latitude = Some(37.0);
        assert!(Places::new(&[half.clone()]).is_err());
        half.longitude = Some(181.0);
        assert!(Places::new(&[half]).is_err());
        assert!(Places::new(&[row("10.0.0.0/8", " ")]).is_err());
    }

    #[test]
    fn seoul_and_busan_need_their_time() {
        let busan = Position::new(35.1796, 129.0756).unwrap();
        let kilometres = seoul().kilometres_to(busan);
        assert!((320.0..330.0).contains(&kilometres), "{kilometres}");
        let start = Timestamp::from_seconds(1_000_000);
        let travel =
            |minutes| is_impossible_travel((start, seoul()), (start + Seconds::minutes(minutes), busan));
        assert!(travel(5));
        assert!(travel(20));
        assert!(!travel(30), "an aeroplane does that");
        let sejong = Position::new(36.4800, 127.2890).unwrap();
        assert!(is_impossible_travel((start, seoul()), (start, sejong)));
    }

    prop_compose! {
        fn position()(latitude in -90.0..=90.0_f64, longitude in -180.0..=180.0_f64) -> Position {
            Position::new(latitude, longitude).unwrap()
        }
    }

    proptest! {
        #[test]
        fn distances_are_those_of_a_globe(a in position(), b in position(), c in position()) {
            let (there, back) = (a.kilometres_to(b), b.kilometres_to(a));
            prop_assert!((there - back).abs() < 1e-6);
            prop_assert!((0.0..=20_016.0).contains(&there), "{there}");
            prop_assert!(a.kilometres_to(a) < 1e-6);
            prop_assert!(there <= a.kilometres_to(c) + c.kilometres_to(b) + 1e-3);
        }

        #[test]
        fn whoever_stays_travels_nowhere_and_time_heals(a in position(), b in position(), at in 0_i64..4_000_000_000, gap in 0_i64..1_000_000) {
            let start = Timestamp::from_seconds(at);
            let later = start + Seconds(gap);
            prop_assert!(!is_impossible_travel((start, a), (later, a)));
            let one_way = is_impossible_travel((start, a), (later, b));
            // Clocks of two portals may differ: which came first does not matter.
            prop_assert_eq!(one_way, is_impossible_travel((later, b), (start, a)));
            // Once possible, it stays possible with more time; half the globe takes at most a day.
            if !one_way {
                prop_assert!(!is_impossible_travel((start, a), (later + Seconds(gap), b)));
            }
            prop_assert!(!is_impossible_travel((start, a), (start + Seconds::hours(24), b)));
        }

        #[test]
        fn no_text_breaks_the_table(network in ".{0,40}", address in ".{0,40}") {
            if let Ok(places) = Places::new(&[row(&network, "곳")]) {
                let _place = places.of(&address);
            }
        }
    }
}
