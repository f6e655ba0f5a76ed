import type { Bytes, Element } from './der';
import { context, expect, inside, INTEGER, Malformed, OCTET_STRING, OID, oidText, SEQUENCE, single } from './der';
import { CertificateFailure } from './failure';
import { open } from './pbe';
import { adoptKey, openKeyFile } from './private-key';

/** PKCS#12 (RFC 7292): certificates and one private key in one file. */
export interface Pkcs12 {
  certificates: Bytes[];
  keys: Bytes[];
}

const DATA = '1.2.840.113549.1.7.1';
const ENCRYPTED_DATA = '1.2.840.113549.1.7.6';
const KEY_BAG = '1.2.840.113549.1.12.10.1.1';
const SHROUDED_KEY_BAG = '1.2.840.113549.1.12.10.1.2';
const CERTIFICATE_BAG = '1.2.840.113549.1.12.10.1.3';

/** Whether the bytes look like a PKCS#12: a SEQUENCE that begins with version 3. Also in indefinite-length BER. */
export function looksLikePkcs12(bytes: Bytes): boolean {
  if (bytes[0] !== SEQUENCE) return false;
  const first = bytes[1] ?? 0;
  const at = first < 0x80 || first === 0x80 ? 2 : 2 + (first & 0x7f);
  return bytes[at] === INTEGER && bytes[at + 1] === 1 && bytes[at + 2] === 3;
}

/** The content of a ContentInfo. */
function content(info: Element): { type: string; inner: Element } {
  const parts = inside(info);
  return { type: oidText(expect(parts, 0, OID)), inner: expect(inside(expect(parts, 1, context(0))), 0) };
}

async function safeContents(info: Element, password: Bytes): Promise<Bytes | null> {
  const { type, inner } = content(info);
  if (type === DATA) return inner.value;
  if (type !== ENCRYPTED_DATA) return null; // Public-key privacy mode: not for us.
  const encrypted = inside(expect(inside(inner), 1, SEQUENCE));
  const sealed = expect(encrypted, 2);
  // [0] IMPLICIT OCTET STRING, in one piece or in several.
  const bytes = sealed.tag === 0x80 ? sealed.value : null;
  if (!bytes) throw new Malformed('sealed in pieces');
  const plain = await open(expect(encrypted, 1, SEQUENCE), password, bytes);
  if (!plain) throw new CertificateFailure('wrong_password');
  return plain;
}

async function readBags(contents: Bytes, password: Bytes, found: Pkcs12): Promise<void> {
  for (const bag of inside(single(contents, SEQUENCE))) {
    const parts = inside(bag);
    const type = oidText(expect(parts, 0, OID));
    const value = expect(inside(expect(parts, 1, context(0))), 0);
    if (type === CERTIFICATE_BAG) {
      const octets = expect(inside(expect(inside(value), 1, context(0))), 0, OCTET_STRING);
      found.certificates.push(octets.value.slice());
    } else if (type === SHROUDED_KEY_BAG) found.keys.push(await openKeyFile(value.whole, password));
    else if (type === KEY_BAG) found.keys.push(adoptKey(value.whole));
  }
}

async function openModern(file: Bytes, password: Bytes): Promise<Pkcs12> {
  const parts = inside(single(file, SEQUENCE));
  const { type, inner } = content(expect(parts, 1, SEQUENCE));
  if (type !== DATA) throw new CertificateFailure('unsupported_cipher');
  const found: Pkcs12 = { certificates: [], keys: [] };
  for (const info of inside(single(expect([inner], 0, OCTET_STRING).value, SEQUENCE))) {
    const contents = await safeContents(info, password);
    if (!contents) continue;
    try {
      await readBags(contents, password, found);
    } catch (problem) {
      // Wrong padding passes once in 256 times; then what came out makes no sense.
      if (problem instanceof Malformed) throw new CertificateFailure('wrong_password');
      throw problem;
    }
  }
  return found;
}

/** Opens a PKCS#12; the old ciphers (3DES, RC2) and BER with the help of a bigger library, loaded only then. */
export async function openPkcs12(file: Bytes, password: string, passwordBytes: Bytes): Promise<Pkcs12> {
  try {
    return await openModern(file, passwordBytes);
  } catch (problem) {
    const old = problem instanceof Malformed || (problem instanceof CertificateFailure && problem.reason === 'unsupported_cipher');
    if (!old) throw problem;
    const { openOldPkcs12 } = await import('./pkcs12-old');
    return openOldPkcs12(file, password);
  }
}
