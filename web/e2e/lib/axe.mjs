/** Accessibility is an assertion: no page has a violation axe can find. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Colours are only what they will be once nothing slides or fades any more (what runs for ever is left alone). */
const settled = `Promise.allSettled(document.getAnimations()
  .filter((animation) => Number.isFinite(animation.effect?.getComputedTiming().endTime))
  .map((animation) => animation.finished))`;

/** Fails with every violation named. */
export async function assertAccessible(page, where) {
  // Through the debugger, since the page's own policy rightly refuses foreign scripts.
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Runtime.evaluate', { expression: `${source};0` });
  const { result } = await devtools.send('Runtime.evaluate', {
    expression: `${settled}.then(() => axe.run(document, { resultTypes: ['violations'] })).then((found) => JSON.stringify(found.violations.map(
      ({ id, help, nodes }) => ({ id, help, at: nodes.map((node) => node.target.join(' ') + ' ' + (node.any[0]?.message ?? '')) }))))`,
    awaitPromise: true,
    returnByValue: true,
  });
  await devtools.detach();
  assert.equal(result.value, '[]', `${where}: ${result.value}`);
}
