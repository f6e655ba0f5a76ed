//! `footprint`: what `naru up` costs when nobody is there: memory, time to start, size of the program.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use serde_json::json;

use crate::{out, process::Measured};

const STARTS: usize = 7;
const READY_SECONDS_MAX: u64 = 60;
/// Until memory is read: background jobs have run once.
const SETTLE: Duration = Duration::from_secs(15);
const MIB: f64 = 1024.0 * 1024.0;

/// Runs the bench.
pub(crate) fn bench() -> Result<()> {
    let program = std::env::var_os("NARU_PROGRAM")
        .map(PathBuf::from)
        .context("NARU_PROGRAM names no program")?;
    let directory = tempfile::tempdir()?;
    let bytes = fs::metadata(&program)?.len();
    let binary_mib = f64::from(u32::try_from(bytes / 1024)?) / 1024.0;

    let first = start(&program, directory.path())?;
    first.process.stop();
    let mut starts = Vec::new();
    for _ in 1..STARTS {
        let again = start(&program, directory.path())?;
        starts.push(again.milliseconds);
        again.process.stop();
    }
    let idle = start(&program, directory.path())?;
    thread::sleep(SETTLE);
    let idle_mib = idle.process.memory_kib() * 1024.0 / MIB;
    let before = idle.process.cpu().0;
    thread::sleep(SETTLE);
    let cpu_percent = (idle.process.cpu().0 - before) / SETTLE.as_secs_f64() * 100.0;
    idle.process.stop();

    let start_ms = out::median(&starts);
    out::table(&[
        vec!["naru up, nobody there".to_owned(), "".to_owned()],
        vec!["program on disk".to_owned(), format!("{binary_mib:.1} MiB")],
        vec![
            "first start (makes keys and tables)".to_owned(),
            format!("{:.0} ms", first.milliseconds),
        ],
        vec![
            "start (median of the next)".to_owned(),
            format!("{start_ms:.0} ms"),
        ],
        vec!["memory (PSS)".to_owned(), format!("{idle_mib:.1} MiB")],
        vec!["processor".to_owned(), format!("{cpu_percent:.2} % of one")],
    ]);
    out::line("");
    let line = json!({
        "idle_mib": out::round(idle_mib, 1),
        "start_ms": out::round(start_ms, 0),
        "binary_mib": out::round(binary_mib, 1),
        "first_start_ms": out::round(first.milliseconds, 0),
        "idle_cpu_percent": out::round(cpu_percent, 2),
    });
    out::line(&line.to_string());
    Ok(())
}

struct Started {
    process: Measured,
    milliseconds: f64,
}

/// Starts every role and waits until the operation door says ready.
fn start(program: &Path, directory: &Path) -> Result<Started> {
    let [portal, fleet, gateway, agent, operation] = free_ports()?;
    let listen = |port: u16| format!("127.0.0.1:{port}");
    let began = naru_runtime::clock::instant();
    let mut process = Measured::start(
        Command::new(program)
            .arg("up")
            .env("NARU_STATE", directory)
            .env("NARU__PORTAL__LISTEN", listen(portal))
            .env("NARU__PORTAL__PORT", portal.to_string())
            .env("NARU__PORTAL__FLEET_LISTEN", listen(fleet))
            .env("NARU__GATEWAY__LISTEN", listen(gateway))
            .env("NARU__GATEWAY__PUBLIC_URL", format!("wss://localhost:{gateway}"))
            .env("NARU__AGENT__LISTEN", listen(agent))
            .env("NARU__OPERATION__LISTEN", listen(operation)),
    )?;
    while began.elapsed().as_secs() < READY_SECONDS_MAX {
        if is_ready(operation) {
            let milliseconds = began.elapsed().as_secs_f64() * 1_000.0;
            return Ok(Started {
                process,
                milliseconds,
            });
        }
        if !process.runs() {
            bail!("naru up ended at once: try {} up", program.display());
        }
        thread::sleep(Duration::from_millis(5));
    }
    bail!("naru up was not ready within {READY_SECONDS_MAX} s")
}

fn is_ready(port: u16) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        stream.write_all(b"GET /readyz HTTP/1.0\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.contains(" 200 "))
}

/// Free now; somebody else could take one before we do, which would show at once.
fn free_ports() -> Result<[u16; 5]> {
    let listeners: Vec<TcpListener> = (0..5)
        .map(|_| TcpListener::bind("127.0.0.1:0"))
        .collect::<std::io::Result<_>>()?;
    let ports: Vec<u16> = listeners
        .iter()
        .map(|listener| listener.local_addr().map(|at| at.port()))
        .collect::<std::io::Result<_>>()?;
    ports.try_into().ok().context("five ports")
}
