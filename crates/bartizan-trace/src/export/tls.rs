//! What an `https` collector must prove.

use std::sync::Arc;

use hyper_rustls::ConfigBuilderExt;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tonic::transport::{Certificate, ClientTlsConfig};

use crate::setup::{Ca, SetupError};

/// For hyper: ring, TLS 1.2 or later, the given authority or Mozilla's.
///
/// The cryptography is named here, so that what else is in the program makes no difference.
pub(super) fn http_config(ca: Option<&Ca>) -> Result<ClientConfig, SetupError> {
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| SetupError::Exporter(error.to_string()))?;
    let builder = match ca {
        Some(ca) => builder.with_root_certificates(roots(ca)?),
        None => builder.with_webpki_roots(),
    };
    Ok(builder.with_no_client_auth())
}

/// For tonic, which makes the same of it.
pub(super) fn grpc_config(ca: Option<&Ca>) -> Result<ClientTlsConfig, SetupError> {
    let Some(ca) = ca else { return Ok(ClientTlsConfig::new().with_webpki_roots()) };
    roots(ca)?;
    Ok(ClientTlsConfig::new().ca_certificate(Certificate::from_pem(&ca.pem)))
}

fn roots(ca: &Ca) -> Result<RootCertStore, SetupError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&ca.pem) {
        let certificate = certificate.map_err(|_| Ca::invalid(ca.setting, "names a file that is not PEM"))?;
        roots
            .add(certificate)
            .map_err(|_| Ca::invalid(ca.setting, "names a file with a broken certificate"))?;
    }
    if roots.is_empty() {
        return Err(Ca::invalid(ca.setting, "names a file without a certificate"));
    }
    Ok(roots)
}
