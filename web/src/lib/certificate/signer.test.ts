// @vitest-environment node
import { createHash, createVerify, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Candidate } from './choice';
import { candidatesOf } from './choice';
import { concat, context, expect as take, inside, NULL, OCTET_STRING, oid, sequence, single, unsigned, write } from './der';
import type { CertificateReason } from './failure';
import { CertificateFailure } from './failure';
import type { FixtureName } from './fixtures';
import { file, password } from './fixtures';
import { openKeyFile } from './private-key';
import { encryptCbc } from './seed';
import { unlock } from './signer';

type Bytes = Uint8Array<ArrayBuffer>;
const utf8 = (text: string): Bytes => concat(new TextEncoder().encode(text));
const sha1 = (bytes: Uint8Array): Bytes => Uint8Array.from(createHash('sha1').update(bytes).digest());

/** A key file as GPKI writes it: PBES1 with SEED, and the owner's random number as an attribute of the key. */
function gpkiKeyFile(plain: Bytes, secret: string, old = false): Bytes {
  const parts = inside(single(plain)).slice(0, 3).map((part) => part.whole);
  const random = sequence(oid('1.2.410.200004.10.1.1.3'), write(0x31, write(0x03, Uint8Array.of(0, ...new Uint8Array(20).fill(7)))));
  const withRandom = sequence(...parts, write(context(0), random));
  const salt = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  let derived = sha1(concat(utf8(secret), salt));
  for (let round = 1; round < 2048; round++) derived = sha1(derived);
  const initial = old ? utf8('0123456789012345') : sha1(derived.slice(16, 20)).slice(0, 16);
  const parameters = sequence(write(OCTET_STRING, salt), unsigned(Uint8Array.of(8, 0)));
  const algorithm = sequence(oid(old ? '1.2.410.200004.1.4' : '1.2.410.200004.1.15'), parameters);
  return sequence(algorithm, write(OCTET_STRING, encryptCbc(derived.slice(0, 16), initial, withRandom)));
}

function pair(certificate: Bytes, key: Bytes): Candidate {
  const found = candidatesOf([
    { name: 'a_sig.cer', path: 'a_sig.cer', bytes: certificate },
    { name: 'a_sig.key', path: 'a_sig.key', bytes: key },
  ])[0];
  if (!found) throw new Error('no candidate');
  return found;
}
const pkcs12 = (name: FixtureName): Candidate => {
  const found = candidatesOf([{ name, path: name, bytes: file(name) }])[0];
  if (!found) throw new Error('no candidate');
  return found;
};
async function reasonOf(work: Promise<unknown>): Promise<CertificateReason> {
  const failure = await work.then(() => null, (cause: unknown) => cause);
  if (!(failure instanceof CertificateFailure)) throw new Error(`no certificate failure: ${String(failure)}`);
  return failure.reason;
}

/** Reads our CMS and checks it with node's own cryptography. */
function verify(cms: Bytes, content: Bytes, certificate: Bytes): void {
  const body = inside(take(inside(take(inside(single(cms)), 1, context(0))), 0));
  const encapsulated = inside(take(body, 2));
  const octets = take(inside(take(encapsulated, 1, context(0))), 0);
  expect(octets.tag).toBe(OCTET_STRING); // primitive: a strict reader refuses 0x24
  expect(octets.value).toEqual(content);
  expect(take(inside(take(body, 3, context(0))), 0).whole).toEqual(certificate);
  const signer = inside(take(inside(take(body, 4)), 0));
  const attributes = take(signer, 3, context(0)).whole.slice();
  attributes[0] = 0x31;
  const digest = createHash('sha256').update(content).digest();
  expect(Buffer.from(attributes).includes(digest)).toBe(true);
  const check = createVerify('sha256').update(attributes);
  expect(check.verify(new X509Certificate(certificate).publicKey, take(signer, 5, OCTET_STRING).value)).toBe(true);
}

describe('unlocking and signing', () => {
  const challenge = utf8('{"purpose":"naru-logon"}');
  const at = new Date('2026-11-23T09:00:00Z');
  const keys: [string, Bytes][] = [
    ['PBES1 SEED (GPKI)', gpkiKeyFile(file('sig.plain'), password)],
    ['old PBES1 SEED with the fixed vector', gpkiKeyFile(file('sig.plain'), password, true)],
    ['PBES2 AES-256, HMAC-SHA-256', file('aes256.key')],
    ['PBES2 AES-128, HMAC-SHA-1', file('aes128sha1.key')],
    ['PBES2 SEED, HMAC-SHA-1 (by OpenSSL)', file('seed.key')],
    ['PBES2 SEED, HMAC-SHA-256 (by OpenSSL)', file('seedSha256.key')],
  ];
  it.each(keys)('%s', async (_name, key) => {
    const signer = await unlock(pair(file('sig.cer'), key), password);
    expect(signer.certificate.name).toBe('085홍길동001');
    verify(await signer.sign(challenge, at), challenge, file('sig.cer'));
  });
  it.each(keys)('%s, with a wrong password', async (_name, key) => {
    expect(await reasonOf(unlock(pair(file('sig.cer'), key), 'wrong'))).toBe('wrong_password');
  });
  it('P-256', async () => {
    const signer = await unlock(pair(file('ec.cer'), file('ec.key')), password);
    verify(await signer.sign(challenge, at), challenge, file('ec.cer'));
  });
  it.each(['modern.p12', 'old.p12'] as const)('PKCS#12: %s', async (name) => {
    const signer = await unlock(pkcs12(name), password);
    verify(await signer.sign(challenge, at), challenge, file('sig.cer'));
    expect(await reasonOf(unlock(pkcs12(name), 'wrong'))).toBe('wrong_password');
  });
  it('tells what is wrong', async () => {
    expect(await reasonOf(unlock(pair(file('sig.cer'), file('other.key')), password))).toBe('other_key');
    expect(await reasonOf(unlock(pair(file('ec.cer'), file('other.key')), password))).toBe('other_key');
    expect(await reasonOf(unlock(pair(file('weak.cer'), file('weak.key')), password))).toBe('unsupported_key');
    expect(await reasonOf(unlock(pair(file('sig.cer'), file('aria.key')), password))).toBe('unsupported_cipher');
  });
  it('leaves the owner’s random number behind', async () => {
    const opened = await openKeyFile(gpkiKeyFile(file('sig.plain'), password), utf8(password));
    expect(inside(single(opened)).length).toBe(3);
    expect(opened).toEqual(file('sig.plain'));
  });
  it('never accepts one of 300 wrong passwords', async () => {
    const key = gpkiKeyFile(file('sig.plain'), password);
    // Only the last byte differs each time; about one in 256 comes out with right padding.
    const fast = inside(single(key));
    const algorithm = sequence(oid('1.2.410.200004.1.15'), sequence(write(OCTET_STRING, Uint8Array.of(1)), unsigned(Uint8Array.of(1))));
    const quick = sequence(algorithm, take(fast, 1).whole);
    for (let index = 0; index < 300; index++) {
      expect(await reasonOf(openKeyFile(quick, utf8(`wrong ${index}`)))).toBe('wrong_password');
    }
  });
});

describe('sorting what was picked', () => {
  const picked = (...names: [string, Bytes][]): Candidate[] => candidatesOf(names.map(([path, bytes]) => ({ name: path.split('/').at(-1) ?? '', path, bytes })));
  const failing = (...names: [string, Bytes][]): CertificateReason => {
    try {
      picked(...names);
    } catch (cause) {
      if (cause instanceof CertificateFailure) return cause.reason;
    }
    throw new Error('it was accepted');
  };
  it('finds the pair in a folder and leaves encryption certificates out', () => {
    const found = picked(
      ['GPKI/085홍길동001_env.cer', file('env.cer')],
      ['GPKI/085홍길동001_env.key', file('other.key')],
      ['GPKI/085홍길동001_sig.cer', file('sig.cer')],
      ['GPKI/085홍길동001_sig.key', file('aes256.key')],
    );
    expect(found).toHaveLength(1);
    expect(found[0]?.files).toEqual(['085홍길동001_sig.cer', '085홍길동001_sig.key']);
  });
  it('pairs the NPKI names, folder by folder', () => {
    const found = picked(
      ['a/signCert.der', file('sig.cer')], ['a/signPri.key', file('aes256.key')],
      ['b/signCert.der', file('other.cer')], ['b/signPri.key', file('other.key')],
    );
    expect(found.map((candidate) => candidate.key?.length)).toEqual([file('aes256.key').length, file('other.key').length]);
  });
  it('asks for the file that is missing', () => {
    expect(picked(['x_sig.cer', file('sig.cer')])[0]?.missing).toEqual({ what: 'key', name: 'x_sig.key' });
    expect(picked(['signPri.key', file('aes256.key')])[0]?.missing).toEqual({ what: 'certificate', name: 'signCert.der' });
  });
  it('names what was picked wrongly', () => {
    expect(failing(['x_env.cer', file('env.cer')])).toBe('encryption_certificate');
    expect(failing(['photo.png', utf8('\u0089PNG')])).toBe('wrong_file');
    expect(failing(['x_sig.cer', file('sig.cer').slice(0, 300)])).toBe('damaged');
    expect(failing(['x_sig.cer', new Uint8Array(300_000)])).toBe('too_large');
  });
  it('survives a certificate cut at every byte', () => {
    const whole = file('sig.cer');
    for (let length = 0; length < whole.length; length++) {
      expect(['damaged', 'wrong_file']).toContain(failing(['x_sig.cer', whole.slice(0, length)]));
    }
  });
  it('reads PEM', () => {
    const pem = `-----BEGIN CERTIFICATE-----\n${Buffer.from(file('sig.cer')).toString('base64')}\n-----END CERTIFICATE-----\n`;
    expect(picked(['x.pem', utf8(pem)])[0]?.certificate?.name).toBe('085홍길동001');
  });
});

it('writes DER that has no nonsense in it', () => {
  expect(write(NULL)).toEqual(Uint8Array.of(5, 0));
});
