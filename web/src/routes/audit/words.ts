import type { AuditRow } from '../../lib/api/types';
import type { Catalogue } from '../../lib/i18n/catalogue';

/** The record keeps identifiers, since a chain cannot forget. Here they become words for reading; the raw text stays at hand. */

/** Somebody or something of the record. */
export interface Party {
  /** What to read: a name, or the kind and the end of the identifier. */
  text: string;
  /** A word about it. */
  note: string;
  /** The person's identifier, when it is one. */
  person: string | null;
}

export interface Term {
  term: string;
  value: string;
}

const IDENTIFIER = /^([a-z]+)_([0-9a-f]{32})$/;
/** Enough of a long code to compare with another row; the whole is in the raw text. */
const CODE_CHARACTERS = 6;
const LONG_CODE = /^[0-9a-f]{24,}$/i;

/** A record's word table may hold anything; what it does not hold is no text. */
const lookup = (table: Record<string, string>, key: string): string | undefined => (Object.hasOwn(table, key) ? table[key] : undefined);

/** `host_01…` as "Server …9f3a"; other text as it is. */
export function short(text: string, words: Catalogue): string {
  const [, kind = '', digits = ''] = IDENTIFIER.exec(text) ?? [];
  if (digits) return `${lookup(words.record.kinds, kind) ?? kind} …${digits.slice(-CODE_CHARACTERS)}`;
  return LONG_CODE.test(text) ? `${text.slice(0, CODE_CHARACTERS)}…${text.slice(-CODE_CHARACTERS)}` : text;
}

export const actionName = (action: string, words: Catalogue): string => lookup(words.record.actions, action) ?? action;

/** Who acted: `person_…/logon_…`, `claimed:person_…`, `host_…`, `platform:part` or `anyone`. */
export function actor(row: AuditRow, words: Catalogue): Party {
  const text = row.actor ?? '';
  const { record } = words;
  if (text === '') return { text: '–', note: '', person: null };
  if (text === 'anyone') return { text: record.anyone, note: '', person: null };
  if (text.startsWith('platform:')) {
    const part = text.slice('platform:'.length);
    return { text: record.platform(lookup(record.parts, part) ?? part), note: '', person: null };
  }
  const claimed = text.startsWith('claimed:');
  const id = text.replace(/^claimed:/, '').split('/')[0] ?? '';
  return { text: row.actor_name ?? short(id, words), note: claimed ? record.claimed : '', person: id.startsWith('person_') ? id : null };
}

/** To whom or what it was done. */
export function subject(row: AuditRow, words: Catalogue): Party {
  const id = row.subject ?? '';
  return { text: row.subject_name ?? (short(id, words) || '–'), note: '', person: id.startsWith('person_') ? id : null };
}

function value(key: string, raw: unknown, words: Catalogue, problems: Record<string, { title: string }>): string {
  if (typeof raw === 'boolean') return raw ? words.common.yes : words.common.no;
  if (typeof raw === 'number') return String(raw);
  if (typeof raw !== 'string') return JSON.stringify(raw);
  if (key === 'code') return (Object.hasOwn(problems, raw) && problems[raw]?.title) || raw;
  if (key === 'alarm') return lookup(words.people.alarmKinds, raw) ?? raw;
  if (key === 'roles') return raw.split(/[ ,;]+/).map((role) => lookup(words.role, role) ?? role).join(', ');
  if (key === 'zone') return raw === 'business' || raw === 'internet' ? words.zone[raw] : raw;
  // The term says what it is; the end of the identifier is enough to tell one from another.
  const [, , digits] = IDENTIFIER.exec(raw) ?? [];
  return digits ? `…${digits.slice(-CODE_CHARACTERS)}` : (lookup(words.record.values, raw) ?? short(raw, words));
}

/** A detail as terms and values; nothing for none. */
export function terms(detail: unknown, words: Catalogue, problems: Record<string, { title: string }>): Term[] {
  if (detail === null || detail === undefined || detail === '') return [];
  if (typeof detail !== 'object' || Array.isArray(detail)) {
    return [{ term: words.audit.detail, value: typeof detail === 'string' ? detail : JSON.stringify(detail) }];
  }
  return Object.entries(detail).map(([key, raw]) => ({ term: lookup(words.record.terms, key) ?? key, value: value(key, raw, words, problems) }));
}

/** The entry as the record has it. */
export function raw(row: AuditRow): string {
  const { stream, sequence, at, action, outcome, actor: who, subject: whom, address, detail } = row;
  return JSON.stringify({ stream, sequence, at, action, outcome, actor: who, subject: whom, address, detail }, null, 2);
}
