//! Engine: certificates in, verdicts out (X.509 paths, GPKI and NPKI policy, CRLs, CMS log-on).
