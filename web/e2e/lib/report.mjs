/** What the suite leaves behind for people: figures, screenshots, and tests that could not run here. */
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

const directory = process.env.NARU_SCREENSHOTS ?? new URL('../../../target/screenshots', import.meta.url).pathname;

/** A measured figure; `cargo xtask test` shows it. */
export function figure(test, name, value, unit) {
  test.diagnostic(`figure: ${name} ${value} ${unit}`);
}

/** A picture of the page as a person sees it. */
export async function screenshot(page, name, options = {}) {
  mkdirSync(directory, { recursive: true });
  await page.screenshot({ path: join(directory, `${name}.png`), ...options });
}

/** Says that a test did not run here, and why; such a test is not counted as passed. */
export function skip(name, why) {
  if (process.env.NARU_TEST_SKIPS) appendFileSync(process.env.NARU_TEST_SKIPS, `${name}: ${why}\n`);
}
