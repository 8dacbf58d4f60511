//! What is unusual about a router, its requests or its answers.

use std::fmt;
use std::str::FromStr;

/// The size of what is sent, and of what answers it. Written as `routes=4,headers=8,chunks=0,chunk=0`, which is the usual one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Routes that requests go to in turn; the router has no fewer than four.
    pub routes: u32,
    /// Header fields of a request.
    pub headers: usize,
    /// Chunks of the answer's body; 0 is the small JSON.
    pub chunks: usize,
    /// Bytes of a chunk.
    pub chunk: usize,
}

impl Shape {
    /// One route, eight headers, the small JSON.
    pub const USUAL: Self = Self { routes: 1, headers: 8, chunks: 0, chunk: 0 };
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { routes, headers, chunks, chunk } = self;
        write!(f, "routes={routes},headers={headers},chunks={chunks},chunk={chunk}")
    }
}

impl FromStr for Shape {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut shape = Self::USUAL;
        for part in text.split(',') {
            let wrong = || format!("{part:?} is no part of a shape such as {}", Self::USUAL);
            let (name, value) = part.split_once('=').ok_or_else(wrong)?;
            let value: u32 = value.parse().map_err(|_| wrong())?;
            match name {
                "routes" => shape.routes = value,
                "headers" => shape.headers = value as usize,
                "chunks" => shape.chunks = value as usize,
                "chunk" => shape.chunk = value as usize,
                _ => return Err(wrong()),
            }
        }
        Ok(shape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_is_read_as_it_is_written() {
        let shape = Shape { routes: 10, headers: 64, chunks: 3, chunk: 1024 };
        assert_eq!(shape.to_string().parse(), Ok(shape));
        assert!("routes=many".parse::<Shape>().is_err());
    }
}
