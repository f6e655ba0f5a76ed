/**
 * Follows what `cargo xtask up` told whoever started it, on the instance that it left running: opens its address, logs on
 * with the certificate, password and code it printed, and writes 안녕하세요 in the desktop.
 *
 *   cargo xtask up > welcome.txt &     NARU_WELCOME=welcome.txt node --test web/e2e/follow-welcome.mjs
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { fileOnHost, openDesktop, openNotes, saveAs, still, typeHangul } from './lib/desktop.mjs';
import { Installation } from './lib/installation.mjs';
import { logOnFirst } from './lib/logon.mjs';
import { figure, screenshot } from './lib/report.mjs';
import { Seat } from './lib/seat.mjs';

const nonce = Math.random().toString(36).slice(2, 8);

describe('what the welcome says', { concurrency: 1 }, () => {
  let installation;
  let seat;

  before(async () => {
    installation = await Installation.told(process.env.NARU_WELCOME);
    seat = await Seat.open(installation);
  });

  after(async () => {
    await seat?.close();
  });

  it('leads to a desktop with 안녕하세요 in a file on the host', async (test) => {
    await logOnFirst(seat, installation.people.find((person) => person.code !== undefined));
    await screenshot(seat.page, 'welcome-home');
    figure(test, 'click to first picture, new desktop', await openDesktop(seat), 'ms');
    await still(seat.page, 2_000);
    await openNotes(seat.page);
    await typeHangul(seat, '안녕하세요');
    await still(seat.page);
    await screenshot(seat.page, 'welcome-desktop');
    await saveAs(seat.page, `naru-${nonce}.txt`);
    const { text } = await fileOnHost(`naru-${nonce}.txt`);
    assert.equal(text.trim(), '안녕하세요');
  });
});
