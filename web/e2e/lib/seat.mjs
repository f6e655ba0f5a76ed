/** A seat: a browser with a home of its own that trusts the installation's authority, and a passkey device. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';

const run = promisify(execFile);

const WORDS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage',
];

export class Seat {
  /** Opens a browser; `language` is what it prefers, `authorities` whom it trusts besides the installation's. */
  static async open(installation, { language = 'en-US', width = 1440, height = 900, words = [], authorities = [] } = {}) {
    const home = await mkdtemp(join(tmpdir(), 'naru-seat-'));
    const store = join(home, '.pki/nssdb');
    await mkdir(store, { recursive: true });
    await run('certutil', ['-d', `sql:${store}`, '-N', '--empty-password']);
    await run('certutil', ['-d', `sql:${store}`, '-A', '-t', 'C,,', '-n', 'naru', '-i', installation.authority]);
    for (const [index, authority] of authorities.entries()) {
      await run('certutil', ['-d', `sql:${store}`, '-A', '-t', 'C,,', '-n', `other ${index}`, '-i', authority]);
    }
    const browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: [...WORDS, ...words],
      env: { ...process.env, HOME: home },
    });
    const context = await browser.newContext({ locale: language, viewport: { width, height } });
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: installation.origin });
    const page = await context.newPage();
    const seat = new Seat(installation, home, browser, context, page);
    await seat.plugInPasskeyDevice();
    return seat;
  }

  constructor(installation, home, browser, context, page) {
    Object.assign(this, { installation, home, browser, context, page, errors: [] });
    page.on('response', (response) => void this.noteAccount(response).catch(() => undefined));
    page.on('pageerror', (error) => this.errors.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') this.errors.push(message.text());
    });
  }

  /** Remembers which account of the host a ticket is for, to look at its desktop and to remove it at the end. */
  async noteAccount(response) {
    if (!response.url().includes('/api/v1/desktops')) return;
    const ticket = await response.json().then((body) => body?.ticket, () => undefined);
    if (!ticket) return;
    const { account } = JSON.parse(Buffer.from(ticket.split('.')[0], 'base64url').toString());
    this.installation.accounts.add(account);
    this.account = account;
  }

  async plugInPasskeyDevice() {
    this.devtools = await this.context.newCDPSession(this.page);
    await this.devtools.send('WebAuthn.enable');
    const { authenticatorId } = await this.devtools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true,
        isUserVerified: true, automaticPresenceSimulation: true,
      },
    });
    this.authenticatorId = authenticatorId;
  }

  /** Hands the passkeys over to another seat, as a key on a ring would be carried. */
  async handPasskeysTo(other) {
    const { credentials } = await this.devtools.send('WebAuthn.getCredentials', { authenticatorId: this.authenticatorId });
    for (const credential of credentials) {
      await other.devtools.send('WebAuthn.addCredential', { authenticatorId: other.authenticatorId, credential });
    }
    return credentials.length;
  }

  go(path) {
    return this.page.goto(`${this.installation.origin}/#${path}`);
  }

  /** Asks the portal as the page would; gives status and body. */
  ask(method, path, body) {
    return this.page.evaluate(async ([how, where, what]) => {
      const answer = await fetch(where, {
        method: how,
        headers: { 'naru-request': '1', ...(what === undefined ? {} : { 'content-type': 'application/json' }) },
        body: what === undefined ? undefined : JSON.stringify(what),
      });
      const text = await answer.text();
      let parsed = null;
      try {
        parsed = JSON.parse(text);
      } catch {
        // Not every answer is JSON.
      }
      return { status: answer.status, body: parsed, text };
    }, [method, path, body]);
  }

  async close() {
    await this.browser.close();
    await rm(this.home, { recursive: true, force: true });
  }
}
