/** An authenticator app (RFC 6238, SHA-1, 30 seconds, six digits). */
import { createHmac } from 'node:crypto';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const STEP_MS = 30_000;

function fromBase32(text) {
  let bits = '';
  for (const letter of text.replace(/=+$/u, '')) bits += ALPHABET.indexOf(letter).toString(2).padStart(5, '0');
  return Buffer.from(bits.match(/.{8}/gu).map((byte) => Number.parseInt(byte, 2)));
}

export class Totp {
  constructor(secret) {
    this.key = fromBase32(secret);
    this.last = 0;
  }

  /** Digits nobody has used: the portal takes those of the next half minute too, and none twice. */
  async digits() {
    const now = () => Math.floor(Date.now() / STEP_MS);
    const step = Math.max(now(), this.last + 1);
    while (step > now() + 1) await new Promise((resolve) => setTimeout(resolve, 250));
    this.last = step;
    const counter = Buffer.alloc(8);
    counter.writeBigUInt64BE(BigInt(step));
    const hash = createHmac('sha1', this.key).update(counter).digest();
    const at = hash[19] & 15;
    return String((hash.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0');
  }
}
