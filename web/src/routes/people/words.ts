import type { Person, Role } from '../../lib/api/types';

export const roles: Role[] = ['worker', 'ministry_admin', 'operator', 'auditor'];
export const stateTones = { active: 'success', locked: 'warning', revoked: 'danger' } as const satisfies Record<Person['state'], string>;
/** Lists give a count, the single person the rows. */
export const countOf = (value: number | unknown[] | undefined): number => (Array.isArray(value) ? value.length : (value ?? 0));
/** A detail of the record, as text. */
export const detailText = (detail: unknown): string =>
  typeof detail === 'string' ? detail : detail === null || detail === undefined ? '' : JSON.stringify(detail);
