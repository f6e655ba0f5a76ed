import type { Bytes, Element } from './der';
import { algorithm, expect, inside, INTEGER, NULL, OCTET_STRING, smallInteger } from './der';
import { CertificateFailure } from './failure';
import { decryptCbc } from './seed';

/** Password-based encryption of key files (RFC 8018, and the Korean PBES1 with SEED). */

const PBE_SHA1_SEED_CBC = '1.2.410.200004.1.15';
const SEED_CBC = '1.2.410.200004.1.4';
const PBES2 = '1.2.840.113549.1.5.13';
const PBKDF2 = '1.2.840.113549.1.5.12';
const AES_CBC: Record<string, number> = {
  '2.16.840.1.101.3.4.1.2': 16,
  '2.16.840.1.101.3.4.1.22': 24,
  '2.16.840.1.101.3.4.1.42': 32,
};
const HMAC: Record<string, string> = {
  '1.2.840.113549.2.7': 'SHA-1',
  '1.2.840.113549.2.9': 'SHA-256',
  '1.2.840.113549.2.10': 'SHA-384',
  '1.2.840.113549.2.11': 'SHA-512',
};
/** Files that ask for more would only freeze the page. */
const ITERATIONS_MAX = 1_000_000;
const PBES1_ITERATIONS_MAX = 50_000;
const OLD_INITIAL = new TextEncoder().encode('0123456789012345');

async function sha1(bytes: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-1', bytes));
}

/** PBKDF1 (RFC 8018 5.1): SHA-1, repeated. */
async function pbkdf1(password: Bytes, salt: Bytes, iterations: number): Promise<Bytes> {
  const joined = new Uint8Array(password.length + salt.length);
  joined.set(password);
  joined.set(salt, password.length);
  let derived = await sha1(joined);
  joined.fill(0);
  for (let round = 1; round < iterations; round++) derived = await sha1(derived);
  return derived;
}

async function openPbes1(parameters: Element, password: Bytes, sealed: Bytes, old: boolean): Promise<Bytes | null> {
  const parts = inside(parameters);
  const salt = expect(parts, 0, OCTET_STRING).value;
  const iterations = smallInteger(expect(parts, 1, INTEGER));
  if (iterations < 1 || iterations > PBES1_ITERATIONS_MAX) throw new CertificateFailure('damaged');
  const derived = await pbkdf1(password, salt, iterations);
  const initial = old ? OLD_INITIAL : (await sha1(derived.slice(16, 20))).slice(0, 16);
  const plain = decryptCbc(derived.slice(0, 16), initial, sealed);
  derived.fill(0);
  return plain;
}

async function openPbes2(parameters: Element, password: Bytes, sealed: Bytes): Promise<Bytes | null> {
  const parts = inside(parameters);
  const derivation = algorithm(expect(parts, 0));
  const cipher = algorithm(expect(parts, 1));
  const keyBytes = cipher.oid === SEED_CBC ? 16 : AES_CBC[cipher.oid];
  if (derivation.oid !== PBKDF2 || !keyBytes || !cipher.parameters || !derivation.parameters) {
    throw new CertificateFailure('unsupported_cipher');
  }
  const initial = cipher.parameters.value;
  if (cipher.parameters.tag !== OCTET_STRING || initial.length !== 16) throw new CertificateFailure('damaged');
  const [salt, count, ...rest] = inside(derivation.parameters);
  if (salt?.tag !== OCTET_STRING || !count) throw new CertificateFailure('damaged');
  const iterations = smallInteger(count);
  if (iterations < 1 || iterations > ITERATIONS_MAX) throw new CertificateFailure('damaged');
  const pseudoRandom = rest.find((part) => part.tag !== INTEGER && part.tag !== NULL);
  const hash = pseudoRandom ? HMAC[algorithm(pseudoRandom).oid] : 'SHA-1';
  if (!hash) throw new CertificateFailure('unsupported_cipher');

  const base = await crypto.subtle.importKey('raw', password, 'PBKDF2', false, ['deriveBits']);
  const bits = await crypto.subtle.deriveBits({ name: 'PBKDF2', hash, salt: salt.value, iterations }, base, keyBytes * 8);
  const key = new Uint8Array(bits);
  try {
    if (cipher.oid === SEED_CBC) return decryptCbc(key, initial, sealed);
    const aes = await crypto.subtle.importKey('raw', key, 'AES-CBC', false, ['decrypt']);
    return new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-CBC', iv: initial }, aes, sealed));
  } catch (problem) {
    if (problem instanceof DOMException) return null; // Padding: the password is wrong.
    throw problem;
  } finally {
    key.fill(0);
  }
}

/**
 * Opens what a password locked. `null` when the padding is wrong; once in 256 times a wrong password passes, so look
 * at what came out. Throws `unsupported_cipher` for what it does not know (NEAT, ARIA, 3DES).
 */
export async function open(encryption: Element, password: Bytes, sealed: Bytes): Promise<Bytes | null> {
  const { oid, parameters } = algorithm(encryption);
  if (!parameters) throw new CertificateFailure('unsupported_cipher');
  if (oid === PBE_SHA1_SEED_CBC || oid === SEED_CBC) return openPbes1(parameters, password, sealed, oid === SEED_CBC);
  if (oid === PBES2) return openPbes2(parameters, password, sealed);
  throw new CertificateFailure('unsupported_cipher');
}
