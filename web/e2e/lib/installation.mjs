/** A real `naru up --demo` of its own: free ports, its own state, gone at the end. */
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const READY_MS_MAX = 60_000;
const STOP_MS_MAX = 30_000;

/** The program under test. */
export const program = process.env.NARU_PROGRAM ?? new URL('../../../target/debug/naru', import.meta.url).pathname;

async function freePorts(count) {
  const servers = await Promise.all(
    Array.from({ length: count }, () => new Promise((resolve, reject) => {
      const server = createServer();
      server.once('error', reject);
      server.listen(0, '127.0.0.1', () => resolve(server));
    })),
  );
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** What `naru up --demo` tells the person who started it, read as that person would. */
export function readWelcome(text) {
  const line = (pattern) => text.match(pattern)?.[1];
  const people = [...text.matchAll(
    /^ {2}(\S+) · (\S+) · (.+)\n +certificate +(.+)\n +key +(.+)\n(?: +activation code +(\S+))?/gmu,
  )].map(([, name, ministry, roles, certificate, key, code]) => ({ name, ministry, roles: roles.split(', '), certificate, key, code }));
  const password = line(/password of all keys is (\S+)/u);
  return {
    origin: line(/^ +Portal +(\S+)/mu),
    authority: line(/^ +Authority +(\S+)/mu),
    people: people.map((person) => ({ ...person, password })),
  };
}

export class Installation {
  /** Starts it and waits for its welcome. */
  static async start({ variables = {}, words = [] } = {}) {
    const directory = await mkdtemp(join(tmpdir(), 'naru-e2e-'));
    const installation = new Installation(directory, await freePorts(6), variables, words);
    await installation.run();
    return installation;
  }

  /** One that somebody else started and keeps running, by what it told them; nothing of it is stopped or removed. */
  static async told(welcome) {
    const installation = Object.create(Installation.prototype);
    Object.assign(installation, readWelcome(await readFile(welcome, 'utf8')), { accounts: new Set(), stop: async () => 0 });
    if (!installation.origin || installation.people.length === 0) throw new Error(`no welcome can be read in ${welcome}`);
    return installation;
  }

  constructor(directory, ports, variables, words) {
    const [portal, fleet, gateway, agent, operation, rdp] = ports;
    this.directory = directory;
    this.operation = operation;
    this.agent = agent;
    this.words = words;
    this.output = '';
    /** Accounts of this host that our tickets named. */
    this.accounts = new Set();
    this.environment = {
      ...process.env,
      NARU_STATE: join(directory, 'state'),
      NARU__PORTAL__LISTEN: `127.0.0.1:${portal}`,
      NARU__PORTAL__PORT: String(portal),
      NARU__PORTAL__FLEET_LISTEN: `127.0.0.1:${fleet}`,
      NARU__NODE__PORTAL: `localhost:${fleet}`,
      NARU__GATEWAY__LISTEN: `127.0.0.1:${gateway}`,
      NARU__GATEWAY__PUBLIC_URL: `wss://localhost:${gateway}`,
      NARU__AGENT__LISTEN: `127.0.0.1:${agent}`,
      NARU__AGENT__KEEP_SESSIONS: 'false',
      NARU__AGENT__RDP__PORT: String(rdp),
      NARU__OPERATION__LISTEN: `127.0.0.1:${operation}`,
      RUST_BACKTRACE: '0',
      ...variables,
    };
  }

  async run() {
    this.process = spawn(program, ['up', '--demo', ...this.words], {
      env: this.environment,
      cwd: this.directory,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.ended = new Promise((resolve) => this.process.once('exit', (code, signal) => resolve(code ?? signal)));
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text) => (this.output += text));
    }
    await this.untilReady();
    Object.assign(this, readWelcome(this.output));
    if (!this.origin || this.people.length === 0) throw new Error(`the welcome cannot be read:\n${this.output}`);
  }

  async untilReady() {
    const until = Date.now() + READY_MS_MAX;
    while (Date.now() < until) {
      const ready = await fetch(`http://127.0.0.1:${this.operation}/readyz`).then((answer) => answer.ok, () => false);
      if (ready) return;
      const gone = await Promise.race([this.ended, new Promise((resolve) => setTimeout(resolve, 100))]);
      if (gone !== undefined) throw new Error(`naru up ended with ${gone}:\n${this.output}`);
    }
    throw new Error(`naru up was not ready in time:\n${this.output}`);
  }

  /** The first person with this role whom nobody else is waiting for. */
  person(name) {
    const person = this.people.find((candidate) => candidate.name === name);
    if (!person) throw new Error(`there is no ${name} in the welcome`);
    return person;
  }

  /** Runs another command of the same program on the same installation; gives what it printed. */
  async command(...words) {
    const child = spawn(program, words, { env: this.environment, cwd: this.directory });
    let text = '';
    child.stdout.on('data', (chunk) => (text += chunk));
    child.stderr.on('data', (chunk) => (text += chunk));
    const code = await new Promise((resolve) => child.once('exit', resolve));
    return { code, text };
  }

  async metric(name) {
    const text = await fetch(`http://127.0.0.1:${this.operation}/metrics`).then((answer) => answer.text());
    const line = text.split('\n').find((candidate) => candidate.startsWith(name));
    return line === undefined ? undefined : Number(line.split(' ').at(-1));
  }

  authorityText() {
    return readFile(this.authority, 'utf8');
  }

  /** Stops it as a service manager would; kills it if it does not listen. */
  async stop() {
    this.process.kill('SIGTERM');
    const late = setTimeout(() => this.process.kill('SIGKILL'), STOP_MS_MAX);
    const code = await this.ended;
    clearTimeout(late);
    if (process.getuid() === 0) {
      for (const account of this.accounts) {
        if (!/^naru-[a-z0-9_-]+$/u.test(account)) continue;
        await run('pkill', ['-KILL', '-u', account]).catch(() => undefined);
        await run('userdel', ['--remove', account]).catch(() => undefined);
      }
    }
    await rm(this.directory, { recursive: true, force: true });
    // The sockets of its desktops lay here; the port was ours alone.
    await rm(`/run/naru/agent-${this.agent}`, { recursive: true, force: true });
    return code;
  }
}
