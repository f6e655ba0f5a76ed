import forge from 'node-forge';
import type { Bytes } from './der';
import { CertificateFailure } from './failure';
import type { Pkcs12 } from './pkcs12';
import { adoptKey } from './private-key';

/** PKCS#12 as older software writes it: pbeWithSHA1And3-KeyTripleDES-CBC, RC2-40, or lengths in BER. */

const bytesOf = (binary: string): Bytes => Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
const derOf = (asn1: forge.asn1.Asn1): Bytes => bytesOf(forge.asn1.toDer(asn1).getBytes());

export function openOldPkcs12(file: Bytes, password: string): Pkcs12 {
  let asn1: forge.asn1.Asn1;
  try {
    asn1 = forge.asn1.fromDer(forge.util.createBuffer(file));
  } catch {
    throw new CertificateFailure('damaged');
  }
  let opened: forge.pkcs12.Pkcs12Pfx;
  try {
    opened = forge.pkcs12.pkcs12FromAsn1(asn1, false, password);
  } catch (problem) {
    const said = String(problem);
    if (/MAC could not be verified|Invalid password|decrypt/i.test(said)) throw new CertificateFailure('wrong_password');
    throw new CertificateFailure(/unsupported|Cannot read/i.test(said) ? 'unsupported_cipher' : 'damaged');
  }
  const found: Pkcs12 = { certificates: [], keys: [] };
  for (const bag of opened.safeContents.flatMap((contents) => contents.safeBags)) {
    if (bag.cert) found.certificates.push(derOf(forge.pki.certificateToAsn1(bag.cert)));
    else if (bag.key) {
      const rsa = forge.pki.privateKeyToAsn1(bag.key);
      found.keys.push(adoptKey(derOf(forge.pki.wrapRsaPrivateKey(rsa))));
    } else if (bag.type === forge.pki.oids['certBag'] && bag.asn1) found.certificates.push(derOf(bag.asn1));
  }
  return found;
}
