/** The shapes of `docs/api-design.md`, by hand. Times are microseconds since 1970 UTC. */

export type Microseconds = number;
export type Role = 'worker' | 'ministry_admin' | 'operator' | 'auditor';
/** Which zones there are is configuration; `business` and `internet` have a colour and a word of their own. */
export type Zone = string;
export type Protocol = 'rfb' | 'rdp';
export type FactorKind = 'passkey' | 'totp';
export type SecurityLabel = 'C' | 'S' | 'O';

export interface Page<Item> {
  items: Item[];
  next: string | null;
  total: number;
}

export interface ProblemBody {
  type?: string;
  title: string;
  status: number;
  code: string;
  detail?: string;
  reference?: string;
  field?: string;
}

export interface Platform {
  name: string;
  version: string;
  certificate_door: string;
  profiles: (string | { id: string; name?: string })[];
  demo: boolean;
  gateway_url: string;
}

export interface LogonStep {
  next: 'certificate' | 'activate' | 'enrol' | 'second_factor' | 'done';
  factors: FactorKind[];
  person?: { name: string; ministry: string };
}

export interface Session {
  id: string;
  expires_at: Microseconds;
  idle_expires_at: Microseconds;
  warn_seconds: number;
}

export interface Me {
  person: string;
  name: string;
  ministry: string;
  ministry_name: string;
  roles: Role[];
  language: string;
  session: Session;
}

export interface SessionRow {
  id: string;
  current: boolean;
  created_at: Microseconds;
  last_seen_at: Microseconds;
  address: string;
  device: string;
  method: string;
  state: string;
}

export interface Factor {
  id: string;
  kind: FactorKind;
  name: string;
  created_at: Microseconds;
  last_used_at: Microseconds | null;
}

export interface PersonCertificate {
  id: string;
  subject: string;
  issuer: string;
  serial: string;
  not_after: Microseconds;
  state: string;
}

export interface Person {
  id: string;
  name: string;
  subject_name: string;
  state: 'active' | 'locked' | 'revoked';
  roles: Role[];
  /** Lists give counts, the single person gives the rows. */
  factors: number | Factor[];
  certificates: number | PersonCertificate[];
  sessions?: SessionRow[];
  last_logon_at: Microseconds | null;
}

export interface Words {
  ko: string;
  en: string;
}

export type ApplicationKind = 'oidc' | 'saml' | 'link' | 'desktop';
export type AudienceKind = 'ministry' | 'platform' | 'listed';

export interface ApplicationRow {
  id: string;
  kind: ApplicationKind;
  name: Words;
  group: Words;
  label: SecurityLabel;
  audience: AudienceKind;
  state: string;
  changed_at: Microseconds;
}

export interface OidcSettings {
  redirect_uris: string[];
  post_logout_redirect_uris?: string[];
  backchannel_logout_uri?: string | null;
  initiate_login_uri?: string | null;
  client_proof: string;
  scopes?: string[];
  grant_types?: string[];
}

export interface SamlSettings {
  entity_id: string;
  assertion_consumers: { url: string; index: number }[];
}

export type OpeningWay =
  | ({ kind: 'oidc' } & OidcSettings)
  | ({ kind: 'saml' } & SamlSettings)
  | { kind: 'link'; url: string }
  | { kind: 'desktop'; zone: string; protocol: 'rfb' | 'rdp' };

/** An application, whole, as its administrators see it. */
export interface ApplicationDetail {
  id: string;
  name: Words;
  description: Words;
  group: Words;
  place: number;
  icon: string;
  label: SecurityLabel;
  audience: { kind: AudienceKind; ministries: { ministry: string; name: Words }[] };
  state: string;
  protocol: OpeningWay;
  has_secret: boolean;
  endpoints: { issuer: string; discovery: string; saml_metadata: string };
  created_at: Microseconds;
  changed_at: Microseconds;
}

/** Something asked that needs a second person. */
export interface Approval {
  id: string;
  kind: string;
  subject: string;
  about: string | null;
  summary: Record<string, unknown>;
  state: 'waiting' | 'agreed' | 'refused' | 'withdrawn' | 'expired';
  asked_by: string;
  asked_at: Microseconds;
  expires_at: Microseconds;
  decided_at: Microseconds | null;
  note: string;
  yours_to_decide: boolean;
  yours: boolean;
}

export interface ImportReport {
  rows: number;
  valid: number;
  imported: number;
  errors: { line: number; field: string; problem: string }[];
}

export interface Clipboard {
  copy_out: boolean;
  paste_in: boolean;
}

export interface Offer {
  zone: Zone;
  protocol: Protocol;
  label: SecurityLabel;
  clipboard: Clipboard;
}

export interface DesktopRow {
  id: string;
  zone: Zone;
  protocol: Protocol;
  state: 'queued' | 'starting' | 'running' | 'disconnected' | 'ended';
  host_name: string | null;
  opened_at: Microseconds;
  last_seen_at: Microseconds | null;
  counters?: { bytes_in: number; bytes_out: number; round_trip_us: number | null } | null;
}

export interface OperateDesktopRow extends DesktopRow {
  person?: string;
  person_name?: string;
  ministry?: string;
}

export interface Opening {
  desktop: string;
  zone: Zone;
  protocol: Protocol;
  state: 'queued' | 'ready';
  position?: number | null;
  waiting?: number | null;
  ticket?: string | null;
  gateway_url?: string | null;
  clipboard: Clipboard;
  watermark: string;
  existing: boolean;
}

export interface HostLoad {
  cpu_pressure_percent: number;
  processors: number;
  memory_total_mib: number;
  memory_available_mib: number;
  sessions: number;
  sessions_max: number;
  logons_in_progress: number;
}

export interface HostRow {
  id: string;
  role: 'host' | 'gateway';
  name: string;
  address: string;
  zone: Zone;
  protocols: Protocol[];
  state: 'ready' | 'draining' | 'lost';
  load: HostLoad | null;
  desktops: number;
  last_seen_at: Microseconds | null;
  certificate_sha256: string;
}

export interface EnrolmentToken {
  token: string;
  expires_at: Microseconds;
  command: string;
}

export interface AuditRow {
  id: string;
  stream: string;
  sequence: number;
  at: Microseconds;
  action: string;
  outcome: string;
  actor: string | null;
  /** Today's names, where the portal knows them and the auditor may. */
  actor_name?: string;
  subject: string | null;
  subject_name?: string;
  address: string | null;
  detail: unknown;
}

export interface AuditVerification {
  ok: boolean;
  entries: number;
  head: string;
  broken?: { sequence: number; why: string };
}

export interface Alarm {
  id: string;
  at: Microseconds;
  kind: string;
  person?: string | null;
  detail: unknown;
}
