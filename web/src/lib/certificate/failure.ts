import type { Catalogue } from '../i18n/catalogue';

/** Why a certificate could not be used in the browser; each has a text in every language. */
export type CertificateReason = keyof Catalogue['certificate'];

export class CertificateFailure extends Error {
  readonly reason: CertificateReason;

  constructor(reason: CertificateReason) {
    super(reason);
    this.reason = reason;
  }
}
