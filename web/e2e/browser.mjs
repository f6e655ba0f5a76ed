/** What every browser test needs: Chromium from Debian, axe, screenshots, and a watch for what must not happen. */
import { createRequire } from 'node:module';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { chromium } from 'playwright-core';

const axeFile = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
let axeSource = null;

/** The two widths every page must work at. */
export const viewports = { wide: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };

/** Starts Chromium with an empty profile. `CHROMIUM` names another one. */
export function launch(options = {}) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', ...(options.args ?? [])],
    headless: true,
  });
}

/** A page that collects console errors, page errors, refused policies and requests to other origins in `.trouble`. */
export async function watchedPage(context, origins) {
  const page = await context.newPage();
  page.trouble = [];
  page.on('console', (message) => message.type() === 'error' && page.trouble.push(message.text()));
  page.on('pageerror', (error) => page.trouble.push(String(error)));
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (/^https?:$/.test(url.protocol) && !origins.includes(url.origin)) page.trouble.push(`foreign request ${url.href}`);
  });
  return page;
}

/** Runs axe over the page; returns its violations in a readable form. The answer must be []. */
export async function axe(page, include = null) {
  axeSource ??= await readFile(axeFile, 'utf8');
  // Through the protocol, not a script element: the content security policy stays as it is.
  await page.evaluate(axeSource);
  const found = await page.evaluate(
    (selector) => globalThis.axe.run(selector ?? document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }),
    include,
  );
  return found.violations.map((violation) => `${violation.id}: ${violation.help} — ${violation.nodes.map((node) => `${node.target.join(' ')} (${(node.any[0]?.message ?? '').slice(0, 160)})`).join('; ')}`);
}

/** A picture of the page, whole by default. */
export async function picture(page, file, fullPage = true) {
  await mkdir(dirname(file), { recursive: true });
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: file, fullPage, animations: 'disabled' });
}

/** Nothing may stick out to the side: the width of the page's content minus the window's. Must be 0 or less. */
export const overflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
