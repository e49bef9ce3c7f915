//! The distribution's programs that run beside ours, and the account they run under.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, bail};

const POSTGRES_HOME: &str = "/usr/lib/postgresql";
const POSTGRES_SHARE: &str = "/usr/share/postgresql";
const FOLDERS: [&str; 3] = ["/usr/bin", "/usr/sbin", "/usr/local/bin"];
/// Made by the distribution's package of PostgreSQL.
const ACCOUNT: &str = "postgres";

/// Programs of one version of PostgreSQL that has PostGIS.
pub struct Postgres {
    pub initdb: PathBuf,
    pub postgres: PathBuf,
}

/// Who the services are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Account {
    /// We are not root: they run as we do.
    Own,
    /// PostgreSQL and PgBouncer refuse to run as root: they run as the package's user.
    Package { uid: u32, gid: u32 },
}

pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

impl Postgres {
    /// The version that made a cluster, or the newest for a new one.
    pub fn find(version: Option<u32>) -> anyhow::Result<Self> {
        let found = newest(version);
        let Some(bin) = found.map(|version| {
            Path::new(POSTGRES_HOME)
                .join(version.to_string())
                .join("bin")
        }) else {
            match version {
                Some(version) => bail!(
                    "the database in the state folder was made by PostgreSQL {version}, which is not here any more (with PostGIS); \
                     install postgresql-{version}-postgis-3, or delete the state folder"
                ),
                None => bail!(
                    "PostgreSQL with PostGIS is missing: ./dev installs it, or apt-get install postgresql-15-postgis-3 (Debian 12)"
                ),
            }
        };
        Ok(Self {
            initdb: bin.join("initdb"),
            postgres: bin.join("postgres"),
        })
    }
}

fn newest(wanted: Option<u32>) -> Option<u32> {
    fs::read_dir(POSTGRES_HOME)
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .filter(|version| wanted.is_none_or(|wanted| wanted == *version))
        .filter(|version| {
            let bin = Path::new(POSTGRES_HOME)
                .join(version.to_string())
                .join("bin");
            let extension = Path::new(POSTGRES_SHARE)
                .join(version.to_string())
                .join("extension");
            bin.join("initdb").exists()
                && bin.join("postgres").exists()
                && extension.join("postgis.control").exists()
        })
        .max()
}

/// Another program by its name, which is also its package's.
pub fn program(name: &str) -> anyhow::Result<PathBuf> {
    FOLDERS
        .iter()
        .map(|folder| Path::new(folder).join(name))
        .find(|path| path.exists())
        .with_context(|| format!("{name} is missing: ./dev installs it, or apt-get install {name}"))
}

impl Account {
    pub fn choose() -> anyhow::Result<Self> {
        if !is_root() {
            return Ok(Self::Own);
        }
        let users = fs::read_to_string("/etc/passwd").context("/etc/passwd")?;
        let entry = users.lines().find_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            (fields.first() == Some(&ACCOUNT))
                .then(|| Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?)))?
        });
        let (uid, gid) = entry.with_context(|| {
            format!("PostgreSQL refuses to run as root, and there is no user {ACCOUNT}: install Debian's package of PostgreSQL, or run this as an ordinary user")
        })?;
        Ok(Self::Package { uid, gid })
    }

    /// A command under this account that gets `death_signal` when this process dies.
    ///
    /// It has to be spawned from the main thread: the kernel sends that signal when the *thread*
    /// ends. Its own process group keeps a terminal's Ctrl-C from it.
    pub fn command(&self, program: &Path, death_signal: &str) -> Command {
        use std::os::unix::process::CommandExt;
        let mut command = Command::new("setpriv");
        if let Self::Package { .. } = self {
            command.args([
                &format!("--reuid={ACCOUNT}"),
                &format!("--regid={ACCOUNT}"),
                "--init-groups",
            ]);
        }
        command
            .arg(format!("--pdeathsig={death_signal}"))
            .arg("--")
            .arg(program)
            .env_clear()
            .env(
                "PATH",
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            )
            .env("LC_ALL", "C.UTF-8")
            // Ours may be one that the account cannot enter.
            .current_dir("/")
            .stdin(Stdio::null())
            .process_group(0);
        command
    }

    /// Makes a folder of this account, for nobody else.
    pub fn make_folder(&self, path: &Path) -> anyhow::Result<()> {
        use std::os::unix::fs::DirBuilderExt;
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .and_then(|()| self.own(path))
            .with_context(|| format!("cannot make the folder {}", path.display()))
    }

    /// Gives a file or folder to this account.
    pub fn own(&self, path: &Path) -> std::io::Result<()> {
        match self {
            Self::Own => Ok(()),
            Self::Package { uid, gid } => std::os::unix::fs::chown(path, Some(*uid), Some(*gid)),
        }
    }

    /// Whether this account can work in a folder, with all the folders that lead to it.
    pub fn reaches(&self, path: &Path) -> bool {
        *self == Self::Own
            || self
                .command(Path::new("/usr/bin/test"), "KILL")
                .arg("-w")
                .arg(path)
                .status()
                .is_ok_and(|status| status.success())
    }
}
