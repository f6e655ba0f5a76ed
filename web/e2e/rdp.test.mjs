/** The same portal, the other way to a desktop: RDP through the gateway to the host's own xrdp. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { colours, deviceKeeps, fileOnHost, openNotesHere, pause, still, until, untilDesktopHolds } from './lib/desktop.mjs';
import { Installation } from './lib/installation.mjs';
import { logOnAgain, logOnFirst } from './lib/logon.mjs';
import { figure, screenshot, skip } from './lib/report.mjs';
import { Seat } from './lib/seat.mjs';

const WORKER = '성춘향';
const nonce = Math.random().toString(36).slice(2, 8);
const missing = process.getuid() === 0 && existsSync('/usr/sbin/xrdp') ? undefined : 'needs root and xrdp';
if (missing) skip('rdp', missing);

async function openByRdp(seat) {
  await seat.go('/home');
  const began = Date.now();
  await seat.page.getByRole('button', { name: /RDP/u }).click();
  await until(async () => (await colours(seat.page)) >= 4, 'a picture by RDP', 60_000);
  return Date.now() - began;
}

async function saveAs(page, name) {
  await page.keyboard.press('Control+Shift+S');
  await still(page, 1_000);
  await page.keyboard.press('Control+a');
  // Keys travel as scancodes here, and a tilde would need Shift; the dialogue stands in the home anyway.
  await page.keyboard.type(name, { delay: 60 });
  await still(page, 400);
  await page.keyboard.press('Enter');
  await still(page, 800);
}

describe('a desktop by RDP', { concurrency: 1, skip: missing }, () => {
  let installation;
  let first;
  let second;

  before(async () => {
    installation = await Installation.start();
    first = await Seat.open(installation);
    await logOnFirst(first, installation.person(WORKER));
  });

  after(async () => {
    for (const seat of [first, second]) await seat?.close();
    await installation?.stop();
  });

  it('opens with a one-time password nobody sees', async (test) => {
    figure(test, 'click to first picture, new desktop by RDP', await openByRdp(first), 'ms');
    await still(first.page, 2_000);
    await screenshot(first.page, 'desktop-rdp');
  });

  it('takes typing, also Hangul by the host’s own input method, into a file on the host', async () => {
    await first.page.mouse.click(700, 600);
    await openNotesHere(first.page);
    await first.page.keyboard.type('naru ', { delay: 60 });
    await first.page.keyboard.press('Shift+Space');
    await pause(500);
    await first.page.keyboard.type('dkssudgktpdy', { delay: 80 });
    await first.page.keyboard.press('Shift+Space');
    await pause(500);
    await screenshot(first.page, 'desktop-rdp-hangul');
    await saveAs(first.page, `naru-rdp-${nonce}.txt`);
    const { text } = await fileOnHost(`naru-rdp-${nonce}.txt`);
    assert.equal(text.trim(), 'naru 안녕하세요');
  });

  it('lets text in and none out, in the business zone', async () => {
    const { page, account } = first;
    await page.bringToFront();
    await page.evaluate(() => navigator.clipboard.writeText('before'));
    await untilDesktopHolds(account, 'before');
    await page.keyboard.press('Control+a');
    await page.keyboard.press('Control+c');
    // The desktop itself has copied it: only then does an unchanged device prove that something was blocked.
    await untilDesktopHolds(account, 'naru 안녕하세요');
    await deviceKeeps(page, 'before');

    await page.evaluate(() => navigator.clipboard.writeText(' 붙여넣기'));
    await untilDesktopHolds(account, ' 붙여넣기');
    await page.keyboard.press('Control+End');
    await page.keyboard.press('Control+v');
    await still(page);
    await page.keyboard.press('Control+s');
    const { text } = await fileOnHost(`naru-rdp-${nonce}.txt`, /붙여넣기/u);
    assert.equal(text.trim(), 'naru 안녕하세요 붙여넣기');
  });

  it('takes text from the tools too, which the keyboard alone reaches', async () => {
    const { page, account } = first;
    await page.keyboard.press('Control+Alt+Shift');
    await page.getByRole('toolbar').getByRole('button', { name: /Clipboard/u }).click();
    await page.getByText('Copying out of the desktop is blocked in this zone.').waitFor();
    await page.getByLabel('Text for the desktop').fill('도구에서');
    await page.getByRole('button', { name: 'Send to desktop' }).click();
    await untilDesktopHolds(account, '도구에서');
    await screenshot(page, 'desktop-rdp-clipboard');
    await page.getByRole('button', { name: /Hide tools/u }).click();
    // None of the keys of the way out may have stuck.
    await page.mouse.click(700, 600);
    await page.keyboard.press('Control+End');
    await page.keyboard.type(' after', { delay: 60 });
    await page.keyboard.press('Control+s');
    const { text } = await fileOnHost(`naru-rdp-${nonce}.txt`, /after/u);
    assert.equal(text.trim(), 'naru 안녕하세요 붙여넣기 after');
  });

  it('roams with its unsaved text, at the new seat’s size', async () => {
    await first.page.keyboard.type(' unsaved', { delay: 60 });
    await pause(500);
    second = await Seat.open(installation, { width: 1280, height: 720 });
    assert.equal(await first.handPasskeysTo(second), 1);
    await logOnAgain(second, installation.person(WORKER));
    await openByRdp(second);
    await first.page.getByText('This desktop was opened at another seat').first().waitFor();
    await still(second.page, 2_000);
    await screenshot(second.page, 'desktop-rdp-second-seat');
    await second.page.keyboard.press('Control+s');
    const { text } = await fileOnHost(`naru-rdp-${nonce}.txt`, /unsaved/u);
    assert.equal(text.trim(), 'naru 안녕하세요 붙여넣기 after unsaved');
  });
});
