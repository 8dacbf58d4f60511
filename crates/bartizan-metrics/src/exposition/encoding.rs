//! Whether a page is compressed, and how.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use http::HeaderValue;

use super::accept::items;

/// What a page is compressed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Gzip,
    #[cfg(feature = "zstd")]
    Zstd,
}

impl Encoding {
    /// What is offered, the better one first.
    const OFFERED: &[Self] = &[
        #[cfg(feature = "zstd")]
        Self::Zstd,
        Self::Gzip,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            #[cfg(feature = "zstd")]
            Self::Zstd => "zstd",
        }
    }

    /// The encoding that a request asks for, by its `accept-encoding` headers; `None` for none.
    ///
    /// The highest weight wins; at equal weights any encoding wins over none, and the better one
    /// over the other. `*` stands for what is not named, but only for gzip: who does not name zstd
    /// may not know it.
    pub(super) fn negotiate<'a>(accept: impl IntoIterator<Item = &'a HeaderValue>) -> Option<Self> {
        let mut weights = [None; Self::OFFERED.len()];
        let (mut any, mut identity) = (None, None);
        for coding in items(accept) {
            let offered = Self::OFFERED.iter().position(|offered| {
                coding.is(offered.name()) || *offered == Self::Gzip && coding.is("x-gzip")
            });
            if let Some(weight) = offered.and_then(|place| weights.get_mut(place)) {
                *weight = Some(coding.weight);
            } else if coding.is("identity") {
                identity = Some(coding.weight);
            } else if coding.is("*") {
                any = Some(coding.weight);
            }
        }
        let weigh = |(offered, named): (&Self, Option<u16>)| {
            let weight = named.or(if *offered == Self::Gzip { any } else { None })?;
            (weight > 0 && weight >= identity.unwrap_or(0)).then_some((weight, *offered))
        };
        let best = Self::OFFERED
            .iter()
            .zip(weights)
            .filter_map(weigh)
            .reduce(|best, next| if next.0 > best.0 { next } else { best });
        best.map(|(_, encoding)| encoding)
    }
}

/// Compresses a page piece by piece.
pub(super) enum Encoder {
    Gzip(GzEncoder<Vec<u8>>),
    #[cfg(feature = "zstd")]
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
}

impl Encoder {
    #[cfg_attr(not(feature = "zstd"), expect(clippy::unnecessary_wraps, reason = "zstd can fail"))]
    pub(super) fn new(encoding: Encoding) -> io::Result<Self> {
        // Pages repeat themselves so much that more effort gains little.
        Ok(match encoding {
            Encoding::Gzip => Self::Gzip(GzEncoder::new(Vec::new(), Compression::fast())),
            #[cfg(feature = "zstd")]
            Encoding::Zstd => Self::Zstd(zstd::stream::write::Encoder::new(Vec::new(), 1)?),
        })
    }

    pub(super) fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        match self {
            Self::Gzip(encoder) => encoder.write_all(piece),
            #[cfg(feature = "zstd")]
            Self::Zstd(encoder) => encoder.write_all(piece),
        }
    }

    pub(super) fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Gzip(encoder) => encoder.finish(),
            #[cfg(feature = "zstd")]
            Self::Zstd(encoder) => encoder.finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn negotiate(accept: &'static str) -> Option<&'static str> {
        Encoding::negotiate(Some(&HeaderValue::from_static(accept))).map(Encoding::name)
    }

    #[test]
    fn gzip_goes_to_those_who_ask() {
        for (accept, gzip) in [
            ("gzip", true),
            ("gzip, deflate, br", true),
            ("GZIP;q=0.5", true),
            ("x-gzip", true),
            ("*", true),
            ("gzip;q=1.0, identity; q=0.5, *;q=0", true),
            ("gzip;q=0", false),
            ("gzip;q=0, *", false),
            ("gzip;q=0.4, identity;q=0.5", false),
            ("identity", false),
            ("br", false),
            ("", false),
            ("gzip;q=maybe", false),
        ] {
            assert_eq!(negotiate(accept), gzip.then_some("gzip"), "{accept}");
        }
        assert!(Encoding::negotiate(None).is_none());
    }

    #[test]
    fn zstd_goes_to_those_who_name_it_where_it_is_built_in() {
        let built_in = cfg!(feature = "zstd");
        for (accept, with, without) in [
            ("zstd", Some("zstd"), None),
            ("gzip, deflate, br, zstd", Some("zstd"), Some("gzip")),
            ("gzip, zstd;q=0.9", Some("gzip"), Some("gzip")),
            ("gzip;q=0.5, zstd;q=0.9", Some("zstd"), Some("gzip")),
            ("zstd;q=0, *", Some("gzip"), Some("gzip")),
            ("zstd;q=0.2, identity;q=0.5", None, None),
        ] {
            assert_eq!(negotiate(accept), if built_in { with } else { without }, "{accept}");
        }
    }
}
