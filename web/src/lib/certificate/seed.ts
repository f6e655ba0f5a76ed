import type { Bytes } from './der';

/**
 * The SEED block cipher (RFC 4269) in CBC mode, which Korean key files are locked with and WebCrypto does not know.
 * The S-boxes are computed from their definition: an affine map of x^247 and x^251 in GF(2^8) modulo x^8+x^6+x^5+x+1.
 * Not constant-time: it runs in the key owner's own browser, on the key owner's own file.
 */

const BLOCK_BYTES = 16;
const ROUNDS = 16;

function multiply(left: number, right: number): number {
  let product = 0;
  for (let a = left, b = right; b > 0; b >>= 1) {
    if (b & 1) product ^= a;
    a <<= 1;
    if (a & 0x100) a ^= 0x163;
  }
  return product;
}

function power(base: number, exponent: number): number {
  let result = 1;
  for (let square = base, left = exponent; left > 0; left >>= 1) {
    if (left & 1) result = multiply(result, square);
    square = multiply(square, square);
  }
  return result;
}

/** `columns[i]` is the image of bit i under the affine map's linear part. */
function box(exponent: number, columns: readonly number[], constant: number): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, x) => {
    const bits = power(x, exponent);
    return columns.reduce((sum, column, index) => ((bits >> index) & 1 ? sum ^ column : sum), constant);
  });
}

const S1 = box(247, [0x2c, 0xd0, 0x69, 0xc2, 0x41, 0x44, 0x58, 0xe2], 169);
const S2 = box(251, [0xd0, 0x2a, 0xe1, 0x2c, 0x21, 0x30, 0xa2, 0x6c], 56);
const MASKS = [0xfc, 0xf3, 0xcf, 0x3f] as const;

/** The four S-boxes joined with the masks of G: `TABLES[i][byte]` is what input byte i (lowest first) adds. */
const TABLES = [0, 1, 2, 3].map((position) =>
  Uint32Array.from({ length: 256 }, (_, x) => {
    const y = (position % 2 === 0 ? S1[x] : S2[x]) ?? 0;
    let word = 0;
    for (let out = 0; out < 4; out++) word |= (y & (MASKS[(out + position) % 4] ?? 0)) << (8 * out);
    return word >>> 0;
  }),
);

function g(x: number): number {
  let word = 0;
  for (const [position, table] of TABLES.entries()) word ^= table[(x >>> (8 * position)) & 0xff] ?? 0;
  return word >>> 0;
}

/** The 32 round keys of a 128-bit key. */
function schedule(key: Bytes): Uint32Array {
  const view = new DataView(key.buffer, key.byteOffset, BLOCK_BYTES);
  let [a, b, c, d] = [view.getUint32(0), view.getUint32(4), view.getUint32(8), view.getUint32(12)];
  const keys = new Uint32Array(2 * ROUNDS);
  let constant = 0x9e3779b9;
  for (let round = 0; round < ROUNDS; round++) {
    keys[2 * round] = g((a + c - constant) >>> 0);
    keys[2 * round + 1] = g((b - d + constant) >>> 0);
    if (round % 2 === 0) [a, b] = [((a >>> 8) | (b << 24)) >>> 0, ((b >>> 8) | (a << 24)) >>> 0];
    else [c, d] = [((c << 8) | (d >>> 24)) >>> 0, ((d << 8) | (c >>> 24)) >>> 0];
    constant = ((constant << 1) | (constant >>> 31)) >>> 0;
  }
  return keys;
}

function block(keys: Uint32Array, input: DataView, at: number, output: DataView, backwards: boolean): void {
  let [l0, l1, r0, r1] = [input.getUint32(at), input.getUint32(at + 4), input.getUint32(at + 8), input.getUint32(at + 12)];
  for (let step = 0; step < ROUNDS; step++) {
    const round = backwards ? ROUNDS - 1 - step : step;
    const c = (r0 ^ (keys[2 * round] ?? 0)) >>> 0;
    const d = (r1 ^ (keys[2 * round + 1] ?? 0)) >>> 0;
    const first = g((c ^ d) >>> 0);
    const second = g((first + c) >>> 0);
    const third = g((second + first) >>> 0);
    const f0 = (third + second) >>> 0;
    const next0 = (l0 ^ f0) >>> 0;
    const next1 = (l1 ^ third) >>> 0;
    [l0, l1, r0, r1] = [r0, r1, next0, next1];
  }
  output.setUint32(at, r0);
  output.setUint32(at + 4, r1);
  output.setUint32(at + 8, l0);
  output.setUint32(at + 12, l1);
}

const viewOf = (bytes: Bytes): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** One block (RFC 4269 Appendix B has vectors for it). */
export function encryptBlock(key: Bytes, plain: Bytes): Bytes {
  const out = new Uint8Array(BLOCK_BYTES);
  block(schedule(key), viewOf(plain), 0, viewOf(out), false);
  return out;
}

/** SEED-CBC with PKCS#7 padding; `null` when length or padding cannot be right (a wrong key, most often). */
export function decryptCbc(key: Bytes, initial: Bytes, sealed: Bytes): Bytes | null {
  if (sealed.length === 0 || sealed.length % BLOCK_BYTES !== 0) return null;
  const keys = schedule(key);
  const out = new Uint8Array(sealed.length);
  const input = viewOf(sealed);
  const output = viewOf(out);
  for (let at = 0; at < sealed.length; at += BLOCK_BYTES) {
    block(keys, input, at, output, true);
    const before = at === 0 ? initial : sealed.subarray(at - BLOCK_BYTES, at);
    for (let index = 0; index < BLOCK_BYTES; index++) out[at + index] = (out[at + index] ?? 0) ^ (before[index] ?? 0);
  }
  keys.fill(0);
  const padding = out[out.length - 1] ?? 0;
  if (padding < 1 || padding > BLOCK_BYTES || !out.subarray(out.length - padding).every((byte) => byte === padding)) return null;
  const plain = out.slice(0, out.length - padding);
  out.fill(0);
  return plain;
}

/** SEED-CBC with PKCS#7 padding. */
export function encryptCbc(key: Bytes, initial: Bytes, plain: Bytes): Bytes {
  const padding = BLOCK_BYTES - (plain.length % BLOCK_BYTES);
  const out = new Uint8Array(plain.length + padding).fill(padding);
  out.set(plain);
  const keys = schedule(key);
  const view = viewOf(out);
  for (let at = 0; at < out.length; at += BLOCK_BYTES) {
    const before = at === 0 ? initial : out.subarray(at - BLOCK_BYTES, at);
    for (let index = 0; index < BLOCK_BYTES; index++) out[at + index] = (out[at + index] ?? 0) ^ (before[index] ?? 0);
    block(keys, view, at, view, false);
  }
  return out;
}
