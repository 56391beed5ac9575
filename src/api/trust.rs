//! Why a server's certificate was not taken.
//!
//! What lives here: [`Distrust`], found among the causes of the HTTP library's error, and what helps against it. What this
//! file must not know: what is trusted, and what is done about it; `exchange` and `retry` know.

use std::error::Error as StdError;
use std::io;

use rustls::CertificateError;

/// What is wrong with the certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Distrust {
    /// Nobody who is trusted here has signed it.
    Authority,
    /// It is not valid at this time.
    Time,
    /// It is another server's.
    Name,
    /// Anything else.
    Other,
}

impl Distrust {
    /// What it is, if it is a certificate that ended the connection.
    pub(super) fn of(error: &(dyn StdError + 'static)) -> Option<Self> {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(rustls::Error::InvalidCertificate(why)) = error.downcast_ref() {
                return Some(Self::why(why));
            }
            // One that an I/O error was made of is not among its causes.
            cause = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
                Some(inner) => Some(inner),
                None => error.source(),
            };
        }
        None
    }

    fn why(why: &CertificateError) -> Self {
        match why {
            CertificateError::UnknownIssuer => Self::Authority,
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => Self::Time,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Self::Name,
            _ => Self::Other,
        }
    }

    /// What to do about it.
    pub(super) fn hint(self) -> &'static str {
        match self {
            Self::Authority => {
                "no trusted authority has signed it: if a proxy or gateway of your own stands in between, name a PEM file with \
                 its authority by SSL_CERT_FILE; it takes the place of the system's"
            }
            Self::Time => {
                "check this machine's clock; if it is right, the certificate has to be renewed where it is served"
            }
            Self::Name => "check the API's URL; a proxy or login page may stand in between",
            Self::Other => "check the API's URL, and what stands between this machine and it",
        }
    }
}
