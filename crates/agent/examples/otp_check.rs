//! What `naru agent otp-check SOCKET` does, as a program of its own: the tests let PAM run it.

use std::process::ExitCode;

fn main() -> ExitCode {
    let socket = std::env::args_os().nth(1).unwrap_or_default();
    if naru_agent::otp::check_for_pam(socket.as_ref()) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
