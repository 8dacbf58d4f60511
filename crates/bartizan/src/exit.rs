//! How a process ends: one line for people, one code for supervisors.

use std::error::Error;
use std::fmt;
use std::process::{ExitCode, Termination};

use bartizan_health::StartupError;

use crate::error::{InitError, ServeError};
use crate::start::StartError;

/// What `main` returns so that a failure is one line on standard error, and its exit code tells what kind it was.
///
/// | code | after |
/// |--:|---|
/// | 0 | success, or an end that was asked for |
/// | 1 | any other error |
/// | 69 | a startup check that did not pass ([`StartupError::EXIT_CODE`], `EX_UNAVAILABLE`) |
/// | 78 | a wrong setting ([`InitError`], `EX_CONFIG`) |
/// | 143 | a signal to stop during the startup checks, as of a process that SIGTERM ended |
///
/// ```no_run
/// use bartizan::{Exit, Observability};
///
/// #[tokio::main]
/// async fn main() -> Exit {
///     run().await.into()
/// }
///
/// async fn run() -> Result<(), Box<dyn std::error::Error>> {
///     let observability = Observability::builder("orders").init()?;
///     observability.start().await?;
///     Ok(())
/// }
/// ```
///
/// Errors are recognised as they are, or boxed; one that another error wraps ends with 1.
pub struct Exit(Result<(), Box<dyn Error>>);

impl Exit {
    /// The code of a wrong setting: `EX_CONFIG` of `sysexits.h`.
    pub const CONFIG: u8 = 78;
    /// The code after SIGTERM during the startup checks: 128 + 15, as shells have it.
    pub const STOPPED: u8 = 143;

    /// The code of the table above.
    ///
    /// ```
    /// use bartizan::Exit;
    ///
    /// assert_eq!(Exit::from(Ok::<_, std::io::Error>(())).code(), 0);
    /// assert_eq!(Exit::from(Err(std::io::Error::other("no port"))).code(), 1);
    /// ```
    pub fn code(&self) -> u8 {
        let Err(error) = &self.0 else { return 0 };
        if error.is::<InitError>() {
            return Self::CONFIG;
        }
        match error.downcast_ref::<StartError>() {
            Some(StartError::Check(_)) => return StartupError::EXIT_CODE,
            Some(StartError::Stopped) => return Self::STOPPED,
            None => {}
        }
        let not_started = matches!(error.downcast_ref(), Some(ServeError::Startup(_)));
        if not_started || error.is::<StartupError>() { StartupError::EXIT_CODE } else { 1 }
    }
}

impl<E: Into<Box<dyn Error>>> From<Result<(), E>> for Exit {
    fn from(result: Result<(), E>) -> Self {
        Self(result.map_err(Into::into))
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        if self.0.is_err() {
            eprintln!("{self}");
        }
        ExitCode::from(self.code())
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Ok(()) => f.write_str("success"),
            Err(error) => write!(f, "error: {error} (exit code {})", self.code()),
        }
    }
}

impl fmt::Debug for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Exit").field(&self.code()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bartizan_health::{CheckOptions, Registry, Startup};

    use super::*;

    fn exit<E: Into<Box<dyn Error>>>(error: E) -> Exit {
        Exit::from(Err(error))
    }

    #[tokio::test]
    async fn a_startup_check_that_fails_ends_with_69_however_it_comes() {
        let registry = Registry::new();
        let refused = || async { Err::<(), _>("refused by postgres://app:s3cret@db") };
        registry.register_with("database", refused, CheckOptions::new().startup(true)).unwrap();
        let error = registry.start(Startup::new().deadline(Duration::ZERO)).await.unwrap_err();
        let boxed: Box<dyn Error> = StartError::from(error.clone()).into();
        for exit in [
            exit(error.clone()),
            exit(StartError::from(error.clone())),
            exit(ServeError::from(error)),
            exit(boxed),
        ] {
            assert_eq!(exit.code(), 69);
            let text = exit.to_string();
            assert!(text.contains("`database`") && text.ends_with("(exit code 69)"), "{text}");
            assert!(text.contains("refused by postgres://[REDACTED]@db"), "{text}");
            assert_eq!(text.lines().count(), 1);
        }
        assert_eq!(exit(StartError::Stopped).code(), 143);
    }

    #[test]
    fn a_wrong_setting_ends_with_78_and_anything_else_with_1() {
        assert_eq!(exit(InitError::variable("DRAIN_DELAY", "soon", "a duration")).code(), 78);
        assert_eq!(exit("no port").code(), 1);
    }
}
