import type { Bytes } from './der';
import { inside, Malformed, OCTET_STRING, SEQUENCE, single, withoutArmour } from './der';
import { CertificateFailure } from './failure';
import { FILE_BYTES_MAX, FILES_MAX, isInteresting } from './pick';
import { looksLikePkcs12 } from './pkcs12';
import type { Certificate } from './x509';
import { readCertificate } from './x509';

/** What a person picked, sorted out: which files belong together. Files are told apart by content, paired by name. */

export interface PickedFile {
  name: string;
  /** With folders, where it came out of one; else the name. */
  path: string;
  bytes: Bytes;
}

export interface Candidate {
  title: string;
  files: string[];
  certificate: Certificate | null;
  key: Bytes | null;
  pkcs12: Bytes | null;
  /** The file still to be picked, when one is missing. */
  missing: { what: 'key' | 'certificate'; name: string } | null;
}


type Sorted =
  | { kind: 'certificate'; certificate: Certificate }
  | { kind: 'key' | 'pkcs12' | 'plain' | 'other' };

function sort(bytes: Bytes): Sorted {
  if (looksLikePkcs12(bytes)) return { kind: 'pkcs12' };
  try {
    const parts = inside(single(bytes, SEQUENCE));
    if (parts.length === 2 && parts[0]?.tag === SEQUENCE && parts[1]?.tag === OCTET_STRING) return { kind: 'key' };
    return { kind: 'certificate', certificate: readCertificate(bytes) };
  } catch (problem) {
    if (problem instanceof Malformed) return { kind: 'other' };
    throw problem;
  }
}

/** What pairs a certificate with its key: the folder and the name, without what tells the two apart. */
function stem(path: string): string {
  return path
    .replace(/\.[^./\\]+$/, '')
    .replace(/signCert$/i, 'sign')
    .replace(/signPri$/i, 'sign')
    .replace(/kmCert$/i, 'km')
    .replace(/kmPri$/i, 'km')
    .toLowerCase();
}

function partner(name: string, what: 'key' | 'certificate'): string {
  if (/^signCert\.der$/i.test(name)) return 'signPri.key';
  if (/^signPri\.key$/i.test(name)) return 'signCert.der';
  return name.replace(/\.[^.]+$/, what === 'key' ? '.key' : '.cer');
}

/** Sorts and pairs; throws a {@link CertificateFailure} that says what to pick instead. */
export function candidatesOf(files: PickedFile[]): Candidate[] {
  if (files.some((file) => file.bytes.length > FILE_BYTES_MAX)) throw new CertificateFailure('too_large');
  const certificates: { file: PickedFile; certificate: Certificate }[] = [];
  const keys: (PickedFile & { used: boolean })[] = [];
  const found: Candidate[] = [];
  let forEncryption = 0;
  let damaged = 0;
  for (const file of files.slice(0, FILES_MAX)) {
    let bytes: Bytes;
    try {
      bytes = withoutArmour(file.bytes);
    } catch {
      damaged++;
      continue;
    }
    const sorted = sort(bytes);
    if (sorted.kind === 'pkcs12') {
      found.push({ title: file.name, files: [file.name], certificate: null, key: null, pkcs12: bytes, missing: null });
    } else if (sorted.kind === 'key') keys.push({ ...file, bytes, used: false });
    else if (sorted.kind === 'certificate') {
      if (sorted.certificate.maySign) certificates.push({ file, certificate: sorted.certificate });
      else forEncryption++;
    } else if (isInteresting(file.name) && file.bytes[0] === SEQUENCE) damaged++;
  }
  for (const { file, certificate } of certificates) {
    const sameName = keys.find((key) => stem(key.path) === stem(file.path));
    // Two files, whatever their names: they are meant to be a pair; the key check says if they are none.
    const only = certificates.length === 1 && keys.length === 1 ? keys[0] : undefined;
    const key = sameName ?? only;
    if (key) key.used = true;
    found.push({
      title: certificate.name,
      files: key ? [file.name, key.name] : [file.name],
      certificate,
      key: key?.bytes ?? null,
      pkcs12: null,
      missing: key ? null : { what: 'key', name: partner(file.name, 'key') },
    });
  }
  const whole = found.filter((candidate) => !candidate.missing);
  if (whole.length > 0) return whole;
  const first = found[0];
  if (first) return [first];
  if (forEncryption > 0) throw new CertificateFailure('encryption_certificate');
  const lone = keys[0];
  if (lone) {
    const missing = { what: 'certificate' as const, name: partner(lone.name, 'certificate') };
    return [{ title: lone.name, files: [lone.name], certificate: null, key: lone.bytes, pkcs12: null, missing }];
  }
  throw new CertificateFailure(damaged > 0 ? 'damaged' : 'wrong_file');
}
