import { describe, expect, it } from 'vitest';
import type { ApplicationDetail } from '../../lib/api/types';
import { draftOf, emptyDraft, formOf } from './form';

const detail: ApplicationDetail = {
  id: 'application_1',
  name: { ko: '전자결재', en: 'Approvals' },
  description: { ko: '', en: '' },
  group: { ko: '', en: '' },
  place: 3,
  icon: 'stamp',
  label: 'S',
  audience: { kind: 'listed', ministries: [{ ministry: 'ministry_2', name: { ko: '나', en: 'B' } }] },
  state: 'active',
  protocol: {
    kind: 'oidc', redirect_uris: ['https://a/1', 'https://a/2'], post_logout_redirect_uris: [], backchannel_logout_uri: null, initiate_login_uri: null,
    client_proof: 'none', scopes: ['openid', 'email'],
  },
  has_secret: false,
  endpoints: { issuer: '', discovery: '', saml_metadata: '' },
  created_at: 1,
  changed_at: 1,
};

describe('the form of an application', () => {
  it('gives back what it was given', () => {
    const form = formOf(draftOf(detail), detail);
    expect(form['protocol']).toEqual(detail.protocol);
    expect(form['audience']).toEqual({ kind: 'listed', ministries: ['ministry_2'] });
    expect(form['place']).toBe(3);
    expect(form['icon']).toBe('keep');
  });

  it('reads addresses line by line, without empty ones', () => {
    const form = formOf({ ...emptyDraft, redirects: ' https://a/1 \n\nhttps://a/2\n' }, null);
    expect(form['protocol']).toMatchObject({ kind: 'oidc', redirect_uris: ['https://a/1', 'https://a/2'], scopes: ['openid', 'profile'] });
  });

  it('sends of a link its address alone', () => {
    expect(formOf({ ...emptyDraft, kind: 'link', url: ' https://a/ ' }, null)['protocol']).toEqual({ kind: 'link', url: 'https://a/' });
  });
});
