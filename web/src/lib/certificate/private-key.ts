import type { Bytes } from './der';
import { algorithm, expect, inside, INTEGER, Malformed, OCTET_STRING, sequence, SEQUENCE, single } from './der';
import { CertificateFailure } from './failure';
import { open } from './pbe';

/** PKCS#8 private keys (RFC 5958), locked and open. */

/**
 * The plain `PrivateKeyInfo`, rebuilt from version, algorithm and key alone: Korean files carry an attribute with a
 * random number of the owner, which is nobody's business here. `null` if it is none.
 */
function plainKey(bytes: Bytes): Bytes | null {
  try {
    const parts = inside(single(bytes, SEQUENCE));
    const kind = expect(parts, 1, SEQUENCE);
    algorithm(kind);
    return sequence(expect(parts, 0, INTEGER).whole, kind.whole, expect(parts, 2, OCTET_STRING).whole);
  } catch (problem) {
    if (problem instanceof Malformed) return null;
    throw problem;
  }
}

/** Opens an `EncryptedPrivateKeyInfo`. */
export async function openKeyFile(file: Bytes, password: Bytes): Promise<Bytes> {
  const [encryption, sealed] = inside(single(file, SEQUENCE));
  if (encryption?.tag !== SEQUENCE || sealed?.tag !== OCTET_STRING) throw new CertificateFailure('wrong_file');
  const opened = await open(encryption, password, sealed.value);
  const key = opened && plainKey(opened);
  opened?.fill(0);
  if (!key) throw new CertificateFailure('wrong_password');
  return key;
}

/** Takes a plain `PrivateKeyInfo` (as a PKCS#12 may hold it) into the same shape. */
export function adoptKey(bytes: Bytes): Bytes {
  const key = plainKey(bytes);
  if (!key) throw new CertificateFailure('damaged');
  return key;
}
