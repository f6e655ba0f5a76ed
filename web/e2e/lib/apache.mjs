/** Applications that nobody here wrote: Apache from Debian with a configuration of its own, on loopback, behind TLS. */
import { execFile, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { get } from 'node:https';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const PROGRAM = '/usr/sbin/apache2';
const MODULES = '/usr/lib/apache2/modules';
const ALWAYS = [
  'mpm_prefork', 'authn_core', 'authz_core', 'authz_user', 'alias', 'cgi', 'dir', 'env', 'mime', 'setenvif', 'socache_shmcb', 'ssl',
];
const START_MS_MAX = 10_000;

/** Why these cannot run here, if so. */
export function missing(...modules) {
  if (!existsSync(PROGRAM)) return 'apache2 is not installed';
  const without = modules.find((module) => !existsSync(`${MODULES}/mod_${module}.so`));
  return without && `Apache's module ${without} is not installed`;
}

/** A throw-away authority, and a directory for everything that is made with it. */
export class Authority {
  static async make() {
    const directory = await mkdtemp(join(tmpdir(), 'naru-applications-'));
    // Apache gives its rights up; what lies here is nobody's secret.
    await chmod(directory, 0o755);
    const authority = new Authority(directory);
    await run('openssl', [
      'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=Naru test applications',
      '-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign',
      '-keyout', join(directory, 'authority.key'), '-out', authority.certificate,
    ]);
    return authority;
  }

  constructor(directory) {
    this.directory = directory;
    this.certificate = join(directory, 'authority.crt');
  }

  /** A server's key and certificate for one address, as `<name>.key` and `<name>.crt`. */
  async issue(folder, name, address) {
    const [key, request, certificate, extensions] = ['key', 'csr', 'crt', 'ext'].map((kind) => join(folder, `${name}.${kind}`));
    await writeFile(extensions, `subjectAltName=IP:${address}\nextendedKeyUsage=serverAuth\n`);
    await run('openssl', ['req', '-new', '-newkey', 'rsa:2048', '-nodes', '-subj', `/CN=${address}`, '-keyout', key, '-out', request]);
    await run('openssl', [
      'x509', '-req', '-in', request, '-CA', this.certificate, '-CAkey', join(this.directory, 'authority.key'), '-CAcreateserial',
      '-days', '2', '-extfile', extensions, '-out', certificate,
    ]);
    await chmod(key, 0o644);
  }

  remove() {
    return rm(this.directory, { recursive: true, force: true });
  }
}

function freePort(address) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, address, () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** One application: its own address, so that it is another site for the browser than the portal and the other application. */
export class Application {
  static async prepare(authority, name, address) {
    const application = new Application(join(authority.directory, name), address, await freePort(address));
    for (const folder of ['', 'www', 'www/app', 'run']) await mkdir(join(application.directory, folder), { recursive: true });
    await chmod(join(application.directory, 'run'), 0o777);
    await authority.issue(application.directory, 'tls', address);
    return application;
  }

  constructor(directory, address, port) {
    Object.assign(this, { directory, address, port, origin: `https://${address}:${port}` });
  }

  path(name) {
    return join(this.directory, name);
  }

  /** A page that says who the module says is there; `variable` carries the name. */
  async page(title, variable) {
    const script = [
      '#!/bin/sh', "printf 'Content-Type: text/html; charset=utf-8\\nCache-Control: no-store\\n\\n'", 'cat <<PAGE',
      `<!doctype html><html lang="ko"><meta charset="utf-8"><title>${title}</title><body style="font-family:sans-serif;margin:4rem">`,
      `<h1>${title}</h1><p id="who">$${variable}</p><pre>$(env | grep -E '^(OIDC_CLAIM|MELLON)_' | sort)</pre></body></html>`, 'PAGE', '',
    ].join('\n');
    // The last two are entered in ways of their own.
    for (const name of ['who', 'again', 'consent']) {
      await writeFile(this.path(`www/app/${name}`), script);
      await chmod(this.path(`www/app/${name}`), 0o755);
    }
    await writeFile(this.path('www/bye.html'), `<!doctype html><html lang="ko"><title>${title}</title><h1>${title}: 안녕히 가세요</h1></html>`);
  }

  get url() {
    return `${this.origin}/app/who`;
  }

  async start(module, configuration) {
    const { directory } = this;
    const load = [...ALWAYS, module].map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`).join('\n');
    await writeFile(this.path('apache.conf'), `ServerRoot ${directory}
ServerName ${this.address}
PidFile ${directory}/apache.pid
Listen ${this.address}:${this.port}
Mutex file:${directory}/run default
ErrorLog ${directory}/error.log
LogLevel warn
${load}
${process.getuid() === 0 ? 'User www-data\nGroup www-data' : ''}
StartServers 2
MinSpareServers 1
MaxSpareServers 4
MaxRequestWorkers 8
TypesConfig /etc/mime.types
DocumentRoot ${directory}/www
SSLEngine on
SSLCertificateFile ${directory}/tls.crt
SSLCertificateKeyFile ${directory}/tls.key
SSLSessionCache none
<Directory ${directory}/www>
Require all granted
</Directory>
<Directory ${directory}/www/app>
Options +ExecCGI
SetHandler cgi-script
</Directory>
${configuration}
`);
    // Told to end, it tells its whole process group: that must not be the tests'.
    this.process = spawn(PROGRAM, ['-f', this.path('apache.conf'), '-DFOREGROUND'], { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    this.output = '';
    for (const stream of [this.process.stdout, this.process.stderr]) stream.on('data', (text) => (this.output += text));
    this.ended = new Promise((resolve) => this.process.once('exit', resolve));
    const end = Date.now() + START_MS_MAX;
    while (Date.now() < end && this.process.exitCode === null) {
      if (await this.listens()) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`Apache does not start:\n${await this.log()}`);
  }

  /** What it publishes, read as a program would that trusts its authority. */
  async read(path, authority) {
    const ca = await readFile(authority.certificate);
    return new Promise((resolve, reject) => {
      get(`${this.origin}${path}`, { ca }, async (answer) => {
        let text = '';
        for await (const piece of answer.setEncoding('utf8')) text += piece;
        resolve(text);
      }).once('error', reject);
    });
  }

  listens() {
    return new Promise((resolve) => {
      const socket = connect(this.port, this.address, () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('close', () => socket.destroy());
      socket.setTimeout(500, () => socket.destroy());
    });
  }

  async log() {
    return this.output + await readFile(this.path('error.log'), 'utf8').catch(() => '');
  }

  async stop() {
    if (!this.process || this.process.exitCode !== null) return;
    this.process.kill('SIGTERM');
    await this.ended;
  }
}

/** What mod_auth_openidc is told. */
export const openidc = (application, { issuer, authority, id, secret }) => `
OIDCProviderMetadataURL ${issuer}/.well-known/openid-configuration
OIDCClientID ${id}
OIDCClientSecret ${secret}
OIDCRedirectURI ${application.origin}/oidc
OIDCDefaultURL ${application.url}
OIDCCryptoPassphrase ${secret}
OIDCScope "openid profile naru"
OIDCPKCEMethod S256
OIDCCABundlePath ${authority}
OIDCSessionType server-cache
OIDCCacheType shm
OIDCRemoteUserClaim name
<Location /oidc>
AuthType openid-connect
Require valid-user
</Location>
<Location /app>
AuthType openid-connect
Require valid-user
</Location>
<Location /app/again>
OIDCPathAuthRequestParams prompt=login
</Location>
<Location /app/consent>
OIDCPathAuthRequestParams prompt=consent
</Location>
`;

/** What mod_auth_mellon is told; the portal's metadata lies in `idp.xml`, its own key in `sp.key`. */
export const mellon = (application) => `
MellonLockFile ${application.directory}/run/mellon
<Location />
MellonEnable info
MellonEndpointPath /mellon/
MellonSPPrivateKeyFile ${application.directory}/tls.key
MellonSPCertFile ${application.directory}/tls.crt
MellonIdPMetadataFile ${application.directory}/idp.xml
MellonSecureCookie On
MellonCookieSameSite None
MellonSetEnvNoPrefix MELLON_NAME name
MellonSignatureMethod rsa-sha256
</Location>
<Location /app>
MellonEnable auth
Require valid-user
AuthType Mellon
</Location>
`;
