/**
 * One log-on, as the README promises: an OpenID Connect application, a SAML application and a desktop open without a second
 * prompt, and logging off the portal logs out of all of them. The applications are Debian's own modules for Apache, each a site of
 * its own for the browser.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { request as https } from 'node:https';
import { after, before, describe, it } from 'node:test';
import { Application, Authority, mellon, missing, openidc } from './lib/apache.mjs';
import { assertAccessible } from './lib/axe.mjs';
import { firstPicture, until } from './lib/desktop.mjs';
import { Installation } from './lib/installation.mjs';
import { logOnFirst } from './lib/logon.mjs';
import { figure, screenshot, skip } from './lib/report.mjs';
import { Seat } from './lib/seat.mjs';
import { Totp } from './lib/totp.mjs';

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
  let totp;
  /** What the browser asked the portal about logging on. */
  const asked = [];
  const proofs = () => asked.filter((path) => /\/logon\/(?:certificate|totp|passkey\/finish|enrol\/\w+\/finish|step-up\/.+)$/u.test(path));

  async function register(what) {
    const made = await administrator.ask('POST', '/api/v1/applications', what);
    assert.ok(made.status < 300, made.text);
    return made.body.id;
  }

  /** Asks the portal as a program would, without cookies. */
  async function asMachine(path, fields) {
    const ca = await installation.authorityText();
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      const asking = https(`${installation.origin}${path}`, { method: 'POST', ca, headers }, async (answer) => {
        let text = '';
        for await (const piece of answer.setEncoding('utf8')) text += piece;
        resolve({ status: answer.statusCode, text, body: JSON.parse(text) });
      });
      asking.once('error', reject).end(new URLSearchParams(fields).toString());
    });
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
      post_logout_redirect_uris: [`${personnel.origin}/bye.html`],
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

  it('takes an authenticator app, from the person\'s own page', async () => {
    const started = await seat.ask('POST', '/api/v1/logon/enrol/totp/start');
    assert.equal(started.status, 200, started.text);
    totp = new Totp(started.body.secret);
    const taken = await seat.ask('POST', '/api/v1/logon/enrol/totp/finish', { code: await totp.digits() });
    assert.equal(taken.status, 200, taken.text);
  });

  it('asks for the factor again when the application wants to know who is there', async () => {
    await seat.context.clearCookies({ domain: personnel.address });
    const page = await seat.context.newPage();
    await page.goto(`${personnel.origin}/app/again`);
    await page.getByRole('heading', { name: 'Confirm it is you' }).waitFor();
    await page.getByText('This application asks you to confirm it is you each time you enter.').waitFor();
    await assertAccessible(page, 'a step up');
    await screenshot(page, 'sign-on-11-step-up');
    await page.getByRole('button', { name: /authenticator|number/iu }).first().click();
    await page.getByLabel(/6-digit|number/iu).first().fill(await totp.digits());
    await page.keyboard.press('Enter');
    await page.waitForURL(`${personnel.origin}/app/again`);
    assert.equal(await page.locator('#who').textContent(), WORKER);
    await page.close();
  });

  it('asks for consent in words, and goes on with it', async () => {
    await seat.context.clearCookies({ domain: personnel.address });
    const page = await seat.context.newPage();
    await page.goto(`${personnel.origin}/app/consent`);
    await page.getByRole('heading', { name: /^Let .+ know about you\?$/u }).waitFor();
    assert.equal(await page.getByRole('list', { name: 'What it will know' }).getByRole('listitem').count(), 3);
    await page.getByText('Your ministry, unit and roles').waitFor();
    await assertAccessible(page, 'a consent');
    await screenshot(page, 'sign-on-12-consent');
    await page.getByRole('button', { name: 'Agree and enter' }).click();
    await page.waitForURL(`${personnel.origin}/app/consent`);
    assert.equal(await page.locator('#who').textContent(), WORKER);
    await page.close();
  });

  it('says which rule forbids it, what to do and whom to ask, and the way back', async () => {
    const closed = await register(form('비밀 대장', 'Secret ledger', 'folder', { kind: 'oidc', redirect_uris: [`${personnel.origin}/bye.html`] }));
    const rule = await administrator.ask('POST', '/api/v1/policies', {
      name: { ko: '비밀 대장은 아무도 열지 않습니다', en: 'Nobody opens the secret ledger' },
      text: `forbid (principal, action == Action::"open", resource == Application::"${closed}");`,
    });
    assert.ok(rule.status < 300, rule.text);
    const page = await seat.context.newPage();
    await page.goto(`${installation.origin}/sso/authorize?${new URLSearchParams({
      client_id: closed, redirect_uri: `${personnel.origin}/bye.html`, response_type: 'code', scope: 'openid', state: 'kept', nonce: 'n',
    })}`);
    await page.getByRole('heading', { name: /^You cannot enter .+ now$/u }).waitFor();
    await page.getByText('Nobody opens the secret ledger').waitFor();
    await page.getByText(/^The ministry administrator of/u).waitFor();
    await assertAccessible(page, 'a refusal');
    await screenshot(page, 'sign-on-13-denied');
    await page.getByRole('button', { name: 'Back to the application' }).click();
    await page.waitForURL((url) => url.origin === personnel.origin && url.searchParams.get('error') === 'access_denied');
    assert.equal(new URL(page.url()).searchParams.get('state'), 'kept');
    await page.close();
  });

  it('connects a device by the code it shows', async () => {
    const kiosk = await register(form('센터 키오스크', 'Centre kiosk', 'monitor', {
      kind: 'oidc', redirect_uris: [], client_proof: 'none', grant_types: ['device_code'], scopes: ['openid', 'profile'],
    }));
    const begun = await asMachine('/sso/device', { client_id: kiosk, scope: 'openid profile' });
    assert.equal(begun.status, 200, begun.text);
    const page = await seat.context.newPage();
    await page.goto(begun.body.verification_uri_complete);
    await page.getByRole('heading', { name: /waits to be connected$/u }).waitFor();
    await page.getByText(begun.body.user_code).waitFor();
    await assertAccessible(page, 'a device');
    await screenshot(page, 'sign-on-14-device');
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.getByText('The device is connected').waitFor();
    const given = await asMachine('/sso/token', {
      client_id: kiosk, grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: begun.body.device_code,
    });
    assert.equal(given.status, 200, given.text);
    assert.ok(given.body.access_token);
    await page.close();
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

  it('logs off the portal when the person logs out of an application, and goes back to it', async () => {
    const { page } = seat;
    const person = installation.person(WORKER);
    await page.getByTestId('certificate-files').setInputFiles([person.certificate, person.key]);
    await page.getByLabel('Certificate password').fill(person.password);
    await page.getByRole('button', { name: 'Log on', exact: true }).click();
    await page.getByRole('button', { name: /authenticator|number/iu }).first().click();
    await page.getByLabel(/6-digit|number/iu).first().fill(await totp.digits());
    await page.keyboard.press('Enter');
    await page.waitForURL(personnel.url, { timeout: 45_000 });
    await page.goto(`${personnel.origin}/oidc?logout=${encodeURIComponent(`${personnel.origin}/bye.html`)}`);
    await page.waitForURL((url) => url.href.startsWith(`${personnel.origin}/bye.html`));
    await screenshot(page, 'sign-on-15-logged-out-by-the-application');
    await seat.go('/home');
    await page.getByTestId('certificate-files').waitFor({ state: 'attached' });
    assert.equal((await seat.ask('GET', '/api/v1/me')).status, 401);
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
