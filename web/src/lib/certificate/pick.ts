import type { Candidate } from './choice';
import { CertificateFailure } from './failure';

/** The first look at picked files. The readers behind it are loaded with the first pick, not with the page. */

/** A PKCS#12 with a chain has some 8 KiB; certificates and keys less. */
export const FILE_BYTES_MAX = 256 * 1024;
/** A whole GPKI folder has a few dozen. */
export const FILES_MAX = 400;
const INTERESTING = /\.(cer|crt|der|pem|key|p12|pfx)$/i;

/** Whether a file in a folder is worth reading. */
export const isInteresting = (name: string): boolean => INTERESTING.test(name);

export async function readPicked(files: File[]): Promise<Candidate[]> {
  if (files.some((file) => file.size > FILE_BYTES_MAX)) throw new CertificateFailure('too_large');
  const { candidatesOf } = await import('./choice');
  const read = files.slice(0, FILES_MAX).map(async (file) => ({
    name: file.name,
    path: file.webkitRelativePath || file.name,
    bytes: new Uint8Array(await file.arrayBuffer()),
  }));
  return candidatesOf(await Promise.all(read));
}
