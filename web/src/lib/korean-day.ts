/** Days and hours as they are in Korea, which has no summer time; the portal's times are microseconds since 1970 UTC. */
import type { Microseconds } from './api/types';

const KOREA_AHEAD_MS = 9 * 3_600_000;
const DAY_MS = 24 * 3_600_000;

/** The day of a time, `2026-11-23`. */
export const dayOf = (time: Microseconds): string => new Date(time / 1000 + KOREA_AHEAD_MS).toISOString().slice(0, 10);

/** When a day begins, or an hour of it; `null` for what is no day. */
export function startOf(day: string, hour = 0): Microseconds | null {
  const start = Date.parse(`${day}T${String(hour).padStart(2, '0')}:00:00+09:00`);
  return Number.isNaN(start) ? null : start * 1000;
}

/** When a day is over. */
export function endOf(day: string): Microseconds | null {
  const start = startOf(day);
  return start === null ? null : start + DAY_MS * 1000;
}

/** The last day before an end that {@link endOf} made. */
export const lastDayOf = (end: Microseconds): string => dayOf(end - 1);

/** A day and an hour as they are chosen, both perhaps not: now if neither is, today if there is no day, its first hour if there is no hour. */
export function momentOf(day: string, hour: string, nowMs: number): Microseconds | null {
  if (!day && !hour) return null;
  return startOf(day || dayOf(nowMs * 1000), hour ? Number(hour) : 0);
}
