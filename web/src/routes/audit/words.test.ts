import { describe, expect, it } from 'vitest';
import type { AuditRow } from '../../lib/api/types';
import { en } from '../../lib/i18n/en';
import { problemsEn } from '../../lib/i18n/problems';
import { actionName, actor, raw, short, subject, terms } from './words';

const PERSON = `person_${'0'.repeat(27)}ab12c`;
const row = (over: Partial<AuditRow>): AuditRow => ({
  id: 'platform.1', stream: 'platform', sequence: 1, at: 1, action: 'identity.sign-in', outcome: 'done', actor: '', subject: '', address: '', detail: {}, ...over,
});

describe('the record in words', () => {
  it('names people where the portal knows them, and shortens identifiers where it does not', () => {
    expect(actor(row({ actor: `${PERSON}/logon_${'1'.repeat(32)}`, actor_name: '홍길동' }), en)).toEqual({ text: '홍길동', note: '', person: PERSON });
    expect(actor(row({ actor: `claimed:${PERSON}` }), en)).toEqual({ text: 'Person …0ab12c', note: 'still proving it', person: PERSON });
    expect(subject(row({ subject: PERSON, subject_name: '홍길동' }), en).text).toBe('홍길동');
    expect(subject(row({ subject: 'vm' }), en)).toEqual({ text: 'vm', note: '', person: null });
  });
  it('says which part of the platform acted, and when nobody was known', () => {
    expect(actor(row({ actor: 'platform:admin' }), en).text).toBe('Platform · admin command');
    expect(actor(row({ actor: 'platform:toString' }), en).text).toBe('Platform · toString');
    expect(actor(row({ actor: 'anyone' }), en).text).toBe('Someone not identified');
    expect(actor(row({ actor: null }), en).text).toBe('–');
  });
  it('has a word for an action, else the action itself', () => {
    expect(actionName('identity.sign-in', en)).toBe('Log-on');
    expect(actionName('constructor', en)).toBe('constructor');
  });
  it('turns a detail into terms and values', () => {
    const detail = { code: 'identity.certificate-expired', roles: 'worker auditor', zone: 'business', is_platform: true, serial: 'a'.repeat(40), host: `host_${'b'.repeat(32)}`, new_thing: [1] };
    expect(terms(detail, en, problemsEn)).toEqual([
      { term: 'Refused because', value: problemsEn['identity.certificate-expired'].title },
      { term: 'Roles', value: 'Worker, Auditor' },
      { term: 'Zone', value: 'Business' },
      { term: 'Runs the platform', value: 'Yes' },
      { term: 'Serial number', value: 'aaaaaa…aaaaaa' },
      { term: 'Server', value: '…bbbbbb' },
      { term: 'new_thing', value: '[1]' },
    ]);
    expect(terms({}, en, problemsEn)).toEqual([]);
    expect(terms(null, en, problemsEn)).toEqual([]);
    expect(terms('tampered', en, problemsEn)).toEqual([{ term: 'Detail', value: 'tampered' }]);
  });
  it('keeps the raw entry whole, without what was looked up', () => {
    const text = raw(row({ actor: `${PERSON}/x`, actor_name: '홍길동', detail: { serial: 'f'.repeat(40) } }));
    expect(text).toContain(PERSON);
    expect(text).toContain('f'.repeat(40));
    expect(text).not.toContain('홍길동');
  });
  it('shortens only identifiers and long codes', () => {
    expect(short('localhost:44867', en)).toBe('localhost:44867');
    expect(short('', en)).toBe('');
  });
});
