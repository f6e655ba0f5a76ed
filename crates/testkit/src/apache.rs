//! Apache from Debian, with a configuration of its own, on a loopback port, behind TLS with a throw-away certificate.
//!
//! For tests against modules and programs that nobody here wrote. Nothing of the machine's own Apache is used or changed.

use std::{
    fs::{self, File},
    net::TcpStream,
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, kill_process};

const PROGRAM: &str = "/usr/sbin/apache2";
const MODULES: &str = "/usr/lib/apache2/modules";
/// What every site needs.
const ALWAYS: &[&str] = &[
    "mpm_prefork",
    "authn_core",
    "authz_core",
    "authz_user",
    "alias",
    "dir",
    "env",
    "mime",
    "setenvif",
    "socache_shmcb",
    "ssl",
];
const PAUSE: Duration = Duration::from_millis(50);
const PATIENCE_PAUSES: u32 = 200;

/// Why a site cannot be started on this machine, if so: the program or one of these modules (`auth_mellon`,
/// `auth_openidc`, `php`, …) is not installed.
#[must_use]
pub fn missing(modules: &[&str]) -> Option<String> {
    let program = Path::new(PROGRAM);
    if !program.is_file() {
        return Some("apache2 is not installed".to_owned());
    }
    modules
        .iter()
        .find(|module| !module_file(module).is_file())
        .map(|module| format!("Apache's module {module} is not installed"))
}

fn module_file(module: &str) -> PathBuf {
    let name = match module {
        "php" => "libphp8.2.so".to_owned(),
        name => format!("mod_{name}.so"),
    };
    Path::new(MODULES).join(name)
}

/// A directory for a site that is not running yet: put files in, then [`Site::start`].
pub struct Site {
    directory: tempfile::TempDir,
    port: u16,
    certificate_pem: String,
}

/// A certificate and its key, PEM.
pub struct KeyPair {
    /// The certificate, made by itself.
    pub certificate_pem: String,
    /// The private key, PKCS#8.
    pub key_pem: String,
}

/// An RSA key with a certificate of its own, for service providers and servers.
///
/// # Errors
/// When the key cannot be made.
pub fn key_pair(name: &str) -> anyhow::Result<KeyPair> {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256)?;
    let certificate = rcgen::CertificateParams::new(vec![name.to_owned()])?.self_signed(&key)?;
    Ok(KeyPair {
        certificate_pem: certificate.pem(),
        key_pem: key.serialize_pem(),
    })
}

impl Site {
    /// A new site on `https://localhost:<port>`.
    ///
    /// # Errors
    /// When files cannot be written.
    pub fn new(port: u16) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let pair = key_pair("localhost")?;
        fs::write(directory.path().join("tls.crt"), &pair.certificate_pem)?;
        fs::write(directory.path().join("tls.key"), &pair.key_pem)?;
        fs::create_dir(directory.path().join("www"))?;
        Ok(Self {
            directory,
            port,
            certificate_pem: pair.certificate_pem,
        })
    }

    /// A file or directory of the site; `www` is what it serves.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Where browsers reach it.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// What a client must trust to speak with it.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// A directory its workers may write to.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn writable(&self, name: &str) -> anyhow::Result<PathBuf> {
        let path = self.path(name);
        fs::create_dir_all(&path)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o777))?;
        Ok(path)
    }

    fn configuration(&self, modules: &[&str], site: &str) -> String {
        let directory = self.directory.path().display();
        let load: String = ALWAYS
            .iter()
            .chain(modules)
            .map(|module| format!("LoadModule {module}_module {}\n", module_file(module).display()))
            .collect();
        // Started by root it gives its rights up, as on a server.
        let user = if rustix::process::getuid().is_root() {
            "User www-data\nGroup www-data\n"
        } else {
            ""
        };
        format!(
            "ServerRoot {directory}\nServerName localhost\nPidFile {directory}/apache.pid\nListen 127.0.0.1:{}\n\
             Mutex file:{directory}/run default\nErrorLog {directory}/error.log\nLogLevel warn\n{load}{user}\
             StartServers 2\nMinSpareServers 1\nMaxSpareServers 4\nMaxRequestWorkers 8\nTypesConfig /etc/mime.types\n\
             DocumentRoot {directory}/www\nSSLEngine on\nSSLCertificateFile {directory}/tls.crt\n\
             SSLCertificateKeyFile {directory}/tls.key\nSSLSessionCache none\n\
             <Directory {directory}/www>\nRequire all granted\n</Directory>\n{site}\n",
            self.port
        )
    }

    /// Starts Apache with these modules and this piece of configuration, and waits until it listens.
    ///
    /// # Errors
    /// When it does not start; with what it said.
    pub async fn start(self, modules: &[&str], site: &str) -> anyhow::Result<Apache> {
        fs::create_dir_all(self.path("run"))?;
        let configuration = self.path("apache.conf");
        fs::write(&configuration, self.configuration(modules, site))?;
        readable(self.directory.path())?;
        let out = File::options()
            .append(true)
            .create(true)
            .open(self.path("output.log"))?;
        let child = Command::new(PROGRAM)
            .arg("-f")
            .arg(&configuration)
            .arg("-DFOREGROUND")
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            // Told to end, it tells its whole process group: that must not be the tests'.
            .process_group(0)
            .spawn()
            .context("apache2")?;
        let mut apache = Apache { site: self, child };
        for _ in 0..PATIENCE_PAUSES {
            if TcpStream::connect(("127.0.0.1", apache.site.port)).is_ok() {
                return Ok(apache);
            }
            if apache.child.try_wait()?.is_some() {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        bail!("Apache does not start:\n{}", apache.log());
    }
}

/// Everything a test wrote may be read by the workers; nothing here is a secret of anybody.
fn readable(path: &Path) -> std::io::Result<()> {
    let metadata = fs::metadata(path)?;
    let mode = metadata.permissions().mode();
    if metadata.is_dir() {
        fs::set_permissions(path, fs::Permissions::from_mode(mode | 0o755))?;
        for entry in fs::read_dir(path)? {
            readable(&entry?.path())?;
        }
        Ok(())
    } else {
        fs::set_permissions(path, fs::Permissions::from_mode(mode | 0o644))
    }
}

/// A running Apache; ends when dropped, with its workers.
pub struct Apache {
    site: Site,
    child: Child,
}

impl Apache {
    /// The site it serves.
    #[must_use]
    pub const fn site(&self) -> &Site {
        &self.site
    }

    /// What it said and logged.
    #[must_use]
    pub fn log(&self) -> String {
        ["output.log", "error.log"]
            .iter()
            .filter_map(|name| fs::read(self.site.path(name)).ok())
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .collect()
    }
}

impl Drop for Apache {
    fn drop(&mut self) {
        // Told to end, it ends its workers first; killed, it would leave them behind.
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let told = pid.is_some_and(|pid| kill_process(pid, Signal::TERM).is_ok());
        for _ in 0..PATIENCE_PAUSES {
            if !told || !matches!(self.child.try_wait(), Ok(None)) {
                break;
            }
            std::thread::sleep(PAUSE);
        }
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
