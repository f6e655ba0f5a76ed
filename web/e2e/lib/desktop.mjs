/** A desktop in a page: opening it, seeing it, typing into it, and what it left on the host. */
import { execFile } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const PICTURE_MS_MAX = 45_000;

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until `look` gives something; the last error tells why it did not. */
export async function until(look, what, ms = 10_000) {
  const end = Date.now() + ms;
  let last;
  while (Date.now() < end) {
    try {
      const found = await look();
      if (found) return found;
    } catch (error) {
      last = error;
    }
    await pause(50);
  }
  throw new Error(`${what}: not within ${ms} ms${last ? ` (${last.message})` : ''}`);
}

/** Presses the button on the home page and waits for the first picture; gives the milliseconds it took. */
export async function openDesktop(seat, zone = 'Business') {
  const { page } = seat;
  if (!page.url().endsWith('#/home')) await seat.go('/home');
  const button = page.getByRole('button', { name: new RegExp(`^(Open|Resume) ${zone} desktop$`, 'u') });
  await button.waitFor();
  const began = Date.now();
  await button.click();
  await firstPicture(page);
  return Date.now() - began;
}

/** Waits until the canvas shows more than one colour. */
export function firstPicture(page) {
  return page.waitForFunction(() => {
    const canvas = document.querySelector('canvas');
    if (!canvas || canvas.width < 200 || canvas.height < 150) return false;
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const colours = new Set();
    for (let at = 0; at < data.length && colours.size < 4; at += 4 * 97) {
      colours.add((data[at] << 16) | (data[at + 1] << 8) | data[at + 2]);
    }
    return colours.size >= 2;
  }, undefined, { timeout: PICTURE_MS_MAX, polling: 20 });
}

/** A number that changes when the picture does. */
export function pictureHash(page, region) {
  return page.evaluate((part) => {
    const canvas = document.querySelector('canvas');
    const [x, y, width, height] = part ?? [0, 0, canvas.width, canvas.height];
    const { data } = canvas.getContext('2d').getImageData(x, y, width, height);
    let hash = 0;
    for (let at = 0; at < data.length; at += 1) hash = (Math.imul(hash, 31) + data[at]) | 0;
    return hash;
  }, region);
}

/** Waits until the picture stands still. */
export async function still(page, quietMs = 700, limitMs = 20_000) {
  let last = await pictureHash(page);
  let since = Date.now();
  const end = Date.now() + limitMs;
  while (Date.now() < end) {
    await pause(100);
    const now = await pictureHash(page);
    if (now !== last) {
      last = now;
      since = Date.now();
    } else if (Date.now() - since >= quietMs) return;
  }
}

/** Puts the keyboard into the desktop. */
export async function enter(page) {
  await page.getByLabel('Desktop keyboard input').focus();
}

/** Opens the notes program by the window manager's menu, by keyboard alone. */
export async function openNotes(page) {
  await enter(page);
  await page.keyboard.press('Control+Escape');
  await pause(500);
  // The menu opens with its first item chosen; notes are the fourth.
  for (let step = 0; step < 3; step += 1) {
    await page.keyboard.press('ArrowDown');
    await pause(80);
  }
  const before = await pictureHash(page);
  await page.keyboard.press('Enter');
  await until(async () => (await pictureHash(page)) !== before, 'the notes program opens');
  await still(page, 1_200);
}

/** Types Hangul as an input method on this device does: composed letter by letter, then committed. */
export async function typeHangul(seat, text) {
  const steps = { 안: ['ㅇ', '아', '안'], 녕: ['ㄴ', '녀', '녕'], 하: ['ㅎ', '하'], 세: ['ㅅ', '세'], 요: ['ㅇ', '요'] };
  await enter(seat.page);
  for (const letter of text) {
    for (const step of steps[letter] ?? [letter]) {
      await seat.devtools.send('Input.imeSetComposition', { text: step, selectionStart: step.length, selectionEnd: step.length });
      await pause(40);
    }
    await seat.devtools.send('Input.insertText', { text: letter });
    await pause(60);
  }
}

/** Saves what is in the notes program under a name in the person's home. */
export async function saveAs(page, name) {
  await enter(page);
  await page.keyboard.press('Control+Shift+S');
  await still(page, 1_000);
  await page.keyboard.press('Control+a');
  await page.keyboard.type(`~/${name}`, { delay: 40 });
  await pause(300);
  await page.keyboard.press('Enter');
  await still(page, 800);
}

/** Homes of the people of desktops on this host. */
export async function homes() {
  const { stdout } = await run('getent', ['passwd']);
  const own = process.getuid?.() === 0 ? [] : [process.env.HOME];
  const accounts = stdout.split('\n').map((line) => line.split(':')).filter(([name]) => name?.startsWith('naru-'));
  return [...accounts.map((fields) => fields[5]), ...own];
}

/** The text of a saved file, once it is there. */
export function fileOnHost(name) {
  return until(async () => {
    for (const home of await homes()) {
      const names = await readdir(home).catch(() => []);
      if (names.includes(name)) return { home, text: await readFile(join(home, name), 'utf8') };
    }
    return undefined;
  }, `${name} on the host`, 10_000);
}
