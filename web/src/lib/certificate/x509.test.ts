// @vitest-environment node
import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { file } from './fixtures';
import { readCertificate } from './x509';

describe('a certificate’s validity', () => {
  it('is read from UTCTime and from GeneralizedTime', () => {
    const der = file('sig.cer'); // from 2026 (UTCTime) until 2126 (GeneralizedTime)
    const judge = new X509Certificate(der);
    const certificate = readCertificate(der);
    expect(certificate.notBefore.getTime()).toBe(Date.parse(judge.validFrom));
    expect(certificate.notAfter.getTime()).toBe(Date.parse(judge.validTo));
  });
});
