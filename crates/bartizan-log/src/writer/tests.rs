use super::*;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Instant;

const LONG: Duration = Duration::from_secs(30);

/// Collects what is written.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Memory {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A pipe that nobody reads: each write waits for a permission.
struct Gate {
    arrived: Sender<()>,
    open: Receiver<()>,
    memory: Memory,
}

impl Write for Gate {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.arrived.send(());
        let _ = self.open.recv();
        self.memory.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn gate() -> (Gate, Receiver<()>, Sender<()>, Memory) {
    let (arrived, arrivals) = mpsc::channel();
    let (opener, open) = mpsc::channel();
    let memory = Memory::default();
    (Gate { arrived, open, memory: memory.clone() }, arrivals, opener, memory)
}

#[test]
fn lines_come_out_whole_and_in_order() {
    let memory = Memory::default();
    let writer = LogWriter::new(memory.clone()).unwrap();
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let writer = writer.clone();
            std::thread::spawn(move || {
                for line in 0..1000 {
                    assert!(writer.write_line(format!("{thread} {line}\n").as_bytes()));
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert!(writer.flush(LONG));
    let text = memory.text();
    assert_eq!(text.lines().count(), 4000);
    for thread in 0..4 {
        let own: Vec<String> = (0..1000).map(|line| format!("{thread} {line}")).collect();
        let seen: Vec<&str> = text.lines().filter(|line| line.starts_with(&format!("{thread} "))).collect();
        assert_eq!(seen, own);
    }
    assert_eq!(writer.lines_dropped_total(), 0);
}

#[test]
fn a_blocked_sink_blocks_nobody_and_what_does_not_fit_is_dropped_and_counted() {
    let (gate, arrivals, opener, memory) = gate();
    let writer = LogWriter::with_capacity(gate, 1000).unwrap();
    let line = [b"x".repeat(99), b"\n".to_vec()].concat();
    assert!(writer.write_line(&line));
    arrivals.recv().unwrap();
    let started = Instant::now();
    let taken = (0..10_000).filter(|_| writer.write_line(&line)).count();
    assert!(started.elapsed() < LONG);
    assert_eq!(taken, 10, "the buffer holds ten lines while one is being written");
    assert_eq!(writer.lines_dropped_total(), 9_990);
    assert!(writer.handle.shared.lock().buffer.capacity() <= 2000, "memory is bounded");
    assert!(!writer.flush(Duration::ZERO), "nothing can be written");
    opener.send(()).unwrap();
    opener.send(()).unwrap();
    assert!(writer.flush(LONG));
    assert_eq!(memory.text().lines().count(), 11);
    assert!(writer.write_line(&line), "there is room again");
    drop(opener);
    assert!(writer.flush(LONG));
}

#[test]
fn a_line_longer_than_the_buffer_is_dropped() {
    let writer = LogWriter::with_capacity(io::sink(), 10).unwrap();
    assert!(!writer.write_line(b"0123456789\n"));
    assert!(writer.write_line(b"012345678\n"));
    assert_eq!(writer.lines_dropped_total(), 1);
}

#[test]
fn shutdown_writes_what_was_taken_and_takes_no_more() {
    let memory = Memory::default();
    let writer = LogWriter::new(memory.clone()).unwrap();
    let guard = LogGuard::new(writer.clone());
    writer.write_line(b"last\n");
    assert!(guard.shutdown(LONG));
    assert_eq!(memory.text(), "last\n");
    assert!(!writer.write_line(b"too late\n"));
    assert_eq!(writer.lines_dropped_total(), 1);
    assert!(writer.shutdown(LONG), "twice is no harm");
}

#[test]
fn shutdown_of_a_blocked_sink_keeps_its_deadline_and_says_so() {
    let (gate, arrivals, opener, _memory) = gate();
    let writer = LogWriter::new(gate).unwrap();
    writer.write_line(b"stuck\n");
    arrivals.recv().unwrap();
    assert!(!LogGuard::new(writer).shutdown(Duration::from_millis(1)));
    drop(opener);
}

#[test]
fn the_last_handle_lets_the_thread_write_and_end() {
    let (gate, arrivals, opener, memory) = gate();
    let writer = LogWriter::new(gate).unwrap();
    writer.write_line(b"one\n");
    drop(writer);
    arrivals.recv().unwrap();
    opener.send(()).unwrap();
    assert!(arrivals.recv_timeout(LONG).is_err(), "the sink is dropped with the thread");
    assert_eq!(memory.text(), "one\n");
}

/// Fails as told, one entry a write; what it accepts goes to the memory.
struct Flaky {
    answers: Vec<Answer>,
    memory: Memory,
}

enum Answer {
    Take(usize),
    Fail(io::ErrorKind),
    Panic,
}

impl Write for Flaky {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.answers.pop() {
            None => self.memory.write(bytes),
            Some(Answer::Take(len)) => self.memory.write(&bytes[..len.min(bytes.len())]),
            Some(Answer::Fail(kind)) => Err(kind.into()),
            Some(Answer::Panic) => panic!("a sink that panics"),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn flaky(mut answers: Vec<Answer>) -> (LogWriter, Memory) {
    answers.reverse();
    let memory = Memory::default();
    (LogWriter::new(Flaky { answers, memory: memory.clone() }).unwrap(), memory)
}

#[test]
fn interrupted_short_and_refused_writes_lose_nothing() {
    let (writer, memory) = flaky(vec![
        Answer::Fail(io::ErrorKind::Interrupted),
        Answer::Take(3),
        Answer::Fail(io::ErrorKind::WouldBlock),
        Answer::Take(1),
    ]);
    writer.write_line(b"{\"a\":1}\n");
    assert!(writer.flush(LONG));
    assert_eq!((memory.text().as_str(), writer.write_errors_total()), ("{\"a\":1}\n", 0));
}

#[test]
fn an_error_is_counted_and_the_line_after_a_torn_one_is_whole() {
    let (writer, memory) = flaky(vec![Answer::Take(3), Answer::Fail(io::ErrorKind::BrokenPipe)]);
    writer.write_line(b"{\"a\":1}\n");
    assert!(!writer.flush(LONG), "not all was written");
    assert_eq!((writer.write_errors_total(), writer.lines_dropped_total()), (1, 1));
    writer.write_line(b"{\"b\":2}\n");
    assert!(writer.flush(LONG));
    assert_eq!(memory.text(), "{\"a\n{\"b\":2}\n");
}

#[test]
fn a_sink_that_panics_or_takes_nothing_is_survived() {
    let (writer, memory) = flaky(vec![Answer::Panic, Answer::Take(0)]);
    for line in ["one\n", "two\n", "three\n"] {
        writer.write_line(line.as_bytes());
        writer.flush(LONG);
    }
    assert_eq!(memory.text(), "three\n");
    assert_eq!((writer.write_errors_total(), writer.lines_dropped_total()), (2, 2));
}

#[test]
fn a_sink_that_logs_does_not_log_for_ever() {
    struct Echo(Arc<Mutex<Option<LogWriter>>>);
    impl Write for Echo {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if let Some(writer) = &*self.0.lock().unwrap() {
                assert!(!writer.write_line(b"I wrote something\n"));
            }
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let slot = Arc::new(Mutex::new(None));
    let writer = LogWriter::new(Echo(Arc::clone(&slot))).unwrap();
    *slot.lock().unwrap() = Some(writer.clone());
    writer.write_line(b"hello\n");
    assert!(writer.flush(LONG));
    assert_eq!(writer.lines_dropped_total(), 1);
    slot.lock().unwrap().take();
}
