//! Pictures of tiles and ministries: a PNG is taken by its magic and its dimensions, not by what it claims to be called.
//!
//! Only the chunks that make the picture are kept to; anything behind the end of the picture is refused, so that a file
//! that is a picture and a page at once does not get in.

/// The first eight bytes (W3C PNG, 5.2).
const MAGIC: [u8; 8] = [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a];

/// How large a picture may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureLimits {
    /// The file, in bytes.
    pub bytes_max: usize,
    /// Width and height, in pixels.
    pub pixels_max: u32,
}

/// The picture of a tile.
pub const ICON: PictureLimits = PictureLimits {
    bytes_max: 32 * 1024,
    pixels_max: 512,
};

/// A ministry's logo.
pub const LOGO: PictureLimits = PictureLimits {
    bytes_max: 64 * 1024,
    pixels_max: 1_024,
};

/// Why a picture is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PictureRefused {
    /// The file is too large.
    #[error("the file is too large")]
    TooLarge,
    /// It is no PNG, or a broken one.
    #[error("the file is no PNG picture")]
    NotPng,
    /// It is too wide or too high, or has no size at all.
    #[error("the picture is too wide or too high")]
    Dimensions,
}

impl PictureRefused {
    /// For a form.
    #[must_use]
    pub const fn problem(self) -> &'static str {
        match self {
            Self::TooLarge => "is too large",
            Self::NotPng => "is no PNG picture",
            Self::Dimensions => "is too wide or too high",
        }
    }
}

/// Checks a PNG: magic, `IHDR` first with a size within limits, chunks that fit to the last byte, `IEND` at the end.
///
/// # Errors
/// Why it is not taken.
pub fn check(png: &[u8], limits: PictureLimits) -> Result<(), PictureRefused> {
    if png.len() > limits.bytes_max {
        return Err(PictureRefused::TooLarge);
    }
    let mut rest = png.strip_prefix(&MAGIC).ok_or(PictureRefused::NotPng)?;
    let mut is_first = true;
    loop {
        let (kind, data, next) = chunk(rest).ok_or(PictureRefused::NotPng)?;
        if is_first {
            let (width, height) = size(kind, data).ok_or(PictureRefused::NotPng)?;
            if ![width, height]
                .iter()
                .all(|side| (1..=limits.pixels_max).contains(side))
            {
                return Err(PictureRefused::Dimensions);
            }
            is_first = false;
        }
        if kind == *b"IEND" {
            return if next.is_empty() {
                Ok(())
            } else {
                Err(PictureRefused::NotPng)
            };
        }
        rest = next;
    }
}

/// A chunk's kind, its data, and what follows it. Each is at least twelve bytes, so a walk over all of them ends.
fn chunk(bytes: &[u8]) -> Option<([u8; 4], &[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (kind, rest) = rest.split_first_chunk::<4>()?;
    let (data, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    let (_checksum, rest) = rest.split_first_chunk::<4>()?;
    Some((*kind, data, rest))
}

fn size(kind: [u8; 4], data: &[u8]) -> Option<(u32, u32)> {
    if kind != *b"IHDR" || data.len() != 13 {
        return None;
    }
    let (width, rest) = data.split_first_chunk::<4>()?;
    let (height, _) = rest.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*width), u32::from_be_bytes(*height)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(13_u32.to_be_bytes());
        bytes.extend(b"IHDR");
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes.extend([8, 6, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend(0_u32.to_be_bytes());
        bytes.extend(b"IEND");
        bytes.extend([0; 4]);
        bytes
    }

    #[test]
    fn pictures_are_what_they_say() {
        assert_eq!(check(&png(64, 64), ICON), Ok(()));
        assert_eq!(check(&png(513, 64), ICON), Err(PictureRefused::Dimensions));
        assert_eq!(check(&png(0, 64), ICON), Err(PictureRefused::Dimensions));
        assert_eq!(check(b"<svg/>", ICON), Err(PictureRefused::NotPng));
        assert_eq!(
            check(&vec![0; 32 * 1024 + 1], ICON),
            Err(PictureRefused::TooLarge)
        );
        let mut with_a_page = png(64, 64);
        with_a_page.extend(b"<script>");
        assert_eq!(check(&with_a_page, ICON), Err(PictureRefused::NotPng));
    }

    proptest::proptest! {
        #[test]
        fn anything_is_answered(body: Vec<u8>, at in 0_usize..60, byte: u8) {
            let mut bytes = MAGIC.to_vec();
            bytes.extend(&body);
            proptest::prop_assert!(check(&bytes, ICON).is_err() || body.len() >= 25);
            let mut changed = png(64, 64);
            if let Some(place) = changed.get_mut(at) {
                *place = byte;
            }
            // Whatever one byte says, it is an answer: the walk over the chunks ends.
            proptest::prop_assert_eq!(check(&changed, ICON), check(&changed, ICON));
        }
    }

    #[test]
    fn no_cut_of_a_picture_panics_or_is_taken() {
        let whole = png(64, 64);
        for end in 0..whole.len() {
            assert_eq!(
                check(&whole[..end], ICON),
                Err(PictureRefused::NotPng),
                "cut at {end}"
            );
        }
    }
}
