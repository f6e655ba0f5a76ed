import type { Candidate } from './choice';
import { ECDSA_SHA256, RSA_SHA256, signedData } from './cms';
import type { Bytes } from './der';
import { algorithm, concat, expect, inside, Malformed, OID, oidText, sequence, SEQUENCE, single, unsigned } from './der';
import { CertificateFailure } from './failure';
import { openPkcs12 } from './pkcs12';
import { openKeyFile } from './private-key';
import type { Certificate } from './x509';
import { readCertificate } from './x509';

/** Unlocks what a person picked and signs with it. Nothing of the private key leaves this module, let alone the page. */

const RSA = '1.2.840.113549.1.1.1';
const EC = '1.2.840.10045.2.1';
const P256 = '1.2.840.10045.3.1.7';
const RSA_BITS_MIN = 2048;

export interface Signer {
  certificate: Certificate;
  /** A CMS SignedData over exactly these bytes. */
  sign(challenge: Bytes, at: Date): Promise<Bytes>;
}

interface Kind {
  oid: typeof RSA_SHA256 | typeof ECDSA_SHA256;
  import: RsaHashedImportParams | EcKeyImportParams;
  sign: AlgorithmIdentifier | EcdsaParams;
}

const kindRsa: Kind = {
  oid: RSA_SHA256,
  import: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  sign: { name: 'RSASSA-PKCS1-v1_5' },
};
const kindP256: Kind = {
  oid: ECDSA_SHA256,
  import: { name: 'ECDSA', namedCurve: 'P-256' },
  sign: { name: 'ECDSA', hash: 'SHA-256' },
};

function kindOf(certificate: Certificate): Kind {
  const { oid, parameters } = algorithm(expect(inside(single(certificate.publicKey, SEQUENCE)), 0, SEQUENCE));
  if (oid === RSA) return kindRsa;
  if (oid === EC && parameters?.tag === OID && oidText(parameters) === P256) return kindP256;
  throw new CertificateFailure('unsupported_key');
}

/** WebCrypto gives r and s side by side; CMS wants SEQUENCE { r, s }. */
function ecdsaDer(raw: Bytes): Bytes {
  const half = raw.length / 2;
  return sequence(unsigned(raw.subarray(0, half)), unsigned(raw.subarray(half)));
}

async function privateKey(key: Bytes, kind: Kind): Promise<CryptoKey> {
  try {
    return await crypto.subtle.importKey('pkcs8', key, kind.import, false, ['sign']);
  } catch {
    // A key of another kind than the certificate's.
    throw new CertificateFailure('other_key');
  }
}

/** Whether what the private key signs, the certificate's key accepts. */
async function belongTogether(key: CryptoKey, certificate: Certificate, kind: Kind): Promise<boolean> {
  const open = await crypto.subtle.importKey('spki', certificate.publicKey, kind.import, false, ['verify']).catch(() => null);
  if (!open) throw new CertificateFailure('unsupported_key');
  const { modulusLength } = open.algorithm as Partial<RsaHashedKeyAlgorithm>;
  if (modulusLength !== undefined && modulusLength < RSA_BITS_MIN) throw new CertificateFailure('unsupported_key');
  const probe = crypto.getRandomValues(new Uint8Array(32));
  const signature = await crypto.subtle.sign(kind.sign, key, probe);
  return crypto.subtle.verify(kind.sign, open, signature, probe);
}

async function signerFor(keys: Bytes[], certificates: Certificate[]): Promise<Signer> {
  const signing = certificates.filter((certificate) => certificate.maySign);
  if (signing.length === 0) throw new CertificateFailure(certificates.length > 0 ? 'encryption_certificate' : 'wrong_file');
  let failure: unknown = new CertificateFailure('other_key');
  for (const bytes of keys) {
    for (const certificate of signing) {
      try {
        const kind = kindOf(certificate);
        const key = await privateKey(bytes, kind);
        if (!(await belongTogether(key, certificate, kind))) continue;
        const others = certificates.filter((other) => other !== certificate).map((other) => other.der);
        const signBytes = async (content: Bytes): Promise<Bytes> => {
          const raw = new Uint8Array(await crypto.subtle.sign(kind.sign, key, content));
          return kind === kindP256 ? ecdsaDer(raw) : raw;
        };
        return { certificate, sign: (challenge, at) => signedData(challenge, certificate, others, kind.oid, at, signBytes) };
      } catch (problem) {
        if (!(problem instanceof CertificateFailure)) throw problem;
        failure = problem;
      }
    }
  }
  throw failure;
}

/**
 * Opens a candidate with its password. Throws a {@link CertificateFailure} that tells the person what to do. Byte copies
 * of password and key are overwritten; JavaScript gives no such power over the password's string itself.
 */
export async function unlock(candidate: Candidate, password: string): Promise<Signer> {
  const passwordBytes = concat(new TextEncoder().encode(password));
  const keys: Bytes[] = [];
  try {
    if (candidate.pkcs12) {
      const opened = await openPkcs12(candidate.pkcs12, password, passwordBytes);
      keys.push(...opened.keys);
      if (keys.length === 0) throw new CertificateFailure('no_pair');
      return await signerFor(keys, opened.certificates.map(readCertificate));
    }
    if (!candidate.certificate || !candidate.key) throw new CertificateFailure('no_pair');
    keys.push(await openKeyFile(candidate.key, passwordBytes));
    return await signerFor(keys, [candidate.certificate]);
  } catch (problem) {
    if (problem instanceof Malformed) throw new CertificateFailure('damaged');
    throw problem;
  } finally {
    passwordBytes.fill(0);
    for (const key of keys) key.fill(0);
  }
}
