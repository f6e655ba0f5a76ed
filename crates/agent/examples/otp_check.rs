//! What `naru agent otp-check --socket SOCKET` does, as a program of its own: the tests let PAM run it.

use std::process::ExitCode;

fn main() -> ExitCode {
    let socket = std::env::args_os().nth(1).unwrap_or_default();
    naru_agent::otp_check(socket.as_ref())
}
