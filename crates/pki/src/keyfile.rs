//! Encrypted private keys (PKCS#8 `EncryptedPrivateKeyInfo`, RFC 5958 3) in the formats of GPKI and NPKI.
//!
//! | format | key from password | cipher |
//! | --- | --- | --- |
//! | PBES1 1.2.410.200004.1.15 | SHA-1, repeated | SEED-CBC |
//! | PBES1 1.2.410.200004.1.4 (old, read only) | the same, fixed initial vector | SEED-CBC |
//! | PBES2 (RFC 8018 6.2) | PBKDF2 with HMAC-SHA-1, -256 or -512 | SEED-CBC, AES-128-CBC, AES-256-CBC |
//!
//! The platform itself never sees a person's key: this is for making the demo's files and for tests. A key file
//! is weak protection: PBES1 with 2,048 iterations costs a thief less than a millisecond for each guess.

use core::num::NonZeroU32;

use aws_lc_rs::{cipher, digest, iv::FixedLength, pbkdf2};
use naru_kernel::Entropy;
use zeroize::Zeroizing;

use crate::{
    Error,
    asn1::{self, Element},
    oid,
    refusal::Malformed,
    seed::Seed,
    write,
};

/// Key files above this are refused unread; one with an RSA-4096 key has 2.5 KiB.
pub const KEY_FILE_BYTES_MAX: usize = 16 * 1_024;
/// Files that ask for more iterations are refused: a million of PBKDF2 take about half a second.
pub const ITERATIONS_MAX: u32 = 1_000_000;
const SALT_BYTES_MAX: usize = 64;

/// How to write a key file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFileFormat {
    /// `pbeWithSHA1AndSEED-CBC`, what GPKI writes.
    Pbes1Seed,
    /// PBES2 with PBKDF2-HMAC-SHA-1 and SEED-CBC, what newer NPKI software writes.
    Pbes2Seed,
    /// PBES2 with PBKDF2-HMAC-SHA-256 and AES-256-CBC, what OpenSSL writes.
    Pbes2Aes256,
}

/// Decrypts a key file to its PKCS#8 `PrivateKeyInfo`.
///
/// # Errors
/// [`Error::KeyFileMalformed`], [`Error::KeyFileTooCostly`] or [`Error::PasswordWrong`].
pub fn decrypt(file: &[u8], password: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    decrypt_within(file, password, ITERATIONS_MAX)
}

/// The same with another bound on the work, at most [`ITERATIONS_MAX`].
///
/// # Errors
/// As [`decrypt`].
pub fn decrypt_within(file: &[u8], password: &str, iterations_max: u32) -> Result<Zeroizing<Vec<u8>>, Error> {
    if file.len() > KEY_FILE_BYTES_MAX {
        return Err(Error::KeyFileMalformed);
    }
    let malformed = |Malformed| Error::KeyFileMalformed;
    let (scheme, sealed) = read(file).map_err(malformed)?;
    let (number, parameters) = asn1::algorithm(scheme).map_err(malformed)?;
    let parameters = parameters.ok_or(Error::KeyFileMalformed)?;
    let plain = if number == oid::PBES2 {
        open_pbes2(parameters, sealed, password, iterations_max)?
    } else {
        let is_old = number == oid::SEED_CBC;
        if !is_old && number != oid::PBE_SHA1_SEED_CBC {
            return Err(Error::KeyFileMalformed);
        }
        let (salt, iterations) = salt_and_iterations(parameters, iterations_max)?;
        let (key, initial) = pbes1(password, salt, iterations);
        let initial = if is_old { *b"0123456789012345" } else { initial };
        Seed::new(&key).decrypt_cbc(&initial, sealed).map(Zeroizing::new)
    };
    // A wrong password leaves right padding once in 256 times; the shape inside tells the rest.
    plain
        .filter(|plain| is_private_key(plain))
        .ok_or(Error::PasswordWrong)
}

/// Encrypts a PKCS#8 `PrivateKeyInfo`.
///
/// # Errors
/// [`Error::KeyFileTooCostly`] for no or too many iterations, [`Error::Crypto`] if AES fails.
pub fn encrypt(
    private_key: &[u8],
    password: &str,
    format: KeyFileFormat,
    iterations: u32,
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, Error> {
    let count = iterations_within(iterations, ITERATIONS_MAX)?;
    let mut salt = [0; 16];
    let mut initial = [0; 16];
    entropy.fill(&mut salt);
    entropy.fill(&mut initial);
    let (scheme, sealed) = match format {
        KeyFileFormat::Pbes1Seed => {
            let salt = salt.first_chunk::<8>().unwrap_or(&[0; 8]);
            let (key, initial) = pbes1(password, salt, count);
            let parameters = write::sequence(&[&write::octets(salt), &write::small(iterations)]);
            let scheme = write::algorithm(oid::PBE_SHA1_SEED_CBC, &parameters);
            (scheme, Seed::new(&key).encrypt_cbc(&initial, private_key))
        }
        KeyFileFormat::Pbes2Seed => {
            let mut key = Zeroizing::new([0; 16]);
            pbkdf2::derive(
                pbkdf2::PBKDF2_HMAC_SHA1,
                count,
                &salt,
                password.as_bytes(),
                &mut *key,
            );
            let scheme = pbes2_scheme(&salt, iterations, &[], oid::SEED_CBC, &initial);
            (scheme, Seed::new(&key).encrypt_cbc(&initial, private_key))
        }
        KeyFileFormat::Pbes2Aes256 => seal_aes256(private_key, password, iterations, &salt, &initial)?,
    };
    Ok(write::sequence(&[&scheme, &write::octets(&sealed)]))
}

/// PBES2 with AES-256-CBC: the algorithm and the sealed bytes, as PKCS#12 wants them too.
pub(crate) fn seal_aes256(
    plain: &[u8],
    password: &str,
    iterations: u32,
    salt: &[u8; 16],
    initial: &[u8; 16],
) -> Result<(Vec<u8>, Vec<u8>), Error> {
    let count = iterations_within(iterations, ITERATIONS_MAX)?;
    let mut key = Zeroizing::new([0; 32]);
    pbkdf2::derive(
        pbkdf2::PBKDF2_HMAC_SHA256,
        count,
        salt,
        password.as_bytes(),
        &mut *key,
    );
    let function = write::algorithm(oid::HMAC_SHA256, &write::null());
    let scheme = pbes2_scheme(salt, iterations, &function, oid::AES256_CBC, initial);
    let key = cipher::UnboundCipherKey::new(&cipher::AES_256, &*key).map_err(|_| Error::Crypto)?;
    let key = cipher::PaddedBlockEncryptingKey::cbc_pkcs7(key).map_err(|_| Error::Crypto)?;
    let mut sealed = plain.to_vec();
    let context = cipher::EncryptionContext::Iv128(FixedLength::from(*initial));
    key.less_safe_encrypt(&mut sealed, context)
        .map_err(|_| Error::Crypto)?;
    Ok((scheme, sealed))
}

/// A PKCS#8 key with GPKI's attribute R, the random number of the VID, put in (20 bytes).
pub(crate) fn with_random(private_key: &[u8], random: &[u8; 20]) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    let attribute = write::sequence(&[
        &write::oid(oid::KEY_RANDOM),
        &write::set_of(vec![write::bits(random)]),
    ]);
    let inside = asn1::single(private_key, asn1::SEQUENCE)?.value;
    let attributes = write::element(asn1::context(0), &[&attribute]);
    Ok(Zeroizing::new(write::sequence(&[inside, &attributes])))
}

fn read(file: &[u8]) -> Result<(Element<'_>, &[u8]), Malformed> {
    let mut inside = asn1::single(file, asn1::SEQUENCE)?.inside();
    let scheme = inside.expect(asn1::SEQUENCE)?;
    let sealed = inside.expect(asn1::OCTET_STRING)?.value;
    inside.finish()?;
    Ok((scheme, sealed))
}

/// `PrivateKeyInfo`: version, algorithm, key.
fn is_private_key(plain: &[u8]) -> bool {
    let shape = || {
        let mut inside = asn1::single(plain, asn1::SEQUENCE)?.inside();
        let version = asn1::small(inside.expect(asn1::INTEGER)?.value)?;
        asn1::algorithm(inside.expect(asn1::SEQUENCE)?)?;
        inside.expect(asn1::OCTET_STRING)?;
        if version > 1 { Err(Malformed) } else { Ok(()) }
    };
    shape().is_ok()
}

fn iterations_within(iterations: u32, iterations_max: u32) -> Result<NonZeroU32, Error> {
    let max = iterations_max.min(ITERATIONS_MAX);
    NonZeroU32::new(iterations)
        .filter(|count| count.get() <= max)
        .ok_or(Error::KeyFileTooCostly)
}

fn salt_and_iterations(parameters: Element<'_>, iterations_max: u32) -> Result<(&[u8], NonZeroU32), Error> {
    let read = || {
        if parameters.tag != asn1::SEQUENCE {
            return Err(Malformed);
        }
        let mut inside = parameters.inside();
        let salt = inside.expect(asn1::OCTET_STRING)?.value;
        let iterations = asn1::small(inside.expect(asn1::INTEGER)?.value)?;
        inside.finish()?;
        if salt.is_empty() || salt.len() > SALT_BYTES_MAX {
            Err(Malformed)
        } else {
            Ok((salt, iterations))
        }
    };
    let (salt, iterations) = read().map_err(|Malformed| Error::KeyFileMalformed)?;
    Ok((salt, iterations_within(iterations, iterations_max)?))
}

/// `SHA1^n(password || salt)`: 16 bytes of key; the initial vector is the SHA-1 of the other four (KISA).
fn pbes1(password: &str, salt: &[u8], iterations: NonZeroU32) -> ([u8; 16], [u8; 16]) {
    let sha1 = |bytes: &[u8]| digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bytes);
    let mut derived = sha1(&[password.as_bytes(), salt].concat());
    for _ in 1..iterations.get() {
        derived = sha1(derived.as_ref());
    }
    // SHA-1 gives 20 bytes, so both chunks are there.
    let (key, rest) = derived
        .as_ref()
        .split_first_chunk::<16>()
        .unwrap_or((&[0; 16], &[]));
    let initial = sha1(rest);
    (*key, *initial.as_ref().first_chunk::<16>().unwrap_or(&[0; 16]))
}

fn pbes2_scheme(
    salt: &[u8],
    iterations: u32,
    function: &[u8],
    cipher: const_oid::ObjectIdentifier,
    initial: &[u8],
) -> Vec<u8> {
    let derivation = write::sequence(&[&write::octets(salt), &write::small(iterations), function]);
    let derivation = write::algorithm(oid::PBKDF2, &derivation);
    let cipher = write::algorithm(cipher, &write::octets(initial));
    write::algorithm(oid::PBES2, &write::sequence(&[&derivation, &cipher]))
}

/// What PBES2's parameters say.
struct Pbes2<'a> {
    salt: &'a [u8],
    iterations: u32,
    function: pbkdf2::Algorithm,
    cipher: const_oid::ObjectIdentifier,
    key_length: usize,
    initial: [u8; 16],
}

fn read_pbes2(parameters: Element<'_>) -> Result<Pbes2<'_>, Malformed> {
    if parameters.tag != asn1::SEQUENCE {
        return Err(Malformed);
    }
    let mut inside = parameters.inside();
    let (derivation, derivation_parameters) = asn1::algorithm(inside.expect(asn1::SEQUENCE)?)?;
    let (cipher, initial) = asn1::algorithm(inside.expect(asn1::SEQUENCE)?)?;
    inside.finish()?;
    let derivation_parameters = derivation_parameters.ok_or(Malformed)?;
    let initial = initial
        .filter(|element| element.tag == asn1::OCTET_STRING)
        .ok_or(Malformed)?;
    if derivation != oid::PBKDF2 || derivation_parameters.tag != asn1::SEQUENCE {
        return Err(Malformed);
    }
    let mut fields = derivation_parameters.inside();
    let salt = fields.expect(asn1::OCTET_STRING)?.value;
    let iterations = asn1::small(fields.expect(asn1::INTEGER)?.value)?;
    let named_length = fields
        .optional(asn1::INTEGER)?
        .map(|length| asn1::small(length.value))
        .transpose()?;
    let function = match fields.optional(asn1::SEQUENCE)? {
        None => pbkdf2::PBKDF2_HMAC_SHA1,
        Some(function) => match asn1::algorithm(function)?.0 {
            oid::HMAC_SHA1 => pbkdf2::PBKDF2_HMAC_SHA1,
            oid::HMAC_SHA256 => pbkdf2::PBKDF2_HMAC_SHA256,
            oid::HMAC_SHA512 => pbkdf2::PBKDF2_HMAC_SHA512,
            _ => return Err(Malformed),
        },
    };
    fields.finish()?;
    let key_length = match cipher {
        oid::SEED_CBC | oid::AES128_CBC => 16,
        oid::AES256_CBC => 32,
        _ => return Err(Malformed),
    };
    let has_length = named_length.is_none_or(|length| usize::try_from(length) == Ok(key_length));
    if salt.is_empty() || salt.len() > SALT_BYTES_MAX || !has_length {
        return Err(Malformed);
    }
    let initial = initial.value.try_into().map_err(|_| Malformed)?;
    Ok(Pbes2 {
        salt,
        iterations,
        function,
        cipher,
        key_length,
        initial,
    })
}

fn open_pbes2(
    parameters: Element<'_>,
    sealed: &[u8],
    password: &str,
    iterations_max: u32,
) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
    let asked = read_pbes2(parameters).map_err(|Malformed| Error::KeyFileMalformed)?;
    let count = iterations_within(asked.iterations, iterations_max)?;
    let mut key = Zeroizing::new([0_u8; 32]);
    let (key, _) = key.split_at_mut(asked.key_length);
    pbkdf2::derive(asked.function, count, asked.salt, password.as_bytes(), key);
    if asked.cipher == oid::SEED_CBC {
        let key = key.first_chunk::<16>().ok_or(Error::Crypto)?;
        return Ok(Seed::new(key)
            .decrypt_cbc(&asked.initial, sealed)
            .map(Zeroizing::new));
    }
    let algorithm = if asked.key_length == 16 {
        &cipher::AES_128
    } else {
        &cipher::AES_256
    };
    let key = cipher::UnboundCipherKey::new(algorithm, key).map_err(|_| Error::Crypto)?;
    let key = cipher::PaddedBlockDecryptingKey::cbc_pkcs7(key).map_err(|_| Error::Crypto)?;
    let mut work = Zeroizing::new(sealed.to_vec());
    let context = cipher::DecryptionContext::Iv128(FixedLength::from(asked.initial));
    let plain = key
        .decrypt(&mut work, context)
        .ok()
        .map(|plain| Zeroizing::new(plain.to_vec()));
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting(core::sync::atomic::AtomicU8);
    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            let first = self.0.fetch_add(1, core::sync::atomic::Ordering::Relaxed);
            bytes.fill(first);
        }
    }

    const FORMATS: [KeyFileFormat; 3] = [
        KeyFileFormat::Pbes1Seed,
        KeyFileFormat::Pbes2Seed,
        KeyFileFormat::Pbes2Aes256,
    ];

    fn key() -> Vec<u8> {
        let algorithm = write::algorithm(oid::RSA, &write::null());
        write::sequence(&[&write::small(0), &algorithm, &write::octets(&[7; 100])])
    }

    fn seal(format: KeyFileFormat, iterations: u32) -> Result<Vec<u8>, Error> {
        let entropy = Counting(core::sync::atomic::AtomicU8::new(1));
        encrypt(&key(), "비밀번호 1!", format, iterations, &entropy)
    }

    #[test]
    fn every_format_opens_with_its_password_and_with_no_other() {
        for format in FORMATS {
            let file = seal(format, 20).unwrap();
            assert_eq!(*decrypt(&file, "비밀번호 1!").unwrap(), key(), "{format:?}");
            for guess in 0..600 {
                let opened = decrypt(&file, &format!("guess {guess}"));
                assert_eq!(opened.map(drop), Err(Error::PasswordWrong), "{format:?} {guess}");
            }
        }
    }

    #[test]
    fn work_is_bounded() {
        for format in FORMATS {
            assert_eq!(seal(format, 0), Err(Error::KeyFileTooCostly));
            assert_eq!(seal(format, ITERATIONS_MAX + 1), Err(Error::KeyFileTooCostly));
        }
        let parameters = write::sequence(&[&write::octets(&[1; 8]), &write::small(u32::MAX)]);
        let scheme = write::algorithm(oid::PBE_SHA1_SEED_CBC, &parameters);
        let costly = write::sequence(&[&scheme, &write::octets(&[0; 16])]);
        assert_eq!(decrypt(&costly, "x").map(drop), Err(Error::KeyFileTooCostly));
        let large = vec![0x30; KEY_FILE_BYTES_MAX + 1];
        assert_eq!(decrypt(&large, "x").map(drop), Err(Error::KeyFileMalformed));
    }

    #[test]
    fn a_truncated_file_is_refused_at_every_byte() {
        for format in FORMATS {
            let file = seal(format, 2).unwrap();
            for end in 0..file.len() {
                assert!(decrypt(&file[..end], "비밀번호 1!").is_err(), "{format:?} {end}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn random_bytes_open_nothing(bytes in proptest::collection::vec(0_u8.., 0..200)) {
            proptest::prop_assert!(decrypt(&bytes, "x").is_err());
        }
    }
}
