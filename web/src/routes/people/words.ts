import type { Person, Role } from '../../lib/api/types';

export const roles: Role[] = ['worker', 'ministry_admin', 'operator', 'auditor'];
export const stateTones = { active: 'success', locked: 'warning', revoked: 'danger' } as const satisfies Record<Person['state'], string>;
/** Lists give a count, the single person the rows. */
export const countOf = (value: number | unknown[] | undefined): number => (Array.isArray(value) ? value.length : (value ?? 0));
/** The common name of a certificate's name, for reading; the whole where there is none. */
export function commonName(subject: string): string {
  const found = /(?:^|,)\s*cn=((?:\\.|[^,\\])+)/i.exec(subject);
  return found?.[1]?.replace(/\\(.)/g, '$1').trim() ?? subject;
}
