/** A person who serves two ministries sees which one they serve, and changes it: pages, applications and the record follow. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { assertAccessible } from './lib/axe.mjs';
import { Installation } from './lib/installation.mjs';
import { logOnFirst } from './lib/logon.mjs';
import { screenshot } from './lib/report.mjs';
import { Seat } from './lib/seat.mjs';

const WORKER = '홍길동';
const HOME = '행정안전부';
const OTHER = '보건복지부';

describe('serving two ministries', { concurrency: 1 }, () => {
  let installation;
  let seat;
  let home;
  let other;

  before(async () => {
    installation = await Installation.start();
    seat = await Seat.open(installation);
    home = await Seat.open(installation);
    other = await Seat.open(installation);
    await logOnFirst(seat, installation.person(WORKER));
    await logOnFirst(home, installation.person('김관리'));
    await logOnFirst(other, installation.person('변학도'));
  });

  after(async () => {
    for (const open of [seat, home, other]) await open?.close();
    await installation?.stop();
  });

  it('offers no change to whoever serves one', async () => {
    await seat.page.getByText(HOME).first().waitFor();
    assert.equal(await seat.page.getByRole('button', { name: /^You serve/u }).count(), 0);
  });

  it('comes about when the one asks and the other agrees', async () => {
    const people = await home.ask('GET', `/api/v1/people?search=${encodeURIComponent(WORKER)}`);
    const { id } = people.body.items.find((person) => person.name === WORKER);
    const asked = await home.ask('POST', `/api/v1/people/${id}/memberships`, { ministry: '051' });
    assert.equal(asked.status, 200, asked.text);
    assert.equal(asked.body.done, false);
    const agreed = await other.ask('POST', `/api/v1/approvals/${asked.body.approval}/agree`);
    assert.ok(agreed.status < 300, agreed.text);
  });

  it('is changed in the masthead, and everything follows', async () => {
    const { page } = seat;
    await page.reload();
    await page.getByRole('button', { name: `You serve ${HOME}. Change` }).click();
    await page.getByRole('dialog').getByText(OTHER).waitFor();
    await assertAccessible(page, 'choosing a ministry');
    await screenshot(page, 'ministries-1-choose');
    await page.getByRole('button', { name: `Serve ${OTHER}` }).click();
    await page.getByRole('button', { name: `You serve ${OTHER}. Change` }).waitFor();
    assert.equal((await seat.ask('GET', '/api/v1/me')).body.ministry_name, OTHER);
    await seat.go('/portal');
    await page.getByRole('heading', { name: `${OTHER} portal` }).waitFor();
    await screenshot(page, 'ministries-2-changed');
  });
});
