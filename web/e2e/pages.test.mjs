/** Every page: no violation axe can find, in both languages, at both widths; a picture of each is kept. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { assertAccessible } from './lib/axe.mjs';
import { openDesktop, showTools, still } from './lib/desktop.mjs';
import { Installation } from './lib/installation.mjs';
import { logOnFirst, showCertificate } from './lib/logon.mjs';
import { screenshot } from './lib/report.mjs';
import { Seat } from './lib/seat.mjs';

const SIZES = [[1440, 900], [390, 844]];
const LANGUAGES = ['ko', 'en'];
const THEMES = ['light', 'dark', 'contrast'];

describe('every page', { concurrency: 1 }, () => {
  let installation;
  const seats = {};

  before(async () => {
    installation = await Installation.start({ words: [] });
    for (const [key, name] of [['worker', '홍길동'], ['administrator', '김관리'], ['operator', '이운영'], ['auditor', '박감사']]) {
      seats[key] = await Seat.open(installation);
      await logOnFirst(seats[key], installation.person(name));
    }
    seats.anyone = await Seat.open(installation);
  });

  after(async () => {
    for (const seat of Object.values(seats)) await seat.close();
    await installation?.stop();
  });

  async function look(seat, path, name) {
    const { page } = seat;
    for (const language of LANGUAGES) {
      await page.evaluate((code) => localStorage.setItem('naru.language', code), language);
      for (const [width, height] of SIZES) {
        await page.setViewportSize({ width, height });
        await page.goto(`${installation.origin}/?at=${name}-${language}-${width}#${path}`);
        await page.locator('main h1').first().waitFor();
        await page.waitForLoadState('networkidle');
        assert.equal(await page.evaluate(() => document.documentElement.lang), language);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        assert.ok(overflow <= 1, `${name} at ${width} is ${overflow} px too wide`);
        await screenshot(page, `${name}-${language}-${width}`, { fullPage: true });
        await assertAccessible(page, `${name} in ${language} at ${width}`);
      }
    }
  }

  for (const [key, path, name] of [
    ['anyone', '/logon', 'page-logon'], ['anyone', '/help', 'page-help'], ['worker', '/home', 'page-home'],
    ['worker', '/me', 'page-me'], ['worker', '/portal', 'page-portal'], ['worker', '/device', 'page-device'],
    ['worker', '/sso/none', 'page-sso-over'], ['administrator', '/people', 'page-people'],
    ['administrator', '/people/import', 'page-import'], ['administrator', '/admin', 'page-admin'],
    ['administrator', '/rules', 'page-rules'], ['administrator', '/rules/new', 'page-rule-new'],
    ['administrator', '/rules/try', 'page-rules-try'], ['administrator', '/grants', 'page-grants'],
    ['administrator', '/ministry', 'page-ministry'], ['administrator', '/groups', 'page-groups'], ['operator', '/hosts', 'page-hosts'],
    ['auditor', '/audit', 'page-audit'], ['worker', '/nowhere', 'page-missing'],
  ]) {
    it(`${path} is accessible`, async () => {
      if (key === 'anyone') await seats[key].go(path);
      await look(seats[key], path, name);
    });
  }

  it('one person\'s page is accessible', async () => {
    const people = await seats.administrator.ask('GET', '/api/v1/people');
    await look(seats.administrator, `/people/${people.body.items[0].id}`, 'page-person');
  });

  it('the second factor is accessible while one enrols', async () => {
    await seats.anyone.page.evaluate(() => localStorage.setItem('naru.language', 'en'));
    await seats.anyone.page.setViewportSize({ width: 1440, height: 900 });
    const person = installation.person('성춘향');
    await showCertificate(seats.anyone, person);
    await seats.anyone.page.getByLabel('Activation code').waitFor();
    await assertAccessible(seats.anyone.page, 'activation');
    await screenshot(seats.anyone.page, 'page-activation-en-1440');
    await seats.anyone.page.getByLabel('Activation code').fill(person.code);
    await seats.anyone.page.getByRole('button', { name: 'Check code' }).click();
    await seats.anyone.page.getByRole('button', { name: 'Create passkey' }).waitFor();
    await assertAccessible(seats.anyone.page, 'enrolment');
    await screenshot(seats.anyone.page, 'page-enrolment-en-1440');
  });

  it('every colour theme is accessible', async () => {
    const { page } = seats.worker;
    for (const theme of THEMES) {
      await page.evaluate((name) => localStorage.setItem('naru.theme', name), theme);
      await page.setViewportSize({ width: 1440, height: 900 });
      await page.goto(`${installation.origin}/?theme=${theme}#/home`);
      await page.locator('main h1').first().waitFor();
      await page.waitForLoadState('networkidle');
      await screenshot(page, `theme-${theme}`);
      await assertAccessible(page, `home, ${theme}`);
    }
    await page.evaluate(() => localStorage.removeItem('naru.theme'));
  });

  it('the desktop\'s own tools are accessible', async () => {
    const { page } = seats.worker;
    await page.evaluate(() => localStorage.setItem('naru.language', 'en'));
    await page.goto(`${installation.origin}/?desktop#/home`);
    await openDesktop(seats.worker);
    await still(page, 1_500);
    await showTools(page);
    await assertAccessible(page, 'desktop with tools');
    for (const [width, height] of SIZES) {
      await page.setViewportSize({ width, height });
      await still(page, 1_000);
      await screenshot(page, `page-desktop-${width}`);
    }
  });

  it('no page wrote an error', () => {
    for (const [key, seat] of Object.entries(seats)) {
      // A refused request is part of asking where one stands.
      const errors = seat.errors.filter((text) => !/status of 40[134]/u.test(text));
      assert.deepEqual(errors, [], key);
    }
  });
});
