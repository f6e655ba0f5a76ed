/**
 * Distinguished encoding rules (X.690), as much of them as certificates, key files and CMS need: definite lengths,
 * one-byte tags. Reading is bounded and throws {@link Malformed}; it never reads past the end.
 */

export class Malformed extends Error {}

export type Bytes = Uint8Array<ArrayBuffer>;

export interface Element {
  tag: number;
  value: Bytes;
  /** Tag, length and value as they stand. */
  whole: Bytes;
}

export const INTEGER = 0x02;
export const BIT_STRING = 0x03;
export const OCTET_STRING = 0x04;
export const NULL = 0x05;
export const OID = 0x06;
export const SEQUENCE = 0x30;
export const SET = 0x31;
const ELEMENTS_MAX = 4096;

/** `[n]`, constructed. */
export const context = (number: number): number => 0xa0 | number;

function readAt(bytes: Bytes, at: number): { element: Element; end: number } {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) throw new Malformed('ends within a header');
  if ((tag & 0x1f) === 0x1f) throw new Malformed('a tag of several bytes');
  let start = at + 2;
  let length = first;
  if (first === 0x80) throw new Malformed('an indefinite length');
  if (first > 0x80) {
    const size = first & 0x7f;
    if (size > 3) throw new Malformed('a length beyond all files');
    length = 0;
    for (let index = 0; index < size; index++) {
      const byte = bytes[start++];
      if (byte === undefined) throw new Malformed('ends within a length');
      length = length * 256 + byte;
    }
  }
  const end = start + length;
  if (end > bytes.length) throw new Malformed('ends within a value');
  return { element: { tag, value: bytes.subarray(start, end), whole: bytes.subarray(at, end) }, end };
}

/** The one element these bytes are; anything after it is refused. */
export function single(bytes: Bytes, tag?: number): Element {
  const { element, end } = readAt(bytes, 0);
  if (end !== bytes.length) throw new Malformed('something follows');
  if (tag !== undefined && element.tag !== tag) throw new Malformed(`tag ${element.tag} instead of ${tag}`);
  return element;
}

/** The elements inside a constructed one. */
export function inside(element: Element): Element[] {
  const found: Element[] = [];
  let at = 0;
  while (at < element.value.length) {
    if (found.length === ELEMENTS_MAX) throw new Malformed('too many elements');
    const { element: next, end } = readAt(element.value, at);
    found.push(next);
    at = end;
  }
  return found;
}

/** The element at a place, of the given tag. */
export function expect(elements: Element[], index: number, tag?: number): Element {
  const element = elements[index];
  if (!element || (tag !== undefined && element.tag !== tag)) throw new Malformed(`element ${index} is missing`);
  return element;
}

/** `1.2.410.…` of an object identifier. */
export function oidText(element: Element): string {
  if (element.tag !== OID || element.value.length === 0 || element.value.length > 32) throw new Malformed('no identifier');
  const numbers: number[] = [];
  let number = 0;
  for (const byte of element.value) {
    number = number * 128 + (byte & 0x7f);
    if (number > Number.MAX_SAFE_INTEGER / 128) throw new Malformed('an arc beyond bounds');
    if (byte < 0x80) {
      numbers.push(number);
      number = 0;
    }
  }
  const [first = 0, ...rest] = numbers;
  const top = Math.min(2, Math.floor(first / 40));
  return [top, first - top * 40, ...rest].join('.');
}

/** A small whole number, such as an iteration count. */
export function smallInteger(element: Element): number {
  if (element.tag !== INTEGER || element.value.length === 0 || element.value.length > 4) throw new Malformed('no small number');
  return element.value.reduce((sum, byte) => sum * 256 + byte, 0);
}

/** An AlgorithmIdentifier. */
export function algorithm(element: Element): { oid: string; parameters: Element | null } {
  const parts = inside(element);
  return { oid: oidText(expect(parts, 0)), parameters: parts[1] ?? null };
}

export function concat(...parts: Bytes[]): Bytes {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Writes one element. */
export function write(tag: number, ...parts: Bytes[]): Bytes {
  const value = concat(...parts);
  const length: number[] = [];
  if (value.length < 0x80) length.push(value.length);
  else {
    for (let rest = value.length; rest > 0; rest = Math.floor(rest / 256)) length.unshift(rest & 0xff);
    length.unshift(0x80 | length.length);
  }
  return concat(Uint8Array.from([tag, ...length]), value);
}

export const sequence = (...parts: Bytes[]): Bytes => write(SEQUENCE, ...parts);

/** A SET OF in the order that DER asks for (X.690 11.6). */
export function setOf(...parts: Bytes[]): Bytes {
  const sorted = [...parts].sort((left, right) => {
    for (let index = 0; index < Math.min(left.length, right.length); index++) {
      const difference = (left[index] ?? 0) - (right[index] ?? 0);
      if (difference) return difference;
    }
    return left.length - right.length;
  });
  return write(SET, ...sorted);
}

export function oid(text: string): Bytes {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const bytes: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const piece = [arc & 0x7f];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) piece.unshift((left & 0x7f) | 0x80);
    bytes.push(...piece);
  }
  return write(OID, Uint8Array.from(bytes));
}

/** A non-negative INTEGER of the given big-endian bytes, in the shortest form. */
export function unsigned(bytes: Bytes): Bytes {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const value = bytes.subarray(start);
  return (value[0] ?? 0) & 0x80 ? write(INTEGER, Uint8Array.of(0), value) : write(INTEGER, value);
}

/** UTCTime until 2049, GeneralizedTime after (RFC 5652 11.3). */
export function time(at: Date): Bytes {
  const text = at.toISOString().replace(/[-:T]/g, '').slice(0, 14);
  const year = at.getUTCFullYear();
  const short = year >= 1950 && year < 2050;
  return write(short ? 0x17 : 0x18, new TextEncoder().encode(`${short ? text.slice(2) : text}Z`));
}

/** PEM armour away, if there is one. */
export function withoutArmour(bytes: Bytes): Bytes {
  if (bytes[0] !== 0x2d && bytes[0] !== 0x42) return bytes;
  const text = new TextDecoder('latin1').decode(bytes);
  const found = /-----BEGIN [A-Z0-9 ]+-----([A-Za-z0-9+/=\s]+)-----END/.exec(text);
  if (!found?.[1]) return bytes;
  try {
    return Uint8Array.from(atob(found[1].replace(/\s/g, '')), (letter) => letter.charCodeAt(0));
  } catch {
    throw new Malformed('armour around something else');
  }
}
