/** Logging on, as the welcome of `naru up --demo` says. */
import assert from 'node:assert/strict';

/** Shows the certificate's files and its password; ends where the second factor is asked for. */
export async function showCertificate(seat, person, password = person.password) {
  const { page } = seat;
  await seat.go('/logon');
  await page.getByTestId('certificate-files').setInputFiles([person.certificate, person.key]);
  await page.getByLabel('Certificate password').fill(password);
  await page.getByRole('button', { name: 'Log on', exact: true }).click();
}

/** The first log-on: certificate, activation code, a new passkey. */
export async function logOnFirst(seat, person) {
  const { page } = seat;
  assert.ok(person.code, `the welcome has no activation code for ${person.name}`);
  await showCertificate(seat, person);
  await page.getByLabel('Activation code').fill(person.code);
  await page.getByRole('button', { name: 'Check code' }).click();
  await page.getByRole('button', { name: 'Create passkey' }).click();
  await arrived(seat);
}

/** Every later log-on: certificate, passkey. */
export async function logOnAgain(seat, person) {
  await showCertificate(seat, person);
  await seat.page.getByRole('button', { name: 'Confirm with passkey' }).click();
  await arrived(seat);
}

async function arrived(seat) {
  await seat.page.waitForURL(/#\/home/u, { timeout: 15_000 });
  await seat.page.getByRole('button', { name: 'Log off' }).first().waitFor();
}
