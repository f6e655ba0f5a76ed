/** Pictures of every page from the mock, with axe: `node dev/shots.mjs <folder> [all|quick] [name…]`. For work on pages only. */
import { axe, launch, overflow, picture, viewports, watchedPage } from '../e2e/browser.mjs';
import { startMock } from './mock.mjs';

const [folder = '/tmp/shots', mode = 'quick', ...only] = process.argv.slice(2);
const done = { logon: 'done' };
const pages = [
  ['logon', {}, '#/logon'],
  ['help', {}, '#/help'],
  ['activate', { logon: 'activate', factors: [] }, '#/logon'],
  ['enrol', { logon: 'enrol', factors: [] }, '#/logon', (page) => page.locator('section[aria-labelledby=way-totp] button').click()],
  ['second', { logon: 'second_factor' }, '#/logon'],
  ['second-totp', { logon: 'second_factor', factors: ['totp'] }, '#/logon'],
  ['home', done, '#/home'],
  ['home-empty', { ...done, empty: true }, '#/home'],
  ['idle', { ...done, idleSeconds: 95 }, '#/home'],
  ['me', done, '#/me'],
  ['sso-sign-on', {}, '#/sso/sign_on'],
  ['sso-step-up', done, '#/sso/step_up'],
  ['sso-consent', done, '#/sso/consent'],
  ['sso-denied', done, '#/sso/denied'],
  ['sso-log-out', done, '#/sso/log_out'],
  ['sso-expired', done, '#/sso/expired'],
  ['device', done, '#/device'],
  ['device-code', done, '#/device/BCDF-GHJK'],
  ['portal', { ...done, ministries: ['행정안전부', '기획재정부'] }, '#/portal'],
  ['portal-empty', { ...done, empty: true }, '#/portal'],
  ['portal-search', done, '#/portal', (page) => page.locator('input[type=search]').fill('인사')],
  ['serving', { ...done, ministries: ['행정안전부', '기획재정부'] }, '#/portal', (page) => page.locator('.switch').click()],
  ['people', done, '#/people'],
  ['people-new', done, '#/people', (page) => page.locator('.page-head button').last().click()],
  ['person', done, '#/people/person_3'],
  ['person-code', done, '#/people/person_3', (page) => page.locator('.do button').first().click()],
  ['import', done, '#/people/import', (page) => page.locator('input[type=file]').setInputFiles({ name: 'people.csv', mimeType: 'text/csv', buffer: Buffer.from('name\n') })],
  ['hosts', done, '#/hosts'],
  ['hosts-token', done, '#/hosts', async (page) => { await page.locator('.page-head button').click(); await page.locator('dialog input').fill('daejeon-09'); await page.locator('dialog button[type=submit]').click(); }],
  ['audit', done, '#/audit', (page) => page.locator('.page-head button').click()],
  ['queue', { ...done, queue: 4 }, '#/desktop/desktop_1'],
  ['unreachable', done, '#/desktop/desktop_1'],
  ['missing', done, '#/nowhere'],
].filter(([name]) => only.length === 0 || only.includes(name));

const themes = mode === 'all' ? ['light', 'dark', 'contrast'] : mode === 'quick' ? ['light'] : [mode];
const { server, url } = await startMock();
const browser = await launch();
let bad = 0;
for (const theme of themes) {
  for (const language of mode === 'quick' ? ['ko'] : ['ko', 'en']) {
    for (const [width, viewport] of Object.entries(viewports)) {
      const context = await browser.newContext({ viewport, locale: language === 'ko' ? 'ko-KR' : 'en-GB', reducedMotion: 'reduce' });
      await context.addInitScript(([t, l]) => { localStorage.setItem('naru.theme', t); localStorage.setItem('naru.language', l); }, [theme, language]);
      for (const [name, state, hash, act] of pages) {
        await fetch(`${url}/mock/state`, { method: 'POST', body: JSON.stringify(state) });
        const page = await watchedPage(context, [url]);
        await page.goto(`${url}/${hash}`);
        await page.waitForSelector('main h1, main .empty, main .closed, main .waiting');
        await page.waitForTimeout(250);
        if (act) await act(page);
        await page.waitForTimeout(250);
        await picture(page, `${folder}/${theme}-${language}-${width}-${name}.png`, !['queue', 'unreachable'].includes(name));
        const violations = await axe(page);
        const wide = await overflow(page);
        const trouble = page.trouble.filter((line) => !(name === 'unreachable' && /WebSocket/.test(line)));
        for (const line of [...violations, ...trouble, ...(wide > 0 ? [`sticks out ${wide}px`] : [])]) {
          bad++;
          console.log(`${theme} ${language} ${width} ${name}: ${line}`);
        }
        await page.close();
      }
      await context.close();
    }
  }
}
await browser.close();
server.close();
console.log(`${bad} findings`);
process.exit(bad ? 1 : 0);
