import { describe, expect, it } from 'vitest';
import { ruleOf } from './rule';

describe('a rule that forbids', () => {
  it.each([
    ['밤에는 닫음 · Closed at night (policy 01ab v2)', 'ko', '밤에는 닫음', 'policy 01ab v2'],
    ['밤에는 닫음 · Closed at night (policy 01ab v2)', 'en', 'Closed at night', 'policy 01ab v2'],
    ['규칙을 읽을 수 없음 · the rules cannot be read', 'en', 'the rules cannot be read', null],
    ['no-permit', 'ko', 'no-permit', null],
    ['', 'ko', '', null],
  ] as const)('%s in %s', (text, language, name, reference) => {
    expect(ruleOf(text, language)).toEqual({ name, reference });
  });
});
