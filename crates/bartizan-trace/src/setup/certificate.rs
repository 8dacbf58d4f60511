//! The file of certificates that an `https` collector is checked against.

use std::path::PathBuf;

use super::error::SetupError;

/// The file as it was set, not yet read.
#[derive(Clone, Debug)]
pub(super) struct Certificate {
    /// The variable or the method that set it, for errors.
    pub(super) setting: &'static str,
    pub(super) file: PathBuf,
}

/// What was in the file, not yet understood.
#[cfg_attr(not(feature = "otlp-tls"), allow(dead_code))]
pub(crate) struct Ca {
    pub(crate) setting: &'static str,
    pub(crate) pem: Vec<u8>,
}

impl Certificate {
    pub(super) fn read(self) -> Result<Ca, SetupError> {
        match std::fs::read(&self.file) {
            Ok(pem) => Ok(Ca { setting: self.setting, pem }),
            Err(error) => {
                Err(Ca::invalid(self.setting, format!("names a file that cannot be read ({})", error.kind())))
            }
        }
    }
}

impl Ca {
    /// The error for what is not a usable certificate.
    pub(crate) fn invalid(setting: &'static str, found: impl Into<String>) -> SetupError {
        let fix = "mount the certificate of the authority that signed the collector's";
        SetupError::invalid(setting, found, "a PEM file with at least one certificate", fix)
    }
}
