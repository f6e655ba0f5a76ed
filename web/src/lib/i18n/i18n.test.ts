import { describe, expect, it } from 'vitest';
import { en } from './en';
import { firstLanguage } from './index.svelte';
import { ko } from './ko';
import { problemKey, problemsEn, problemsKo } from './problems';

/** Every text by its path; functions by what they make of numbers and words. */
function flat(value: unknown, path = ''): [string, string][] {
  if (typeof value === 'string') return [[path, value]];
  if (typeof value === 'function') return [[path, String((value as (...words: unknown[]) => string)(3, 3))]];
  return Object.entries(value as Record<string, unknown>).flatMap(([key, inner]) => flat(inner, path ? `${path}.${key}` : key));
}
const paths = (value: unknown): string[] => flat(value).map(([path]) => path).sort();

describe('the catalogues', () => {
  it('have the same keys', () => {
    expect(paths(en)).toEqual(paths(ko));
    expect(paths(problemsEn)).toEqual(paths(problemsKo));
  });
  it('leave nothing empty', () => {
    for (const [path, text] of [...flat(ko), ...flat(en), ...flat(problemsKo), ...flat(problemsEn)]) expect(text.trim(), path).not.toBe('');
  });
  it('are in their language', () => {
    const sameInBoth = new Set(['common.language']);
    for (const [path, text] of [...flat(en), ...flat(problemsEn)]) {
      if (!sameInBoth.has(path) && path !== 'people.subjectHint') expect(/[가-힣]/.test(text), `${path}: ${text}`).toBe(false);
    }
  });
});

describe('the first language', () => {
  it.each([
    [null, ['ko-KR', 'en'], 'ko'],
    [null, ['en-US', 'ko'], 'en'],
    [null, ['fr-FR'], 'ko'],
    [null, ['fr-FR', 'en-GB'], 'en'],
    ['en', ['ko-KR'], 'en'],
    ['xx', ['en-US'], 'en'],
  ] as const)('stored %s, wanted %s → %s', (stored, wanted, expected) => {
    expect(firstLanguage(stored, wanted)).toBe(expected);
  });
});

describe('problems', () => {
  it('have a text by code, alias, status and at last resort', () => {
    expect(problemKey('identity.certificate-expired', 403)).toBe('identity.certificate-expired');
    expect(problemKey('identity.not-allowed', 403)).toBe('runtime.role-needed');
    expect(problemKey('new.code', 409)).toBe('status.409');
    expect(problemKey('new.code', 400)).toBe('status.422');
    expect(problemKey('new.code', 500)).toBe('status.other');
    expect(problemKey('toString', 500)).toBe('status.other');
  });
});
