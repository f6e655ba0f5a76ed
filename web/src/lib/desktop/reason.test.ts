import { describe, expect, it } from 'vitest';
import { ko } from '../i18n/ko';
import { mayRetry, reasonOf } from './reason';
import { readAnswer } from './rfb-door';

describe('close reasons', () => {
  it.each([
    [4000, 'left'], [4001, 'taken-over'], [4002, 'revoked'], [4003, 'idle'], [4004, 'ended'], [4005, 'host-lost'],
    [4006, 'host-full'], [4007, 'host-certificate-changed'], [4008, 'ticket-refused'], [4009, 'protocol-error'],
    [4010, 'draining'], [4011, 'too-slow'],
  ] as const)('%i is %s and has a sentence', (code, word) => {
    expect(reasonOf(code, '', true)).toBe(word);
    expect(reasonOf(1000, word, false)).toBe(word);
    expect(ko.desktop.closed[word].title).not.toBe('');
  });
  it('tells a lost line from one that never was', () => {
    expect(reasonOf(1006, '', true)).toBe('unknown');
    expect(reasonOf(1006, '', false)).toBe('unreachable');
    expect(reasonOf(4999, 'no such word', true)).toBe('unknown');
  });
  it('tries again by itself only where nobody decided against it', () => {
    expect(mayRetry('draining')).toBe(true);
    for (const final of ['taken-over', 'revoked', 'idle', 'ended', 'host-certificate-changed', 'left'] as const) expect(mayRetry(final)).toBe(false);
  });
});

describe('the gateway’s words', () => {
  it('are read strictly', () => {
    expect(readAnswer('{"step":"opening_session"}')).toEqual({ step: 'opening_session' });
    expect(readAnswer('{"ready":true}')).toEqual({ ready: true });
    for (const wrong of ['', 'null', '[]', '{"step":"dancing"}', '{"ready":1}', '{']) expect(readAnswer(wrong)).toBeNull();
  });
});
