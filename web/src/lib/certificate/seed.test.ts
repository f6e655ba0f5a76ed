// @vitest-environment node
import { describe, expect, it } from 'vitest';
import { decryptCbc, encryptBlock, encryptCbc } from './seed';

const hex = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const text = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

describe('SEED, RFC 4269 Appendix B', () => {
  it.each([
    ['00000000000000000000000000000000', '000102030405060708090a0b0c0d0e0f', '5ebac6e0054e166819aff1cc6d346cdb'],
    ['000102030405060708090a0b0c0d0e0f', '00000000000000000000000000000000', 'c11f22f20140505084483597e4370f43'],
    ['4706480851e61be85d74bfb3fd956185', '83a2f8a288641fb9a4e9a5cc2f131c7d', 'ee54d13ebcae706d226bc3142cd40d4a'],
    ['28dbc3bc49ffd87dcfa509b11d422be7', 'b41e6be2eba84a148e2eed84593c5ec7', '9b9b7bfcd1813cb95d0b3618f40f5122'],
  ])('key %s', (key, plain, sealed) => {
    expect(text(encryptBlock(hex(key), hex(plain)))).toBe(sealed);
  });
});

describe('SEED-CBC', () => {
  const key = hex('4706480851e61be85d74bfb3fd956185');
  const initial = hex('000102030405060708090a0b0c0d0e0f');
  it.each([0, 1, 15, 16, 17, 64, 1000])('opens what it locked, %i bytes', (length) => {
    const plain = Uint8Array.from({ length }, (_, index) => index & 0xff);
    expect(decryptCbc(key, initial, encryptCbc(key, initial, plain))).toEqual(plain);
  });
  it('refuses lengths and paddings that cannot be', () => {
    expect(decryptCbc(key, initial, new Uint8Array(0))).toBeNull();
    expect(decryptCbc(key, initial, new Uint8Array(17))).toBeNull();
    const sealed = encryptCbc(key, initial, new Uint8Array(20));
    expect(decryptCbc(hex('00000000000000000000000000000000'), initial, sealed)).toBeNull();
  });
});
