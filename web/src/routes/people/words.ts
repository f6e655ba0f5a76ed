import type { Person, Role } from '../../lib/api/types';

export const roles: Role[] = ['worker', 'ministry_admin', 'operator', 'auditor'];
export const stateTones = { active: 'success', locked: 'warning', revoked: 'danger' } as const satisfies Record<Person['state'], string>;
/** Lists give a count, the single person the rows. */
export const countOf = (value: number | unknown[] | undefined): number => (Array.isArray(value) ? value.length : (value ?? 0));
/** A detail of the record, as text; nothing for none. */
export function detailText(detail: unknown): string {
  if (detail === null || detail === undefined) return '';
  if (typeof detail === 'string') return detail;
  const text = JSON.stringify(detail);
  return text === '{}' ? '' : text;
}
/** Long identifiers shortened for reading: `person_01a2…7eff`. The whole belongs into a title beside it. */
export const shortIds = (text: string): string => text.replace(/([0-9a-f]{4})[0-9a-f]{24,}([0-9a-f]{4})/g, '$1…$2');
