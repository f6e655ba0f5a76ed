/** The shapes a ministry's administrators work with besides people and applications: rules, roles, look, groups. */
import type { Microseconds, Page, Role, Words } from './types';

/** Done, or waiting for a second administrator. */
export interface Approved {
  done: boolean;
  approval: string | null;
}

export type RuleOrigin = 'base' | 'platform' | 'ministry' | 'owner';

export interface Rule {
  id: string;
  origin: RuleOrigin;
  name: Words;
  text: string;
  on: boolean;
  forbids: boolean;
  version: number;
  changed_at: Microseconds | null;
}

export interface RuleList extends Page<Rule> {
  built_in: Rule[];
  platform: Rule[];
  schema: string;
}

export interface RuleDetail extends Rule {
  versions: { version: number; name: Words; text: string; on: boolean; changed_at: Microseconds }[];
}

export interface Mistake {
  line: number;
  column: number;
  message: string;
  help?: string;
}

export const ASSURANCES = ['certificate_totp', 'certificate_passkey', 'certificate', 'upstream'] as const;
export const DEVICES = ['unknown', 'known', 'managed'] as const;
export type Assurance = (typeof ASSURANCES)[number];

export interface TryAnswer {
  allowed: boolean;
  because: { rule: string; version: number; name: Words; origin: RuleOrigin; effect: 'permit' | 'forbid' }[];
  step_up: Assurance | null;
  errors: string[];
  person: { name: string; unit: string; groups: string[]; roles: Role[] };
  hour: number;
  weekday: number;
}

export interface MinistryLook {
  ministry: string;
  name: Words;
  agency_code: string;
  colour: string | null;
  logo: string | null;
}

export interface NoticeRow {
  id: string;
  title: Words;
  body: Words;
  urgent: boolean;
  shown_from: Microseconds;
  shown_until: Microseconds | null;
}

export interface GroupRow {
  id: string;
  name: string;
  managed_by: 'hand' | 'scim';
  members: number;
  changed_at: Microseconds;
}

export interface MemberRow {
  person: string;
  name: string;
  unit: string;
}

export interface GrantRow {
  id: string;
  person: string;
  person_name?: string;
  role: Role;
  within: string;
  scope?: string;
  expires_at: Microseconds | null;
  created_at: Microseconds;
}
