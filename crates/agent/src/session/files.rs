//! The desktop's scripts and settings, carried in the program and written out when the agent starts.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use naru_kernel::Zone;

use crate::Error;

/// Script that runs a TigerVNC session.
pub(crate) const SESSION_SCRIPT: &str = "session.sh";
/// Script that xrdp's session manager runs as the window manager.
pub(crate) const RDP_SCRIPT: &str = "rdp-session.sh";

/// One embedded file.
struct Embedded {
    path: &'static str,
    text: &'static str,
}

macro_rules! embedded {
    ($($path:literal),* $(,)?) => {
        &[$(Embedded { path: $path, text: include_str!(concat!("files/", $path)) }),*]
    };
}

const FILES: &[Embedded] = embedded![
    "session.sh",
    "rdp-session.sh",
    "desktop.sh",
    "programs.sh",
    "browser.sh",
    "libreoffice.xcu",
    "tint2rc",
    "openbox/rc.xml",
    "openbox/menu.xml",
    "xdg/pcmanfm/naru/pcmanfm.conf",
    "xdg/pcmanfm/naru/desktop-items-0.conf",
    "xdg/libfm/libfm.conf",
    "xdg/gtk-3.0/settings.ini",
    "desktop/writer.desktop",
    "desktop/browser.desktop",
    "desktop/files.desktop",
    "desktop/notes.desktop",
    "desktop/terminal.desktop",
    "desktop/logoff.desktop",
];

/// The colours of a desktop, as `#rrggbb`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    colour: String,
    shadow: &'static str,
}

impl Look {
    /// The zone's own colour (the same as its band in the portal), or the configured one.
    ///
    /// # Errors
    /// The configured colour is not `#rrggbb`.
    pub(crate) fn of(zone: &Zone, configured: Option<&str>) -> Result<Self, Error> {
        let colour = match configured {
            Some(colour) if is_colour(colour) => colour,
            Some(_) => {
                return Err(Error::Configuration {
                    why: "colour must be like #063a74",
                });
            }
            None if *zone == Zone::business() => "#063a74",
            None if *zone == Zone::internet() => "#8a5c00",
            None => "#464c53",
        };
        Ok(Self {
            colour: colour.to_owned(),
            shadow: "#1e2124",
        })
    }
}

fn is_colour(text: &str) -> bool {
    text.strip_prefix('#')
        .is_some_and(|digits| digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn render(text: &str, directory: &str, look: &Look) -> String {
    text.replace("@colour@", &look.colour)
        .replace("@shadow@", look.shadow)
        .replace("@files@", directory)
}

/// Writes all files below `directory`, readable by everybody and writable by the agent only.
///
/// # Errors
/// A file cannot be written, or the directory's name would need quoting in a script.
pub(crate) fn write(directory: &Path, look: &Look) -> Result<(), Error> {
    let name = plain(directory)?;
    for file in FILES {
        let path: PathBuf = directory.join(file.path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(Error::io("make a directory for the desktop's files"))?;
        }
        // Written aside and renamed: a session that starts meanwhile sees the old file or the new one.
        let aside = path.with_extension("new");
        fs::write(&aside, render(file.text, name, look)).map_err(Error::io("write the desktop's files"))?;
        let mode = if file.text.starts_with("#!") { 0o755 } else { 0o644 };
        fs::set_permissions(&aside, fs::Permissions::from_mode(mode))
            .and_then(|()| fs::rename(&aside, &path))
            .map_err(Error::io("put the desktop's files in place"))?;
    }
    Ok(())
}

/// A path as text that needs no quoting in a shell, XML or INI file.
pub(crate) fn plain(path: &Path) -> Result<&str, Error> {
    path.to_str()
        .filter(|text| {
            text.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte))
        })
        .filter(|text| text.starts_with('/'))
        .ok_or(Error::Configuration {
            why: "directories must be absolute, of letters, digits and / . _ - only",
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_rendered_wholly() {
        let look = Look::of(&Zone::business(), None).unwrap();
        for file in FILES {
            let text = render(file.text, "/run/naru", &look);
            assert!(
                !text.contains("@files@") && !text.contains("@colour@"),
                "{}",
                file.path
            );
        }
        assert!(render("@colour@", "", &look).contains("#063a74"));
    }

    #[test]
    fn zones_have_their_colour_and_a_wrong_one_is_refused() {
        let colour = |zone: Zone, configured| Look::of(&zone, configured).map(|look| look.colour);
        assert_eq!(colour(Zone::internet(), None).unwrap(), "#8a5c00");
        assert_eq!(colour(Zone::internet(), Some("#123abc")).unwrap(), "#123abc");
        for wrong in ["blue", "#12345", "#12345g", "#1234567", ""] {
            assert!(colour(Zone::business(), Some(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn scripts_are_executable_and_paths_that_need_quoting_are_refused() {
        let place = tempfile::tempdir().unwrap();
        let look = Look::of(&Zone::business(), None).unwrap();
        write(place.path(), &look).unwrap();
        write(place.path(), &look).unwrap();
        let mode = |name: &str| {
            fs::metadata(place.path().join(name))
                .unwrap()
                .permissions()
                .mode()
                & 0o777
        };
        assert_eq!(
            (mode(SESSION_SCRIPT), mode(RDP_SCRIPT), mode("tint2rc")),
            (0o755, 0o755, 0o644)
        );
        for wrong in ["/a b", "/a'b", "/a;b", "relative", "/a\"", "/한글"] {
            assert!(plain(Path::new(wrong)).is_err(), "{wrong}");
        }
    }
}
