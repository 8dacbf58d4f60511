//! Servers on free ports of the loopback interface, in folders of their own.

use std::{
    env, fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

/// In every connection string; may be nowhere else.
pub(crate) const SECRET: &str = "pl4nted";

pub(crate) struct Server {
    program: PathBuf,
    arguments: Vec<String>,
    user: Option<&'static str>,
    child: Option<Child>,
    folder: PathBuf,
    pub(crate) port: u16,
}

impl Server {
    /// Where the superuser is `app`, with [`SECRET`] as its password.
    pub(crate) fn postgres() -> Option<Self> {
        let bin = newest("/usr/lib/postgresql").map(|version| version.join("bin"));
        let initdb = installed("initdb", bin.as_deref())?;
        let mut server = Self::new(installed("postgres", bin.as_deref())?, Some("postgres"));
        let password = server.folder.join("password");
        fs::write(&password, SECRET).unwrap();
        let data = server.path("data");
        server.run(
            &initdb,
            &[
                "-D",
                &data,
                "-U",
                "app",
                "-A",
                "scram-sha-256",
                "--no-sync",
                "--pwfile",
                password.to_str().unwrap(),
            ],
        );
        let (port, folder) = (server.port.to_string(), server.path(""));
        Some(server.started(&[
            "-D",
            &data,
            "-p",
            &port,
            "-c",
            "listen_addresses=127.0.0.1",
            "-k",
            &folder,
            "-F",
        ]))
    }

    /// Where there is a user `app`, with [`SECRET`] as its password.
    pub(crate) fn mariadb() -> Option<Self> {
        let install = installed("mariadb-install-db", None)?;
        let mut server = Self::new(installed("mariadbd", Some(Path::new("/usr/sbin")))?, Some("mysql"));
        let data = server.path("data");
        let data = format!("--datadir={data}");
        server.run(
            &install,
            &["--no-defaults", &data, "--skip-test-db", "--auth-root-authentication-method=normal"],
        );
        let init = server.folder.join("init.sql");
        fs::write(&init, format!("CREATE USER IF NOT EXISTS app@'%' IDENTIFIED BY '{SECRET}';\n")).unwrap();
        let (port, socket) = (server.port.to_string(), server.path("socket"));
        Some(server.started(&[
            "--no-defaults",
            &data,
            "--bind-address=127.0.0.1",
            "--port",
            &port,
            "--socket",
            &socket,
            "--skip-name-resolve",
            &format!("--init-file={}", init.display()),
        ]))
    }

    /// Whose password is [`SECRET`].
    pub(crate) fn redis() -> Option<Self> {
        let server = Self::new(installed("redis-server", None)?, None);
        let (port, folder) = (server.port.to_string(), server.path(""));
        Some(server.started(&[
            "--bind",
            "127.0.0.1",
            "--port",
            &port,
            "--requirepass",
            SECRET,
            "--save",
            "",
            "--dir",
            &folder,
        ]))
    }

    /// The servers do not run as root: then they run as the user that their package has made.
    fn new(program: PathBuf, user: Option<&'static str>) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("bartizan-services-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
        let user = user.filter(|_| is_root);
        if let Some(user) = user {
            assert!(Command::new("chown").arg(user).arg(&folder).status().unwrap().success());
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { program, arguments: Vec::new(), user, child: None, folder, port }
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = match self.user {
            Some(user) => {
                let mut command = Command::new("setpriv");
                command.args(["--reuid", user, "--regid", user, "--clear-groups", "--"]).arg(program);
                command
            }
            None => Command::new(program),
        };
        let log = fs::File::options().create(true).append(true).open(self.folder.join("log")).unwrap();
        command.current_dir(&self.folder).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        command
    }

    fn run(&mut self, program: &Path, arguments: &[&str]) {
        let status = self.command(program).args(arguments).status().unwrap();
        assert!(status.success(), "{}: {}", program.display(), self.log());
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    fn started(mut self, arguments: &[&str]) -> Self {
        self.arguments = arguments.iter().map(ToString::to_string).collect();
        self.start();
        self
    }

    /// Returns when it takes connections and answers to them.
    pub(crate) fn start(&mut self) {
        let begin = Instant::now();
        loop {
            assert!(
                begin.elapsed() < Duration::from_mins(1),
                "{} does not start: {}",
                self.program.display(),
                self.log()
            );
            let over = match &mut self.child {
                Some(child) => child.try_wait().unwrap().is_some(),
                None => true,
            };
            // What was killed leaves things behind that the next one may trip over, for a while.
            if over {
                self.child = Some(self.command(&self.program).args(&self.arguments).spawn().unwrap());
            }
            if self.is_up() {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn is_up(&self) -> bool {
        if TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            return false;
        }
        // PostgreSQL takes connections before it is ready, and says so.
        let log = self.log().to_lowercase();
        let starts = ["starting postgresql", "starting mariadb", "redis is starting"];
        let begin = starts.iter().filter_map(|line| log.rfind(line)).max().unwrap_or(0);
        let ready = ["database system is ready", "ready for connections", "ready to accept connections"];
        ready.iter().any(|line| log[begin..].contains(line))
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Stops it, so that it neither answers nor closes its connections; or lets it go on.
    pub(crate) fn signal(&self, signal: &str) {
        let id = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Where the program is. Without it the test is skipped, unless `BARTIZAN_REQUIRE_SERVICES` is set.
fn installed(program: &str, folder: Option<&Path>) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = folder.map(Path::to_owned).into_iter().chain(env::split_paths(&path));
    let found = folders.map(|folder| folder.join(program)).find(|program| program.is_file());
    if found.is_none() {
        assert!(env::var_os("BARTIZAN_REQUIRE_SERVICES").is_none(), "{program} is not installed");
        println!("skipped: {program} is not installed");
    }
    found
}

fn newest(folder: &str) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?.filter_map(Result::ok);
    entries
        .map(|entry| entry.path())
        .max_by_key(|path| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok()))
}
