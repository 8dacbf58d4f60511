//! Two instances of a program, and who is told of which.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// The instances that requests are sent to, as a Kubernetes Service knows them: it takes up one that is ready, and drops one 100 to
/// 300 ms after it has ceased to be.
#[derive(Clone, Debug, Default)]
pub struct Instances(Arc<Known>);

#[derive(Debug, Default)]
struct Known {
    endpoints: Mutex<Vec<Arc<Endpoint>>>,
    turn: AtomicUsize,
}

#[derive(Debug)]
struct Endpoint {
    address: SocketAddr,
    probe: SocketAddr,
    listed: AtomicBool,
}

impl Instances {
    /// The next one in turn.
    pub fn pick(&self) -> SocketAddr {
        let endpoints = self.0.endpoints.lock().unwrap();
        let listed: Vec<_> = endpoints.iter().filter(|each| each.listed.load(Ordering::Relaxed)).collect();
        assert!(!listed.is_empty(), "there is no ready instance");
        listed[self.0.turn.fetch_add(1, Ordering::Relaxed) % listed.len()].address
    }

    fn watch(&self, address: SocketAddr, probe: SocketAddr) -> Arc<Endpoint> {
        let endpoint = Arc::new(Endpoint { address, probe, listed: AtomicBool::new(false) });
        self.0.endpoints.lock().unwrap().push(Arc::clone(&endpoint));
        let (known, watched) = (Arc::clone(&self.0), Arc::clone(&endpoint));
        tokio::spawn(async move {
            while !is_ready(watched.probe).await {
                sleep(Duration::from_millis(10)).await;
            }
            watched.listed.store(true, Ordering::Relaxed);
            while is_ready(watched.probe).await {
                sleep(Duration::from_millis(20)).await;
            }
            sleep(Duration::from_millis(fastrand::u64(100..=300))).await;
            watched.listed.store(false, Ordering::Relaxed);
            known.endpoints.lock().unwrap().retain(|other| !Arc::ptr_eq(other, &watched));
        });
        endpoint
    }
}

async fn is_ready(probe: SocketAddr) -> bool {
    let asked = async {
        let mut stream = TcpStream::connect(probe).await?;
        stream.write_all(b"GET /health/ready HTTP/1.0\r\nhost: probe\r\n\r\n").await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    timeout(Duration::from_secs(1), asked).await.is_ok_and(|answer| {
        answer.is_ok_and(|answer| answer.starts_with(b"HTTP/1.0 200") || answer.starts_with(b"HTTP/1.1 200"))
    })
}

/// One process. It is killed when it is dropped.
#[derive(Debug)]
struct Instance {
    child: Child,
    endpoint: Arc<Endpoint>,
    log: Arc<Mutex<Vec<String>>>,
    /// Reads the log to its end.
    reader: JoinHandle<()>,
}

/// Two processes of one program, which logs JSON lines and says where it listens: `{"message":"listening","address":..}`, with
/// `admin_address` if probes have a port of their own.
#[derive(Debug)]
pub struct Fleet {
    program: PathBuf,
    vars: Vec<(&'static str, String)>,
    /// Where to send requests.
    pub instances: Instances,
    running: Vec<Instance>,
}

impl Fleet {
    /// Starts two instances with these variables, and waits until both are ready.
    pub async fn start(program: &str, vars: &[(&'static str, &str)]) -> Self {
        let mut fleet = Self {
            program: program.into(),
            vars: vars.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(),
            instances: Instances::default(),
            running: Vec::new(),
        };
        for _ in 0..2 {
            let instance = fleet.launch().await;
            fleet.running.push(instance);
        }
        fleet
    }

    /// Stops each instance in its turn, by SIGTERM, and puts a new one in its place once it has gone.
    pub async fn rolling_restart(&mut self) {
        for slot in 0..self.running.len() {
            let (status, log) = self.running.remove(slot).stop().await;
            assert!(status.success(), "{status}\n{}", log.join(""));
            assert!(log.last().is_some_and(|line| line.contains("service stopped")), "{}", log.join(""));
            let instance = self.launch().await;
            self.running.insert(slot, instance);
        }
    }

    async fn launch(&self) -> Instance {
        let mut command = Command::new(&self.program);
        command.env_clear().envs([("PORT", "0"), ("ADMIN_PORT", "0"), ("LOG_FORMAT", "json")]);
        command.envs([("RUST_LOG", "info,bartizan::request=warn")]);
        command.envs(self.vars.iter().map(|(name, value)| (*name, value)));
        let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let log = Arc::<Mutex<Vec<String>>>::default();
        let (address, probe) = loop {
            let mut line = String::new();
            let read = timeout(PATIENCE, lines.read_line(&mut line)).await.unwrap().unwrap();
            assert!(read > 0, "it ended before it listened");
            let line: Value = serde_json::from_str(&line).unwrap();
            if line["message"] == "listening" {
                let address = |key: &str| line[key].as_str().and_then(|address| address.parse().ok());
                let own: SocketAddr = address("address").unwrap();
                break (own, address("admin_address").unwrap_or(own));
            }
        };
        let kept = Arc::clone(&log);
        let reader = tokio::spawn(async move {
            let mut line = String::new();
            while lines.read_line(&mut line).await.is_ok_and(|read| read > 0) {
                kept.lock().unwrap().push(std::mem::take(&mut line));
            }
        });
        let endpoint = self.instances.watch(address, probe);
        let listed = async {
            while !endpoint.listed.load(Ordering::Relaxed) {
                sleep(Duration::from_millis(2)).await;
            }
        };
        timeout(PATIENCE, listed).await.expect("it was never ready");
        Instance { child, endpoint, log, reader }
    }
}

impl Instance {
    async fn stop(mut self) -> (ExitStatus, Vec<String>) {
        let pid = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
        let status = timeout(PATIENCE, self.child.wait()).await.expect("it did not stop").unwrap();
        assert!(
            !self.endpoint.listed.load(Ordering::Relaxed),
            "it ended while requests were still sent to it"
        );
        timeout(PATIENCE, self.reader).await.expect("its log did not end").unwrap();
        let log = self.log.lock().unwrap().clone();
        (status, log)
    }
}
