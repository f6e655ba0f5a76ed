/**
 * `open`: what a person waits for, measured in a real browser against the real program with real desktops: from the
 * click to the first picture, and from a key to its pixels.
 */
import { openNotes, pause, still, until } from '../web/e2e/lib/desktop.mjs';
import { Installation } from '../web/e2e/lib/installation.mjs';
import { logOnFirst } from '../web/e2e/lib/logon.mjs';
import { Seat } from '../web/e2e/lib/seat.mjs';

const NEW = Number(process.argv[2] ?? 12);
/** How many more are opened in the very moment the one before has ended. */
const AT_ONCE = 4;
/** Else the one before is gone from its host: people do not open a desktop in the moment they ended another. */
const GONE_MS = 4_000;
const EXISTING = Number(process.argv[3] ?? 25);
const KEYS = Number(process.argv[4] ?? 60);
const PERSON = '홍길동';

function percentile(values, percent) {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round(sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? NaN);
}

/** In the page: from the click's own time stamp until the canvas shows more than one colour. */
function watchForPicture() {
  window.naruBench = new Promise((resolve) => {
    let clicked;
    addEventListener('click', (event) => (clicked ??= event.timeStamp), { capture: true, once: true });
    const look = () => {
      const canvas = document.querySelector('canvas');
      if (clicked !== undefined && canvas && canvas.width > 200) {
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        const colours = new Set();
        for (let at = 0; at < data.length && colours.size < 2; at += 4 * 97) {
          colours.add((data[at] << 16) | (data[at + 1] << 8) | data[at + 2]);
        }
        if (colours.size >= 2) {
          resolve(performance.now() - clicked);
          return;
        }
      }
      setTimeout(look, 4);
    };
    look();
  });
}

async function clickToPicture(page) {
  const button = page.getByRole('button', { name: /^(Open|Resume) Business desktop$/u });
  await button.waitFor();
  await page.waitForLoadState('networkidle');
  await page.evaluate(watchForPicture);
  await button.click();
  return page.evaluate(() => window.naruBench);
}

/** As the browser's own "back" does; the desktop goes on running. */
async function leave(page) {
  await page.evaluate(() => {
    location.hash = '#/home';
  });
  await page.getByRole('button', { name: /^(Open|Resume) Business desktop$/u }).waitFor();
}

async function endDesktop(seat) {
  const { body } = await seat.ask('GET', '/api/v1/desktops');
  for (const row of body.items) await seat.ask('POST', `/api/v1/desktops/${row.id}/end`);
  await until(async () => {
    const now = await seat.ask('GET', '/api/v1/desktops');
    return now.body.items.every((row) => row.state === 'ended');
  }, 'the desktop ends', 20_000);
  await seat.page.reload();
}

/** Where the picture changes when a letter is typed: the line one types in. */
async function lineOfText(seat) {
  const { page } = seat;
  // The first letter also hides the pointer and changes the window's title; the second only the line.
  await page.keyboard.press('x');
  await pause(600);
  await page.evaluate(() => {
    const canvas = document.querySelector('canvas');
    window.naruBefore = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  });
  await page.keyboard.press('x');
  await pause(600);
  return page.evaluate(() => {
    const canvas = document.querySelector('canvas');
    const now = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const before = window.naruBefore.data;
    // The lowest change is where the letter stands.
    let bottom = 0;
    let left = canvas.width;
    for (let at = 0; at < before.length; at += 4) {
      if (before[at] === now.data[at] && before[at + 1] === now.data[at + 1]) continue;
      const y = Math.floor(at / 4 / canvas.width);
      if (y > canvas.height - 60) continue; // The panel's clock.
      if (y > bottom) {
        bottom = y;
        left = canvas.width;
      }
      if (y > bottom - 3) left = Math.min(left, (at / 4) % canvas.width);
    }
    return [left, bottom - 24, 420, 28];
  });
}

async function keyToPixel(seat, region) {
  const { page } = seat;
  await page.evaluate(([x, y, width, height]) => {
    const canvas = document.querySelector('canvas');
    const context = canvas.getContext('2d');
    const picture = () => {
      const { data } = context.getImageData(x, y, width, height);
      let hash = 0;
      for (const byte of data) hash = (Math.imul(hash, 31) + byte) | 0;
      return hash;
    };
    window.naruBench = new Promise((resolve) => {
      addEventListener('keydown', (event) => {
        const before = picture();
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => {
          if (picture() !== before) resolve(performance.now() - event.timeStamp);
          else port2.postMessage(0);
        };
        port2.postMessage(0);
      }, { capture: true, once: true });
    });
  }, region);
  await page.keyboard.press('a');
  return Promise.race([page.evaluate(() => window.naruBench), pause(2_000).then(() => undefined)]);
}

const installation = await Installation.start();
let seat;
try {
  seat = await Seat.open(installation);
  const { page } = seat;
  await logOnFirst(seat, installation.person(PERSON));
  const fresh = [];
  const atOnce = [];
  for (let round = 0; round < NEW + AT_ONCE; round += 1) {
    (round < NEW ? fresh : atOnce).push(await clickToPicture(page));
    await pause(1_500);
    await leave(page);
    await endDesktop(seat);
    if (round + 1 < NEW) await pause(GONE_MS);
  }
  await pause(GONE_MS);
  await clickToPicture(page);
  await still(page, 1_500, 20_000);
  await leave(page);
  const existing = [];
  for (let round = 0; round < EXISTING; round += 1) {
    existing.push(await clickToPicture(page));
    await pause(400);
    await leave(page);
  }
  await clickToPicture(page);
  await still(page, 1_500, 20_000);
  await openNotes(page);
  const region = await lineOfText(seat);
  const keys = [];
  for (let key = 0; key < KEYS; key += 1) {
    const milliseconds = await keyToPixel(seat, region);
    if (milliseconds !== undefined) keys.push(milliseconds);
    await pause(150);
    if (key % 30 === 29) {
      // A new line before the region's end.
      await page.keyboard.press('Control+a');
      await page.keyboard.press('x');
      await pause(300);
    }
  }
  if (keys.length < KEYS * 0.9) throw new Error(`only ${keys.length} of ${KEYS} keys were seen`);
  const rows = [
    ['', 'median', '9 of 10 within', 'best', 'of'],
    ...[['click to first picture, new desktop', fresh], ['the same right after ending one', atOnce], ['click to first picture, existing desktop', existing], ['key to pixel', keys]]
      .map(([name, values]) => [name, `${percentile(values, 50)} ms`, `${percentile(values, 90)} ms`, `${Math.round(Math.min(...values))} ms`, String(values.length)]),
  ];
  for (const row of rows) console.log(row.map((cell, column) => (column === 0 ? cell.padEnd(42) : cell.padStart(15))).join(''));
  console.log('');
  console.log(JSON.stringify({
    new_p50_ms: percentile(fresh, 50),
    new_p90_ms: percentile(fresh, 90),
    new_after_end_p50_ms: percentile(atOnce, 50),
    existing_p50_ms: percentile(existing, 50),
    existing_p90_ms: percentile(existing, 90),
    key_to_pixel_p50_ms: percentile(keys, 50),
    key_to_pixel_p90_ms: percentile(keys, 90),
  }));
} finally {
  await seat?.close();
  await installation.stop();
}
