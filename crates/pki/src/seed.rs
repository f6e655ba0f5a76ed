//! The block cipher SEED (RFC 4269) in CBC mode: the cipher of Korean key files.
//!
//! Used on files with a password only, never on traffic: the tables are looked up by secret bytes, which a
//! neighbour on the same core might observe.

/// Multiplies in GF(2^8) modulo x^8 + x^6 + x^5 + x + 1 (RFC 4269 2.2).
#[expect(
    clippy::as_conversions,
    reason = "u8 to u16 in a const fn, where From cannot be called"
)]
const fn times(left: u8, right: u8) -> u8 {
    let (mut sum, mut left, mut right) = (0_u8, left as u16, right);
    while right != 0 {
        if right & 1 != 0 {
            sum ^= left.to_le_bytes()[0];
        }
        left <<= 1;
        if left & 0x100 != 0 {
            left ^= 0x163;
        }
        right >>= 1;
    }
    sum
}

/// A substitution box: `matrix * x^power + constant` over GF(2).
const fn substitution(matrix: [u8; 8], power: u8, constant: u8) -> [u8; 256] {
    let mut table = [0; 256];
    let mut x = 0_u8;
    loop {
        let mut value = 1_u8;
        let mut count = 0;
        while count < power {
            value = times(value, x);
            count += 1;
        }
        let mut out = constant;
        let mut row = 0;
        while row < 8 {
            if (matrix[row] & value).count_ones() % 2 == 1 {
                out ^= 0x80 >> row;
            }
            row += 1;
        }
        table[index(x)] = out;
        if x == 255 {
            return table;
        }
        x += 1;
    }
}

#[expect(
    clippy::as_conversions,
    reason = "u8 to usize in a const fn, where From cannot be called"
)]
const fn index(byte: u8) -> usize {
    byte as usize
}

const S0: [u8; 256] = substitution(
    [
        0b1000_1010,
        0b1111_1110,
        0b1000_0101,
        0b0100_0010,
        0b0100_0101,
        0b0010_0001,
        0b1000_1000,
        0b0001_0100,
    ],
    247,
    169,
);
const S1: [u8; 256] = substitution(
    [
        0b0100_0101,
        0b1000_0101,
        0b1111_1110,
        0b0010_0001,
        0b1000_1010,
        0b1000_1000,
        0b0100_0010,
        0b0001_0100,
    ],
    251,
    56,
);

/// The function G (RFC 4269 2.2), bytes least significant first.
const fn g(word: u32) -> u32 {
    let [x0, x1, x2, x3] = word.to_le_bytes();
    let y = [S0[index(x0)], S1[index(x1)], S0[index(x2)], S1[index(x3)]];
    const MASK: [u8; 4] = [0xfc, 0xf3, 0xcf, 0x3f];
    let mut z = [0_u8; 4];
    let mut to = 0;
    while to < 4 {
        let mut from = 0;
        while from < 4 {
            z[to] ^= y[from] & MASK[(to + from) % 4];
            from += 1;
        }
        to += 1;
    }
    u32::from_le_bytes(z)
}

/// The sixteen pairs of round keys.
pub(crate) struct Seed([(u32, u32); 16]);

pub(crate) const BLOCK: usize = 16;

fn words(block: &[u8; BLOCK]) -> [u32; 4] {
    let mut out = [0; 4];
    for (word, bytes) in out.iter_mut().zip(block.as_chunks::<4>().0) {
        *word = u32::from_be_bytes(*bytes);
    }
    out
}

impl Seed {
    /// Expands a key (RFC 4269 2.3).
    pub(crate) fn new(key: &[u8; BLOCK]) -> Self {
        let [mut a, mut b, mut c, mut d] = words(key);
        let mut constant = 0x9e37_79b9_u32;
        let mut keys = [(0, 0); 16];
        for (round, key) in keys.iter_mut().enumerate() {
            *key = (
                g(a.wrapping_add(c).wrapping_sub(constant)),
                g(b.wrapping_sub(d).wrapping_add(constant)),
            );
            if round % 2 == 0 {
                (a, b) = (a >> 8 | b << 24, b >> 8 | a << 24);
            } else {
                (c, d) = (c << 8 | d >> 24, d << 8 | c >> 24);
            }
            constant = constant.rotate_left(1);
        }
        Self(keys)
    }

    fn run(block: &mut [u8; BLOCK], keys: impl Iterator<Item = (u32, u32)>) {
        let [mut l0, mut l1, mut r0, mut r1] = words(block);
        for (k0, k1) in keys {
            let (c, d) = (r0 ^ k0, r1 ^ k1);
            let first = g(c ^ d);
            let second = g(first.wrapping_add(c));
            let third = g(second.wrapping_add(first));
            let (f0, f1) = (third.wrapping_add(second), third);
            (l0, l1, r0, r1) = (r0, r1, l0 ^ f0, l1 ^ f1);
        }
        // The last round does not swap the halves.
        for (bytes, word) in block.as_chunks_mut::<4>().0.iter_mut().zip([r0, r1, l0, l1]) {
            *bytes = word.to_be_bytes();
        }
    }

    pub(crate) fn encrypt_block(&self, block: &mut [u8; BLOCK]) {
        Self::run(block, self.0.iter().copied());
    }

    pub(crate) fn decrypt_block(&self, block: &mut [u8; BLOCK]) {
        Self::run(block, self.0.iter().rev().copied());
    }

    /// CBC with PKCS#7 padding.
    pub(crate) fn encrypt_cbc(&self, initial: &[u8; BLOCK], plain: &[u8]) -> Vec<u8> {
        let padding = BLOCK - plain.len() % BLOCK;
        let mut out = plain.to_vec();
        // From 1 to 16.
        out.resize(plain.len() + padding, u8::try_from(padding).unwrap_or(16));
        let mut previous = *initial;
        for block in out.as_chunks_mut::<BLOCK>().0 {
            for (byte, mask) in block.iter_mut().zip(previous) {
                *byte ^= mask;
            }
            self.encrypt_block(block);
            previous = *block;
        }
        out
    }

    /// Undoes [`Self::encrypt_cbc`]; `None` when length or padding are wrong.
    pub(crate) fn decrypt_cbc(&self, initial: &[u8; BLOCK], sealed: &[u8]) -> Option<Vec<u8>> {
        let mut out = sealed.to_vec();
        let (blocks, rest) = out.as_chunks_mut::<BLOCK>();
        if !rest.is_empty() {
            return None;
        }
        let mut previous = *initial;
        for block in blocks {
            let sealed = *block;
            self.decrypt_block(block);
            for (byte, mask) in block.iter_mut().zip(previous) {
                *byte ^= mask;
            }
            previous = sealed;
        }
        let padding = *out.last()?;
        let length = out.len().checked_sub(usize::from(padding))?;
        let is_padded = (1..=16).contains(&padding) && out.iter().skip(length).all(|byte| *byte == padding);
        out.truncate(length);
        is_padded.then_some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(hexadecimal: &str) -> [u8; 16] {
        hex::decode(hexadecimal).unwrap().try_into().unwrap()
    }

    /// RFC 4269 appendix B.
    #[test]
    fn the_published_vectors_come_out() {
        let vectors = [
            (
                "00000000000000000000000000000000",
                "000102030405060708090a0b0c0d0e0f",
                "5ebac6e0054e166819aff1cc6d346cdb",
            ),
            (
                "000102030405060708090a0b0c0d0e0f",
                "00000000000000000000000000000000",
                "c11f22f20140505084483597e4370f43",
            ),
            (
                "4706480851e61be85d74bfb3fd956185",
                "83a2f8a288641fb9a4e9a5cc2f131c7d",
                "ee54d13ebcae706d226bc3142cd40d4a",
            ),
            (
                "28dbc3bc49ffd87dcfa509b11d422be7",
                "b41e6be2eba84a148e2eed84593c5ec7",
                "9b9b7bfcd1813cb95d0b3618f40f5122",
            ),
        ];
        for (key, plain, sealed) in vectors {
            let seed = Seed::new(&block(key));
            let mut work = block(plain);
            seed.encrypt_block(&mut work);
            assert_eq!(hex::encode(work), sealed);
            seed.decrypt_block(&mut work);
            assert_eq!(hex::encode(work), plain);
        }
    }

    proptest::proptest! {
        #[test]
        fn cbc_gives_back_what_it_was_given(
            key: [u8; 16],
            initial: [u8; 16],
            plain in proptest::collection::vec(0_u8.., 0..70),
        ) {
            let seed = Seed::new(&key);
            let sealed = seed.encrypt_cbc(&initial, &plain);
            proptest::prop_assert_eq!(sealed.len() % 16, 0);
            proptest::prop_assert_eq!(seed.decrypt_cbc(&initial, &sealed), Some(plain));
        }

        #[test]
        fn random_bytes_never_panic(key: [u8; 16], sealed in proptest::collection::vec(0_u8.., 0..70)) {
            let opened = Seed::new(&key).decrypt_cbc(&[0; 16], &sealed);
            proptest::prop_assert!(opened.is_none_or(|plain| plain.len() < sealed.len()));
        }
    }
}
