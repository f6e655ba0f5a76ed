//! Engine: desktop relay bytes (tickets, RFB, RDCleanPath, RDP mends, clipboard policy).
