/**
 * The other side of "copy-out is blocked": where the policy allows it, the very same copy reaches this device. Without
 * this, a broken clipboard would look like a blocked one.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { colours, deviceClipboard, enter, openDesktop, openNotes, openNotesHere, typeHangul, until, untilDesktopHolds } from './lib/desktop.mjs';
import { Installation } from './lib/installation.mjs';
import { logOnFirst } from './lib/logon.mjs';
import { skip } from './lib/report.mjs';
import { Seat } from './lib/seat.mjs';

const missing = process.getuid() === 0 && existsSync('/usr/sbin/xrdp') ? undefined : 'needs root and xrdp';
if (missing) skip('clipboard', missing);

describe('a zone that lets text out', { concurrency: 1, skip: missing }, () => {
  let installation;
  const seats = [];

  before(async () => {
    installation = await Installation.start({ variables: { NARU__DESKTOPS__ZONES__BUSINESS: '{label="Business",clipboard={copy_out=true,paste_in=true}}' } });
  });

  after(async () => {
    for (const seat of seats) await seat.close();
    await installation?.stop();
  });

  async function seatOf(name) {
    const seat = await Seat.open(installation);
    seats.push(seat);
    await logOnFirst(seat, installation.person(name));
    const { body } = await seat.ask('GET', '/api/v1/desktops');
    assert.ok(body.offers.every((offer) => offer.zone !== 'business' || offer.clipboard.copy_out), 'the zone lets text out');
    return seat;
  }

  async function copyAll({ page, account }, text) {
    await page.keyboard.press('Control+a');
    await page.keyboard.press('Control+c');
    await untilDesktopHolds(account, text);
    await until(async () => (await deviceClipboard(page)) === text, 'the copied text on this device');
  }

  it('lets it out by RFB', async () => {
    const seat = await seatOf('홍길동');
    await openDesktop(seat);
    await openNotes(seat.page);
    await typeHangul(seat, '안녕하세요');
    await seat.page.evaluate(() => navigator.clipboard.writeText('before'));
    await enter(seat.page);
    await copyAll(seat, '안녕하세요');
  });

  it('lets it out by RDP', async () => {
    const seat = await seatOf('성춘향');
    const { page } = seat;
    await page.getByRole('button', { name: /RDP/u }).click();
    await until(async () => (await colours(page)) >= 4, 'a picture by RDP', 60_000);
    await page.mouse.click(700, 600);
    await openNotesHere(page);
    await page.keyboard.type('from rdp', { delay: 60 });
    await page.evaluate(() => navigator.clipboard.writeText('before'));
    await untilDesktopHolds(seat.account, 'before');
    await copyAll(seat, 'from rdp');
  });
});
