// @vitest-environment node
import { describe, expect, it } from 'vitest';
import { inside, Malformed, oid, oidText, OCTET_STRING, setOf, single, smallInteger, time, unsigned, write } from './der';

const of = (...bytes: number[]): Uint8Array<ArrayBuffer> => Uint8Array.from(bytes);

describe('DER', () => {
  it.each([0, 1, 127, 128, 255, 256, 65_535, 65_536])('reads the length it wrote: %i', (length) => {
    const value = new Uint8Array(length).fill(7);
    expect(single(write(OCTET_STRING, value), OCTET_STRING).value).toEqual(value);
  });
  it.each([
    ['nothing', of()],
    ['a tag alone', of(0x30)],
    ['an indefinite length', of(0x30, 0x80, 0, 0)],
    ['a length of four bytes', of(0x30, 0x84, 1, 0, 0, 0)],
    ['a length cut off', of(0x30, 0x82, 1)],
    ['a value cut off', of(0x04, 2, 1)],
    ['something behind', of(0x05, 0, 0)],
    ['a tag of several bytes', of(0x3f, 0x81, 0)],
  ])('refuses %s', (_name, bytes) => {
    expect(() => single(bytes)).toThrow(Malformed);
  });
  it('refuses what sticks out of its parent', () => {
    expect(() => inside(single(of(0x30, 3, 0x04, 9, 1)))).toThrow(Malformed);
  });
  it.each(['1.2.840.113549.1.1.11', '2.5.4.3', '1.2.410.200004.1.15', '2.16.840.1.101.3.4.2.1', '0.9.2342.19200300.100.1.25'])('identifier %s', (text) => {
    expect(oidText(single(oid(text)))).toBe(text);
  });
  it('keeps integers short and positive', () => {
    expect(unsigned(of(0, 0, 0x7f))).toEqual(of(2, 1, 0x7f));
    expect(unsigned(of(0x80))).toEqual(of(2, 2, 0, 0x80));
    expect(smallInteger(single(unsigned(of(8, 0))))).toBe(2048);
  });
  it('orders sets and writes both times', () => {
    expect(setOf(of(5, 0), of(2, 1, 1))).toEqual(of(0x31, 5, 2, 1, 1, 5, 0));
    expect(new TextDecoder().decode(single(time(new Date('2026-11-23T09:00:00Z'))).value)).toBe('261123090000Z');
    expect(single(time(new Date('2050-01-01T00:00:00Z'))).tag).toBe(0x18);
  });
});
