/**
 * One log-on, as the README promises: an OpenID Connect application, a SAML application and a desktop open without a second
 * prompt, and logging off the portal logs out of all of them. The applications are Debian's own modules for Apache, each a site of
 * its own for the browser.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { Application, Authority, mellon, missing, openidc } from './lib/apache.mjs';
import { assertAccessible } from './lib/axe.mjs';
import { firstPicture, until } from './lib/desktop.mjs';
import { Installation } from './lib/installation.mjs';
import { logOnFirst } from './lib/logon.mjs';
import { figure, screenshot, skip } from './lib/report.mjs';
import { Seat } from './lib/seat.mjs';

const WORKER = '홍길동';
const ADMINISTRATOR = '김관리';
const PATIENCE_MS = 15_000;
const LOGGED_OUT_WITHIN_MS = 5_000;
const why = missing('auth_openidc', 'auth_mellon');
if (why) skip('one log-on', why);

const form = (ko, en, icon, protocol) => ({
  name: { ko, en }, description: { ko: `${ko} 시험용`, en: `${en}, for a test` }, group: { ko: '행정', en: 'Administration' }, icon: { name: icon },
  label: 'S', audience: { kind: 'ministry' }, state: 'active', protocol,
});

describe('one log-on', { concurrency: 1, skip: why }, () => {
  let authority;
  let installation;
  let personnel;
  let mail;
  let seat;
  let administrator;
  /** What the browser asked the portal about logging on. */
  const asked = [];
  const proofs = () => asked.filter((path) => /\/logon\/(?:certificate|totp|passkey\/finish|enrol\/\w+\/finish|step-up\/.+)$/u.test(path));

  async function register(what) {
    const made = await administrator.ask('POST', '/api/v1/applications', what);
    assert.ok(made.status < 300, made.text);
    return made.body.id;
  }

  /** Opens a tile of the portal; the window it opens beside. */
  async function tile(name) {
    const [beside] = await Promise.all([
      seat.context.waitForEvent('page'),
      seat.page.getByRole('button', { name: new RegExp(`^${name}`, 'u') }).first().click(),
    ]);
    return beside;
  }

  /** Whether an application still lets the browser in, asked in a window of its own. */
  async function isIn(url) {
    const page = await seat.context.newPage();
    try {
      await page.goto(url);
      await page.waitForURL((now) => now.href === url || now.hash.startsWith('#/sso/'));
      if (page.url() !== url) await page.getByRole('heading', { name: /^Log on to enter/u }).waitFor();
      return page.url() === url;
    } finally {
      await page.close();
    }
  }

  before(async () => {
    authority = await Authority.make();
    installation = await Installation.start({ variables: { NARU__PORTAL__TRUSTED_ROOTS: JSON.stringify([authority.certificate]) } });
    personnel = await Application.prepare(authority, 'personnel', '127.0.0.1');
    mail = await Application.prepare(authority, 'mail', '127.0.0.2');
    administrator = await Seat.open(installation, { authorities: [authority.certificate] });
    await logOnFirst(administrator, installation.person(ADMINISTRATOR));

    const id = await register(form('인사정보', 'Personnel', 'people', {
      kind: 'oidc', redirect_uris: [`${personnel.origin}/oidc`], initiate_login_uri: `${personnel.origin}/oidc`,
      backchannel_logout_uri: `${personnel.origin}/oidc?logout=backchannel`, pkce_required: true,
    }));
    const { body: { secret } } = await administrator.ask('POST', `/api/v1/applications/${id}/secret`);
    await personnel.page('인사정보', 'OIDC_CLAIM_name');
    // As whoever runs it would: the portal's authority is what it trusts.
    await writeFile(personnel.path('portal.crt'), await installation.authorityText());
    await personnel.start('auth_openidc', openidc(personnel, { issuer: installation.origin, authority: personnel.path('portal.crt'), id, secret }));

    const metadata = await administrator.ask('GET', '/sso/saml/metadata');
    await writeFile(mail.path('idp.xml'), metadata.text);
    await mail.page('공직메일', 'MELLON_NAME');
    await mail.start('auth_mellon', mellon(mail));
    const xml = await mail.read('/mellon/metadata', authority);
    const read = await administrator.ask('POST', '/api/v1/applications/read-metadata', { xml });
    assert.equal(read.status, 200, read.text);
    await register(form('공직메일', 'Mail', 'mail', {
      kind: 'saml', ...read.body, allows_unasked: true, relay_state: mail.url, attributes: [{ name: 'name', source: 'name' }],
    }));
    await register(form('업무 데스크톱', 'Work desktop', 'monitor', { kind: 'desktop', zone: 'business', protocol: 'rfb' }));

    seat = await Seat.open(installation, { authorities: [authority.certificate] });
    seat.context.setDefaultTimeout(PATIENCE_MS);
    seat.context.on('request', (request) => {
      const { origin, pathname } = new URL(request.url());
      if (origin === installation.origin && request.method() === 'POST') asked.push(pathname);
    });
  });

  after(async () => {
    for (const open of [seat, administrator]) await open?.close();
    for (const application of [personnel, mail]) await application?.stop();
    await installation?.stop();
    await authority?.remove();
  });

  it('begins at the OpenID Connect application, whose name the log-on says, and ends in it', async (test) => {
    const { page } = seat;
    const person = installation.person(WORKER);
    await page.goto(personnel.url);
    await page.getByRole('heading', { name: 'Log on to enter 인사정보' }).waitFor();
    await assertAccessible(page, 'the log-on for an application');
    await screenshot(page, 'sign-on-1-log-on');
    // Coming from another site the page has a new process, which knows nothing of the device plugged into the one before.
    await seat.plugInPasskeyDevice();
    await page.getByTestId('certificate-files').setInputFiles([person.certificate, person.key]);
    await page.getByLabel('Certificate password').fill(person.password);
    await page.getByRole('button', { name: 'Log on', exact: true }).click();
    await page.getByLabel('Activation code').fill(person.code);
    await page.getByRole('button', { name: 'Check code' }).click();
    const began = Date.now();
    await page.getByRole('button', { name: 'Create passkey' }).click();
    await page.waitForURL(personnel.url);
    figure(test, 'last factor to the OpenID Connect application', Date.now() - began, 'ms');
    assert.equal(await page.locator('#who').textContent(), WORKER, await personnel.log());
    await screenshot(page, 'sign-on-2-openid-connect');
    assert.equal(proofs().length, 2, asked.join(' '));
  });

  it('opens the portal with its tiles', async () => {
    const { page } = seat;
    await seat.go('/portal');
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.getByRole('button', { name: /^(?:공직메일|Mail)/u }).first().waitFor();
    await assertAccessible(page, 'the portal');
    await screenshot(page, 'sign-on-3-portal', { fullPage: true });
  });

  it('opens the SAML application from its tile, without a prompt', async (test) => {
    const before = proofs().length;
    const began = Date.now();
    const beside = await tile('(?:공직메일|Mail)');
    await beside.waitForURL(mail.url);
    figure(test, 'click on a tile to the SAML application', Date.now() - began, 'ms');
    assert.equal(await beside.locator('#who').textContent(), WORKER, await mail.log());
    await screenshot(beside, 'sign-on-4-saml');
    assert.equal(proofs().length, before);
    await beside.close();
  });

  it('signs on to the SAML application from its own address too', async () => {
    await seat.context.clearCookies({ domain: mail.address });
    const page = await seat.context.newPage();
    await page.goto(mail.url);
    await page.waitForURL(mail.url);
    assert.equal(await page.locator('#who').textContent(), WORKER);
    await page.close();
  });

  it('opens the OpenID Connect application from its tile after its own session is gone, without a prompt', async (test) => {
    await seat.context.clearCookies({ domain: personnel.address });
    const before = proofs().length;
    const began = Date.now();
    const beside = await tile('(?:인사정보|Personnel)');
    await beside.waitForURL(personnel.url);
    figure(test, 'click on a tile to the OpenID Connect application', Date.now() - began, 'ms');
    assert.equal(await beside.locator('#who').textContent(), WORKER);
    assert.equal(proofs().length, before);
    await beside.close();
  });

  it('opens the desktop from its tile, without a prompt', async (test) => {
    const before = proofs().length;
    const desktop = await seat.context.newPage();
    desktop.on('response', (response) => void seat.noteAccount(response).catch(() => undefined));
    await desktop.goto(`${installation.origin}/#/portal`);
    const began = Date.now();
    await desktop.getByRole('button', { name: /^(?:업무 데스크톱|Work desktop)/u }).first().click();
    await firstPicture(desktop);
    figure(test, 'click on a tile to the first picture of the desktop', Date.now() - began, 'ms');
    await screenshot(desktop, 'sign-on-5-desktop');
    assert.equal(proofs().length, before);
    seat.desktop = desktop;
  });

  it('shows in the person\'s own page which applications know about them', async () => {
    const { page } = seat;
    await seat.go('/me');
    await page.getByRole('heading', { name: 'Applications that know about you' }).waitFor();
    await page.waitForLoadState('networkidle');
    await assertAccessible(page, 'my account');
    await screenshot(page, 'sign-on-6-me', { fullPage: true });
  });

  it('logs out of all of them when the person logs off the portal', async (test) => {
    const { page } = seat;
    assert.equal(await isIn(personnel.url), true);
    assert.equal(await isIn(mail.url), true);
    await page.bringToFront();
    const began = Date.now();
    await page.getByRole('button', { name: 'Log off' }).first().click();
    await page.getByText('You are logged off').first().waitFor();
    await screenshot(page, 'sign-on-7-logged-off');
    for (const [name, application] of [['OpenID Connect', personnel], ['SAML', mail]]) {
      await until(async () => !(await isIn(application.url)), `${name} is logged out`, LOGGED_OUT_WITHIN_MS);
      figure(test, `log-off to logged out of the ${name} application, as seen by asking`, Date.now() - began, 'ms');
    }
    await seat.desktop.locator('.closed, [data-testid=certificate-files]').first().waitFor({ state: 'attached', timeout: LOGGED_OUT_WITHIN_MS });
    await screenshot(seat.desktop, 'sign-on-8-desktop-closed');
    await page.goto(personnel.url);
    await page.getByRole('heading', { name: 'Log on to enter 인사정보' }).waitFor();
    await screenshot(page, 'sign-on-9-log-on-again');
  });

  it('says what to do when a sign-on is over', async () => {
    const { page } = seat;
    await seat.go('/sso/0000000000000000000000000000000000000000000');
    await page.getByRole('heading', { name: 'The sign-on cannot go on' }).waitFor();
    await assertAccessible(page, 'an expired sign-on');
    await screenshot(page, 'sign-on-10-expired');
  });

  it('keeps a record of all of it that verifies', async () => {
    const { code, text } = await installation.command('audit', 'verify');
    assert.equal(code, 0, text);
  });
});
