import { afterEach, describe, expect, it, vi } from 'vitest';
import { createPasskey, fromBase64Url, provePasskey, toBase64Url } from './passkey';

afterEach(() => vi.unstubAllGlobals());
const buffer = (...bytes: number[]): ArrayBuffer => Uint8Array.from(bytes).buffer;

describe('base64url', () => {
  it.each([0, 1, 2, 3, 64])('comes back, %i bytes', (length) => {
    const bytes = Uint8Array.from({ length }, (_, index) => 255 - index);
    expect(fromBase64Url(toBase64Url(bytes))).toEqual(bytes);
    expect(toBase64Url(bytes)).toMatch(/^[A-Za-z0-9_-]*$/);
  });
});

describe('passkeys', () => {
  it('are proven with bytes in and JSON out', async () => {
    const get = vi.fn().mockResolvedValue({
      id: 'AQI', rawId: buffer(1, 2), type: 'public-key', getClientExtensionResults: () => ({}),
      response: { authenticatorData: buffer(3), clientDataJSON: buffer(4), signature: buffer(251, 255), userHandle: null },
    });
    vi.stubGlobal('navigator', { credentials: { get } });
    const proof = await provePasskey({ publicKey: { challenge: 'AQID', rpId: 'localhost', allowCredentials: [{ type: 'public-key', id: '_-8' }] } });
    const asked = get.mock.calls[0]?.[0].publicKey;
    expect(new Uint8Array(asked.challenge)).toEqual(Uint8Array.of(1, 2, 3));
    expect(new Uint8Array(asked.allowCredentials[0].id)).toEqual(Uint8Array.of(255, 239));
    expect(proof).toMatchObject({ id: 'AQI', rawId: 'AQI', response: { signature: '-_8', userHandle: null } });
  });
  it('are made the same way, and a refusal is null', async () => {
    const create = vi.fn().mockResolvedValueOnce(null).mockResolvedValueOnce({
      id: 'CQ', rawId: buffer(9), type: 'public-key', getClientExtensionResults: () => ({}),
      response: { attestationObject: buffer(1), clientDataJSON: buffer(2), getTransports: () => ['usb'] },
    });
    vi.stubGlobal('navigator', { credentials: { create } });
    const options = { publicKey: { challenge: 'AQID', rp: { name: 'Naru' }, user: { id: 'BA', name: 'x', displayName: 'x' } } };
    expect(await createPasskey(options)).toBeNull();
    expect(await createPasskey(options)).toMatchObject({ rawId: 'CQ', response: { attestationObject: 'AQ', transports: ['usb'] } });
    expect(new Uint8Array(create.mock.calls[1]?.[0].publicKey.user.id)).toEqual(Uint8Array.of(4));
  });
});
