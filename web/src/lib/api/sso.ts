/** The shapes of `docs/sign-on.md` that the portal's own pages use, by hand. Times are microseconds since 1970 UTC. */
import type { Microseconds } from './types';

export type Assurance = 'upstream' | 'certificate' | 'certificate_totp' | 'certificate_passkey';

export interface NamedApplication {
  name: string;
  ministry_name: string;
  /** A `data:` address. */
  logo: string | null;
}

export interface NamedScope {
  name: string;
  meaning: string;
}

export type SsoStep =
  | { next: 'sign_on'; language: string | null; application?: NamedApplication }
  | { next: 'step_up'; assurance: Assurance; reason: 'acr' | 'max_age' | 'login' }
  | { next: 'consent'; application: NamedApplication; scopes: NamedScope[] }
  | { next: 'denied'; because: string[]; application: NamedApplication }
  | { next: 'go' | 'post'; url: string }
  | { next: 'log_out'; ask: boolean; application?: NamedApplication | null; url: string };

export interface WaitingDevice {
  application: NamedApplication;
  scopes: NamedScope[];
  expires_at: Microseconds;
}

export interface Tile {
  application: string;
  kind: 'oidc' | 'saml' | 'link' | 'desktop';
  name: string;
  description?: string;
  /** The name of a picture of ours, or a path that answers a PNG. */
  icon?: string;
  url?: string;
  ministry_name?: string;
  favourite: boolean;
  last_opened_at?: Microseconds;
}

export interface PortalPage {
  ministry: { name: string; logo?: string; colour?: string };
  notices: { notice: string; title: string; body: string; urgent: boolean; at: Microseconds }[];
  groups: { name: string; tiles: Tile[] }[];
  favourites: string[];
  recent: Tile[];
  more: boolean;
}

export interface MyMinistry {
  ministry: string;
  name: string;
  current: boolean;
}

/** An application that may act with one's data. */
export interface AccessRow {
  application: string;
  name: string;
  ministry_name: string;
  scopes: string[];
  granted_at: Microseconds;
  last_used_at?: Microseconds;
}

/** One try to log on. */
export interface LogOnRow {
  at: Microseconds;
  address: string;
  place?: string | null;
  device: string;
  /** Nobody knew this browser as one of the person's. */
  is_new_device?: boolean;
  method: string;
  assurance?: string | null;
  /** `first_factor`, `signed_in`, or the code of a refusal. */
  outcome: string;
}
