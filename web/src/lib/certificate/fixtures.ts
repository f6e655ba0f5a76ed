import fixtures from './fixtures.json';

/** Files made by OpenSSL, for tests only (`dev/fixtures.mjs`). */
export type FixtureName = keyof typeof fixtures.files;
export const password = fixtures.password;
export const file = (name: FixtureName): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(fixtures.files[name], 'base64'));
