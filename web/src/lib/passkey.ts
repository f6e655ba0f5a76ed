/** WebAuthn with the portal's JSON: byte strings are base64url there and buffers here. */

type Json = Record<string, unknown>;

export function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  const plain = text.replace(/-/g, '+').replace(/_/g, '/');
  return Uint8Array.from(atob(plain), (letter) => letter.charCodeAt(0));
}

export function toBase64Url(bytes: ArrayBuffer | Uint8Array): string {
  const view = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
  let text = '';
  for (const byte of view) text += String.fromCharCode(byte);
  return btoa(text).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}

const buffer = (value: unknown): BufferSource => fromBase64Url(String(value));

function descriptors(list: unknown): PublicKeyCredentialDescriptor[] {
  if (!Array.isArray(list)) return [];
  return list.map((item: Json) => ({ ...item, id: buffer(item['id']) }) as unknown as PublicKeyCredentialDescriptor);
}

export const passkeysWork = (): boolean => typeof PublicKeyCredential === 'function' && 'credentials' in navigator;

/** Makes a new passkey from the portal's creation options. `null` when the person cancels. */
export async function createPasskey(options: { publicKey: Json }): Promise<Json | null> {
  const given = options.publicKey;
  const user = given['user'] as Json;
  const publicKey = {
    ...given,
    challenge: buffer(given['challenge']),
    user: { ...user, id: buffer(user['id']) },
    excludeCredentials: descriptors(given['excludeCredentials']),
  } as unknown as PublicKeyCredentialCreationOptions;
  const made = (await navigator.credentials.create({ publicKey })) as PublicKeyCredential | null;
  if (!made) return null;
  const response = made.response as AuthenticatorAttestationResponse;
  return {
    id: made.id,
    rawId: toBase64Url(made.rawId),
    type: made.type,
    response: {
      attestationObject: toBase64Url(response.attestationObject),
      clientDataJSON: toBase64Url(response.clientDataJSON),
      transports: response.getTransports?.() ?? [],
    },
    extensions: made.getClientExtensionResults(),
  };
}

/** Proves a passkey against the portal's request options. */
export async function provePasskey(options: { publicKey: Json }): Promise<Json | null> {
  const given = options.publicKey;
  const publicKey = {
    ...given,
    challenge: buffer(given['challenge']),
    allowCredentials: descriptors(given['allowCredentials']),
  } as unknown as PublicKeyCredentialRequestOptions;
  const proof = (await navigator.credentials.get({ publicKey })) as PublicKeyCredential | null;
  if (!proof) return null;
  const response = proof.response as AuthenticatorAssertionResponse;
  return {
    id: proof.id,
    rawId: toBase64Url(proof.rawId),
    type: proof.type,
    response: {
      authenticatorData: toBase64Url(response.authenticatorData),
      clientDataJSON: toBase64Url(response.clientDataJSON),
      signature: toBase64Url(response.signature),
      userHandle: response.userHandle ? toBase64Url(response.userHandle) : null,
    },
    extensions: proof.getClientExtensionResults(),
  };
}
