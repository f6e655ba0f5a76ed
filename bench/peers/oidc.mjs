// The peer of `bench oidc`: panva's oidc-provider, certified by the OpenID Foundation, with the store it brings (memory).
// A person is logged on by being asked once; after that their session cookie speaks, as with ours.
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import Provider from 'oidc-provider';

const [directory, port, redirect] = process.argv.slice(2);
const issuer = `https://localhost:${port}`;

const provider = new Provider(issuer, {
  clients: [{ client_id: 'bench', client_secret: 'a-secret-of-the-bench', redirect_uris: [redirect], grant_types: ['authorization_code'] }],
  cookies: { keys: ['a key of the bench'] },
  claims: { openid: ['sub'], profile: ['name'] },
  features: { devInteractions: { enabled: false } },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, name: '홍길동' }) }),
  async loadExistingGrant({ oidc }) {
    const grant = new provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
    grant.addOIDCScope('openid profile');
    await grant.save();
    return grant;
  },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
});

const answer = provider.callback();
const tls = { key: readFileSync(`${directory}/peer.key`), cert: readFileSync(`${directory}/peer.pem`) };
createServer(tls, (request, response) => {
  if (!request.url.startsWith('/interaction/')) return answer(request, response);
  return provider.interactionFinished(request, response, { login: { accountId: 'person' } }, { mergeWithLastSubmission: false });
}).listen(Number(port), '127.0.0.1', () => writeFileSync(`${directory}/peer.ready`, issuer));
