import { describe, expect, it } from 'vitest';
import { dayOf, endOf, lastDayOf, momentOf, startOf } from './korean-day';

describe('days in Korea', () => {
  const midnight = Date.parse('2026-11-22T15:00:00Z') * 1000;
  it('begin nine hours before those of UTC', () => {
    expect(startOf('2026-11-23')).toBe(midnight);
    expect(dayOf(midnight)).toBe('2026-11-23');
    expect(dayOf(midnight - 1)).toBe('2026-11-22');
  });
  it('end where the next one begins', () => {
    expect(endOf('2026-11-23')).toBe(startOf('2026-11-24'));
    expect(lastDayOf(endOf('2026-11-23') ?? 0)).toBe('2026-11-23');
  });
  it('are not made of anything', () => {
    expect(startOf('')).toBeNull();
    expect(endOf('2026-13-40')).toBeNull();
  });
  it('fill in what was not chosen', () => {
    const now = midnight / 1000 + 12 * 3_600_000;
    expect(momentOf('', '', now)).toBeNull();
    expect(momentOf('', '22', now)).toBe(startOf('2026-11-23', 22));
    expect(momentOf('2026-12-01', '', now)).toBe(startOf('2026-12-01'));
  });
});
