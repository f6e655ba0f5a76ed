/** Makes src/lib/certificate/fixtures.json with OpenSSL (an implementation other than ours): `node dev/fixtures.mjs`. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const at = mkdtempSync(join(tmpdir(), 'naru-fixtures-'));
const openssl = (...words) => execFileSync('openssl', words, { cwd: at, stdio: ['ignore', 'pipe', 'inherit'] });
const read = (name) => readFileSync(join(at, name)).toString('base64');
const subject = '/C=KR/O=Government of Korea/OU=행정안전부/OU=people/CN=085홍길동001';
const make = (name, usage, algorithm) => {
  openssl('req', '-x509', '-utf8', '-newkey', ...algorithm, '-nodes', '-keyout', `${name}.pem`, '-out', `${name}.cer`, '-outform', 'DER', '-subj', subject, '-days', '36500', '-addext', `keyUsage=critical,${usage}`);
  openssl('x509', '-inform', 'DER', '-in', `${name}.cer`, '-out', `${name}.crt`);
  openssl('pkcs8', '-topk8', '-nocrypt', '-in', `${name}.pem`, '-outform', 'DER', '-out', `${name}.plain`);
};
make('sig', 'digitalSignature,nonRepudiation', ['rsa:2048']);
make('other', 'digitalSignature', ['rsa:2048']);
make('env', 'keyEncipherment', ['rsa:2048']);
make('weak', 'digitalSignature', ['rsa:1024']);
make('ec', 'digitalSignature', ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256']);
const lock = (out, from, ...how) => openssl('pkcs8', '-topk8', '-in', `${from}.pem`, '-outform', 'DER', '-out', out, '-passout', 'pass:naru-Test1!', ...how);
lock('aes256.key', 'sig', '-v2', 'aes-256-cbc', '-v2prf', 'hmacWithSHA256');
lock('aes128sha1.key', 'sig', '-v2', 'aes-128-cbc', '-v2prf', 'hmacWithSHA1');
lock('seed.key', 'sig', '-v2', 'seed-cbc', '-v2prf', 'hmacWithSHA1', '-provider', 'legacy', '-provider', 'default');
lock('seedSha256.key', 'sig', '-v2', 'seed-cbc', '-v2prf', 'hmacWithSHA256', '-provider', 'legacy', '-provider', 'default');
lock('aria.key', 'sig', '-v2', 'aria-128-cbc');
lock('other.key', 'other', '-v2', 'aes-256-cbc');
lock('weak.key', 'weak', '-v2', 'aes-256-cbc');
lock('ec.key', 'ec', '-v2', 'aes-256-cbc');
const wrap = (out, ...how) => openssl('pkcs12', '-export', '-inkey', 'sig.pem', '-in', 'sig.crt', '-out', out, '-passout', 'pass:naru-Test1!', ...how);
wrap('modern.p12');
wrap('old.p12', '-legacy', '-descert');

const names = ['sig.cer', 'sig.plain', 'other.cer', 'env.cer', 'weak.cer', 'ec.cer', 'aes256.key', 'aes128sha1.key', 'seed.key', 'seedSha256.key', 'aria.key', 'other.key', 'weak.key', 'ec.key', 'modern.p12', 'old.p12'];
const out = fileURLToPath(new URL('../src/lib/certificate/fixtures.json', import.meta.url));
writeFileSync(out, `${JSON.stringify({ password: 'naru-Test1!', files: Object.fromEntries(names.map((name) => [name, read(name)])) }, null, 1)}\n`);
rmSync(at, { recursive: true });
