/** An application's form: what the page edits, and what the portal takes. */
import type { ApplicationDetail, ApplicationKind, OidcSettings, OpeningWay, SamlSettings, SecurityLabel } from '../../lib/api/types';

export interface Draft {
  nameKo: string;
  nameEn: string;
  descriptionKo: string;
  descriptionEn: string;
  groupKo: string;
  groupEn: string;
  label: SecurityLabel;
  audience: 'ministry' | 'platform' | 'listed';
  state: string;
  kind: ApplicationKind;
  url: string;
  zone: string;
  redirects: string;
  afterLogout: string;
  backchannel: string;
  initiate: string;
  proof: string;
  saml: SamlSettings | null;
}

export const emptyDraft: Draft = {
  nameKo: '', nameEn: '', descriptionKo: '', descriptionEn: '', groupKo: '', groupEn: '', label: 'O', audience: 'ministry', state: 'active',
  kind: 'oidc', url: '', zone: 'business', redirects: '', afterLogout: '', backchannel: '', initiate: '', proof: 'client_secret_basic', saml: null,
};

const lines = (text: string): string[] => text.split('\n').map((line) => line.trim()).filter(Boolean);
const orNull = (text: string): string | null => text.trim() || null;

/** What is there already, to be edited. */
export function draftOf(detail: ApplicationDetail): Draft {
  const { protocol } = detail;
  const draft: Draft = {
    ...emptyDraft,
    nameKo: detail.name.ko, nameEn: detail.name.en,
    descriptionKo: detail.description.ko, descriptionEn: detail.description.en,
    groupKo: detail.group.ko, groupEn: detail.group.en,
    label: detail.label, audience: detail.audience.kind, state: detail.state, kind: protocol.kind,
  };
  if (protocol.kind === 'link') return { ...draft, url: protocol.url };
  if (protocol.kind === 'desktop') return { ...draft, zone: protocol.zone };
  if (protocol.kind === 'saml') return { ...draft, saml: protocol };
  return {
    ...draft,
    redirects: protocol.redirect_uris.join('\n'),
    afterLogout: (protocol.post_logout_redirect_uris ?? []).join('\n'),
    backchannel: protocol.backchannel_logout_uri ?? '',
    initiate: protocol.initiate_login_uri ?? '',
    proof: protocol.client_proof,
  };
}

function protocolOf(draft: Draft, before: OpeningWay | null): OpeningWay {
  if (draft.kind === 'link') return { kind: 'link', url: draft.url.trim() };
  if (draft.kind === 'desktop') {
    return { ...(before?.kind === 'desktop' ? before : { protocol: 'rfb' as const }), kind: 'desktop', zone: draft.zone.trim() };
  }
  if (draft.kind === 'saml') {
    return { ...(draft.saml ?? { entity_id: '', assertion_consumers: [] }), kind: 'saml' };
  }
  // What this page does not show stays as it was.
  const kept: Partial<OidcSettings> = before?.kind === 'oidc' ? before : { scopes: ['openid', 'profile'], grant_types: ['authorization_code'] };
  return {
    ...kept,
    kind: 'oidc',
    redirect_uris: lines(draft.redirects),
    post_logout_redirect_uris: lines(draft.afterLogout),
    backchannel_logout_uri: orNull(draft.backchannel),
    initiate_login_uri: orNull(draft.initiate),
    client_proof: draft.proof,
  };
}

/** What the portal takes. */
export function formOf(draft: Draft, before: ApplicationDetail | null): Record<string, unknown> {
  const words = (ko: string, en: string): { ko: string; en: string } => ({ ko: ko.trim(), en: en.trim() });
  return {
    name: words(draft.nameKo, draft.nameEn),
    description: words(draft.descriptionKo, draft.descriptionEn),
    group: words(draft.groupKo, draft.groupEn),
    place: before?.place ?? 0,
    icon: before ? 'keep' : { name: '' },
    label: draft.label,
    audience: { kind: draft.audience, ministries: before?.audience.ministries.map((row) => row.ministry) ?? [] },
    state: draft.state,
    protocol: protocolOf(draft, before?.protocol ?? null),
  };
}
