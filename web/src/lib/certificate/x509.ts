import type { Bytes, Element } from './der';
import { algorithm, BIT_STRING, context, expect, inside, INTEGER, OCTET_STRING, OID, oidText, SEQUENCE, single } from './der';

/** What the log-on page shows and needs of a certificate (RFC 5280). The portal is the judge, not this. */
export interface Certificate {
  der: Bytes;
  serial: Element;
  issuer: Element;
  /** The common name, or the whole subject where there is none. */
  name: string;
  subjectText: string;
  issuerText: string;
  notBefore: Date;
  notAfter: Date;
  publicKey: Bytes;
  keyAlgorithm: string;
  /** Whether it may sign; true also where it does not say. */
  maySign: boolean;
}

const SHORT: Record<string, string> = {
  '2.5.4.3': 'cn',
  '2.5.4.5': 'serialNumber',
  '2.5.4.6': 'c',
  '2.5.4.7': 'l',
  '2.5.4.8': 'st',
  '2.5.4.10': 'o',
  '2.5.4.11': 'ou',
};
const KEY_USAGE = '2.5.29.15';
const UTC_TIME = 0x17;

function text(element: Element): string {
  if (element.tag === 0x1e) return new TextDecoder('utf-16be').decode(element.value);
  if (element.tag === 0x14) return new TextDecoder('latin1').decode(element.value);
  return new TextDecoder('utf-8').decode(element.value);
}

/** The relative names, most specific first. */
function names(name: Element): { short: string; value: string }[] {
  return inside(name)
    .flatMap((set) => inside(set))
    .map((pair) => {
      const [type, value] = inside(pair);
      const dotted = type ? oidText(type) : '';
      return { short: SHORT[dotted] ?? dotted, value: value ? text(value) : '' };
    })
    .reverse();
}

function time(element: Element): Date {
  const digits = new TextDecoder().decode(element.value);
  // The tag tells how long the year is; the digits alone do not (RFC 5280 4.1.2.5: UTCTime until 2049).
  const pattern = element.tag === UTC_TIME ? /^(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})?Z$/ : /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})?Z$/;
  const found = pattern.exec(digits);
  if (!found) return new Date(Number.NaN);
  const [, year = '', month, day, hour, minute, second = '00'] = found;
  const full = year.length === 4 ? year : Number(year) < 50 ? `20${year}` : `19${year}`;
  return new Date(`${full}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

function maySign(extensions: Element | undefined): boolean {
  if (!extensions) return true;
  for (const extension of inside(expect(inside(extensions), 0, SEQUENCE))) {
    const parts = inside(extension);
    if (oidText(expect(parts, 0, OID)) !== KEY_USAGE) continue;
    const bits = single(expect(parts, parts.length - 1, OCTET_STRING).value, BIT_STRING).value;
    // The first byte counts unused bits; digitalSignature and nonRepudiation are the two highest of the next.
    return ((bits[1] ?? 0) & 0xc0) !== 0;
  }
  return true;
}

/** Reads a DER certificate; throws `Malformed` for anything else. */
export function readCertificate(der: Bytes): Certificate {
  const [body] = inside(single(der, SEQUENCE));
  const parts = inside(expect(body ? [body] : [], 0, SEQUENCE));
  const from = parts[0]?.tag === context(0) ? 1 : 0;
  const serial = expect(parts, from, INTEGER);
  const issuer = expect(parts, from + 2, SEQUENCE);
  const validity = inside(expect(parts, from + 3, SEQUENCE));
  const subject = names(expect(parts, from + 4, SEQUENCE));
  const key = expect(parts, from + 5, SEQUENCE);
  const joined = (list: { short: string; value: string }[]): string => list.map((part) => `${part.short}=${part.value}`).join(', ');
  const issuerNames = names(issuer);
  return {
    der,
    serial,
    issuer,
    name: subject.find((part) => part.short === 'cn')?.value ?? joined(subject),
    subjectText: joined(subject),
    issuerText: [issuerNames.find((part) => part.short === 'cn'), issuerNames.find((part) => part.short === 'o')]
      .map((part) => part?.value)
      .filter(Boolean)
      .join(' · '),
    notBefore: time(expect(validity, 0)),
    notAfter: time(expect(validity, 1)),
    publicKey: key.whole,
    keyAlgorithm: algorithm(expect(inside(key), 0, SEQUENCE)).oid,
    maySign: maySign(parts.find((part) => part.tag === context(3))),
  };
}
