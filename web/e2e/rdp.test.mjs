/** The same portal, the other way to a desktop: RDP through the gateway to the host's own xrdp. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { fileOnHost, pause, until } from './lib/desktop.mjs';
import { Installation } from './lib/installation.mjs';
import { logOnAgain, logOnFirst } from './lib/logon.mjs';
import { figure, screenshot, skip } from './lib/report.mjs';
import { Seat } from './lib/seat.mjs';

const WORKER = '성춘향';
const nonce = Math.random().toString(36).slice(2, 8);
const missing = process.getuid() === 0 && existsSync('/usr/sbin/xrdp') ? undefined : 'needs root and xrdp';
if (missing) skip('rdp', missing);

/** How many different colours the client's canvas shows, up to a few; it lives in a shadow tree. */
function colours(page) {
  return page.evaluate(() => {
    const find = (root) => {
      for (const element of root.querySelectorAll('*')) {
        if (element instanceof HTMLCanvasElement && element.width >= 200) return element;
        const inside = element.shadowRoot && find(element.shadowRoot);
        if (inside) return inside;
      }
      return null;
    };
    const canvas = find(document);
    if (!canvas) return 0;
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d');
    copy.drawImage(canvas, 0, 0);
    const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
    const seen = new Set();
    for (let at = 0; at < data.length && seen.size < 16; at += 4 * 97) {
      seen.add((data[at] << 16) | (data[at + 1] << 8) | data[at + 2]);
    }
    return seen.size;
  });
}

async function openByRdp(seat) {
  await seat.go('/home');
  const began = Date.now();
  await seat.page.getByRole('button', { name: /RDP/u }).click();
  await until(async () => (await colours(seat.page)) >= 4, 'a picture by RDP', 60_000);
  return Date.now() - began;
}

/** Opens the notes program from the desktop's menu and types into it. */
async function typeNote(page, text) {
  await page.keyboard.press('Control+Escape');
  await pause(800);
  for (let step = 0; step < 3; step += 1) {
    await page.keyboard.press('ArrowDown');
    await pause(150);
  }
  await page.keyboard.press('Enter');
  await pause(4_000);
  await page.keyboard.type(text, { delay: 60 });
}

async function save(page, name) {
  await page.keyboard.press('Control+Shift+S');
  await pause(1_500);
  await page.keyboard.press('Control+a');
  // Keys travel as scancodes here, and a tilde would need Shift; the dialogue stands in the home anyway.
  await page.keyboard.type(name, { delay: 60 });
  await pause(400);
  await page.keyboard.press('Enter');
  await pause(800);
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
    await pause(3_000);
    await screenshot(first.page, 'desktop-rdp');
  });

  it('takes typing, also Hangul by the host’s own input method, into a file on the host', async () => {
    await first.page.mouse.click(700, 600);
    await typeNote(first.page, 'naru ');
    await first.page.keyboard.press('Shift+Space');
    await pause(500);
    await first.page.keyboard.type('dkssudgktpdy', { delay: 80 });
    await first.page.keyboard.press('Shift+Space');
    await pause(500);
    await screenshot(first.page, 'desktop-rdp-hangul');
    await save(first.page, `naru-rdp-${nonce}.txt`);
    const { text } = await fileOnHost(`naru-rdp-${nonce}.txt`);
    assert.equal(text.trim(), 'naru 안녕하세요');
  });

  it('roams with its unsaved text, at the new seat’s size', async () => {
    await first.page.keyboard.type(' unsaved', { delay: 60 });
    await pause(500);
    second = await Seat.open(installation, { width: 1280, height: 720 });
    assert.equal(await first.handPasskeysTo(second), 1);
    await logOnAgain(second, installation.person(WORKER));
    await openByRdp(second);
    await first.page.getByText('This desktop was opened at another seat').first().waitFor();
    await pause(3_000);
    await screenshot(second.page, 'desktop-rdp-second-seat');
    await second.page.keyboard.press('Control+s');
    const saved = await until(async () => {
      const { text } = await fileOnHost(`naru-rdp-${nonce}.txt`);
      return text.includes('unsaved') && text;
    }, 'the unsaved text in the file');
    assert.equal(saved.trim(), 'naru 안녕하세요 unsaved');
  });
});
