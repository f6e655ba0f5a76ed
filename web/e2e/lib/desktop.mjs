/** A desktop in a page: opening it, seeing it, typing into it, and what it left on the host. */
import { execFile } from 'node:child_process';
import { readFile, readdir, stat } from 'node:fs/promises';
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

/** What the desktop's canvas shows: a number that changes with the picture, and how many colours there are, up to 16. */
function look(page, region) {
  return page.evaluate((part) => {
    // The client for RDP keeps its canvas in a shadow tree.
    const find = (root) => {
      for (const element of root.querySelectorAll('*')) {
        if (element instanceof HTMLCanvasElement && element.width >= 200) return element;
        const inside = element.shadowRoot && find(element.shadowRoot);
        if (inside) return inside;
      }
      return null;
    };
    const canvas = find(document);
    if (!canvas) return { hash: 0, colours: 0 };
    const [x, y, width, height] = part ?? [0, 0, canvas.width, canvas.height];
    const copy = new OffscreenCanvas(width, height).getContext('2d');
    copy.drawImage(canvas, -x, -y);
    const { data } = copy.getImageData(0, 0, width, height);
    const seen = new Set();
    let hash = 0;
    for (let at = 0; at < data.length; at += 1) hash = (Math.imul(hash, 31) + data[at]) | 0;
    for (let at = 0; at < data.length && seen.size < 16; at += 4 * 97) {
      seen.add((data[at] << 16) | (data[at + 1] << 8) | data[at + 2]);
    }
    return { hash, colours: seen.size };
  }, region);
}

/** A number that changes when the picture does. */
export const pictureHash = async (page, region) => (await look(page, region)).hash;

/** How many different colours the picture has, up to 16. */
export const colours = async (page) => (await look(page)).colours;

/** Does something that must show, and waits until it does. */
async function seen(page, act, what) {
  const before = await pictureHash(page);
  await act();
  await until(async () => (await pictureHash(page)) !== before, what);
}

/** Waits until the picture stands still, or the limit passes (a cursor blinks): what decides a result is awaited by itself. */
export async function still(page, quietMs = 700, limitMs = 5_000) {
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

/** Opens the notes program by the window manager's menu, by keyboard alone. The desktop has the keyboard already. */
export async function openNotesHere(page) {
  // A desktop that still paints itself would be taken for a menu that opened.
  await still(page, 2_000, 10_000);
  await seen(page, () => page.keyboard.press('Control+Escape'), 'the menu');
  await still(page, 400);
  // The menu opens with its first item chosen; notes are the fourth.
  for (let step = 0; step < 3; step += 1) {
    await seen(page, () => page.keyboard.press('ArrowDown'), 'the next item of the menu');
  }
  await seen(page, () => page.keyboard.press('Enter'), 'the notes program opens');
  await still(page, 1_200);
}

/** The same, on a desktop whose keyboard is the page's field for typing. */
export async function openNotes(page) {
  await enter(page);
  await openNotesHere(page);
}

/** Opens the tools and keeps them open: once they have hidden themselves after the first moment, not racing that. */
export async function showTools(page) {
  await page.getByRole('button', { name: /Show tools/u }).click();
  await page.getByRole('toolbar').waitFor();
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

/** The text of a saved file, once it is there and holds what it must: a file may be seen before it is written. */
export function fileOnHost(name, holds = /\S/u) {
  return until(async () => {
    for (const home of await homes()) {
      const names = await readdir(home).catch(() => []);
      if (!names.includes(name)) continue;
      const text = await readFile(join(home, name), 'utf8');
      if (holds.test(text)) return { home, text };
      throw new Error(`it holds ${JSON.stringify(text)}`);
    }
    return undefined;
  }, `${name} on the host`, 10_000);
}

/** Where a person's programs on this host draw: display and authority, as their environment says. */
async function display(account) {
  const { stdout } = await run('id', ['-u', account]);
  const owner = Number(stdout);
  for (const process of (await readdir('/proc')).filter((name) => /^\d+$/u.test(name))) {
    try {
      if ((await stat(`/proc/${process}`)).uid !== owner) continue;
      const text = await readFile(`/proc/${process}/environ`, 'utf8');
      const variables = Object.fromEntries(text.split('\0').map((line) => line.split(/=(.*)/su).slice(0, 2)));
      if (variables.DISPLAY) return { DISPLAY: variables.DISPLAY, XAUTHORITY: variables.XAUTHORITY ?? join(variables.HOME ?? '', '.Xauthority') };
    } catch {
      // It ended while we looked.
    }
  }
  throw new Error(`no program of ${account} has a display`);
}

/** What the clipboard of a person's desktop really holds, read on the host and not by way of the gateway. */
export async function desktopClipboard(account) {
  const variables = await display(account);
  const { stdout } = await run('xclip', ['-selection', 'clipboard', '-out', '-target', 'UTF8_STRING'], {
    env: { PATH: process.env.PATH, ...variables },
    timeout: 3_000,
  });
  return stdout;
}

/** Waits until the clipboard of a person's desktop holds this text. */
export function untilDesktopHolds(account, text) {
  let held;
  return until(async () => {
    held = await desktopClipboard(account);
    if (held === text) return true;
    throw new Error(`it holds ${JSON.stringify(held)}`);
  }, `${JSON.stringify(text)} in the desktop's clipboard`, 15_000);
}

/** What this device's clipboard holds, read as the page may. */
export const deviceClipboard = (page) => page.evaluate(() => navigator.clipboard.readText());

/** The clipboard of this device must hold this text all the while; each look is a chance to be wrong. */
export async function deviceKeeps(page, text, ms = 3_000) {
  const end = Date.now() + ms;
  while (Date.now() < end) {
    const held = await deviceClipboard(page);
    if (held !== text) throw new Error(`this device's clipboard holds ${JSON.stringify(held)}, not ${JSON.stringify(text)}`);
    await pause(100);
  }
}
