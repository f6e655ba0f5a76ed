import type { Bytes } from './der';
import { context, NULL, OCTET_STRING, oid, sequence, setOf, time, unsigned, write } from './der';
import type { Certificate } from './x509';

/** CMS SignedData (RFC 5652 5) with one signer, the content inside, and signed attributes. */

const DATA = '1.2.840.113549.1.7.1';
const SIGNED_DATA = '1.2.840.113549.1.7.2';
const CONTENT_TYPE = '1.2.840.113549.1.9.3';
const MESSAGE_DIGEST = '1.2.840.113549.1.9.4';
const SIGNING_TIME = '1.2.840.113549.1.9.5';
const SHA256 = '2.16.840.1.101.3.4.2.1';
export const RSA_SHA256 = '1.2.840.113549.1.1.11';
export const ECDSA_SHA256 = '1.2.840.10045.4.3.2';

const version = (number: number): Bytes => unsigned(Uint8Array.of(number));
const nothing = write(NULL);

/**
 * Signs `content`. `sign` gets the bytes to be signed and answers with the signature as CMS wants it; the content is
 * one primitive OCTET STRING, as strict readers ask for.
 */
export async function signedData(
  content: Bytes,
  certificate: Certificate,
  others: Bytes[],
  signatureAlgorithm: typeof RSA_SHA256 | typeof ECDSA_SHA256,
  at: Date,
  sign: (bytes: Bytes) => Promise<Bytes>,
): Promise<Bytes> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', content));
  const attribute = (type: string, value: Bytes): Bytes => sequence(oid(type), setOf(value));
  // Signed with the tag of a SET, sent as [0] (RFC 5652 5.4).
  const attributes = setOf(
    attribute(CONTENT_TYPE, oid(DATA)),
    attribute(SIGNING_TIME, time(at)),
    attribute(MESSAGE_DIGEST, write(OCTET_STRING, digest)),
  );
  const signature = await sign(attributes);
  const sentAttributes = attributes.slice();
  sentAttributes[0] = context(0);

  const algorithm = signatureAlgorithm === RSA_SHA256 ? sequence(oid(RSA_SHA256), nothing) : sequence(oid(ECDSA_SHA256));
  const signer = sequence(
    version(1),
    sequence(certificate.issuer.whole, certificate.serial.whole),
    sequence(oid(SHA256), nothing),
    sentAttributes,
    algorithm,
    write(OCTET_STRING, signature),
  );
  return sequence(
    oid(SIGNED_DATA),
    write(
      context(0),
      sequence(
        version(1),
        setOf(sequence(oid(SHA256), nothing)),
        sequence(oid(DATA), write(context(0), write(OCTET_STRING, content))),
        write(context(0), certificate.der, ...others),
        setOf(signer),
      ),
    ),
  );
}
