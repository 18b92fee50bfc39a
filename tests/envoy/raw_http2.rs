//! Writes HTTP/2 frames by hand, because a library would not send invalid fields.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use harness::PATIENCE;

/// A field of a request: the bytes of its name and of its value.
pub(crate) type Field<'a> = (&'a [u8], &'a [u8]);

/// The result of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The answer has status 200.
    Served,
    /// The answer has another status, or Envoy ended the stream or the connection.
    Refused,
}

/// The pseudo fields of a request for `/`.
pub(crate) const GET: [Field<'static>; 4] =
    [(b":method", b"GET"), (b":scheme", b"http"), (b":authority", b"test"), (b":path", b"/")];

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// The most bytes in a frame, which every endpoint must accept (RFC 9113, section 4.2).
const MAX_FRAME: usize = 16_384;

/// Sends a request with exactly these fields and trailers on a connection of its own.
#[track_caller]
pub(crate) fn send(server: SocketAddr, fields: &[Field<'_>], trailers: &[Field<'_>]) -> Fate {
    let mut connection = TcpStream::connect(server).unwrap();
    connection.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut request = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    request.extend(frame(SETTINGS, 0, 0, b""));
    request.extend(block(fields, if trailers.is_empty() { END_STREAM } else { 0 }));
    if !trailers.is_empty() {
        request.extend(frame(DATA, 0, 1, b"body"));
        request.extend(block(trailers, END_STREAM));
    }
    // Writing fails when Envoy refuses the request before it has read everything.
    let _ = connection.write_all(&request);
    fate(&mut connection)
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Writes the fields as one block, in as many frames as are needed.
fn block(fields: &[Field<'_>], flags: u8) -> Vec<u8> {
    let bytes: Vec<u8> = fields.iter().flat_map(|(name, value)| literal(name, value)).collect();
    let pieces: Vec<&[u8]> = bytes.chunks(MAX_FRAME).collect();
    let frames = pieces.iter().enumerate().map(|(position, piece)| {
        let end = if position + 1 == pieces.len() { END_HEADERS } else { 0 };
        let (kind, flags) = if position == 0 { (HEADERS, flags | end) } else { (CONTINUATION, end) };
        frame(kind, flags, 1, piece)
    });
    frames.flatten().collect()
}

/// Writes a literal field without indexing, with a new name (RFC 7541, section 6.2.2).
fn literal(name: &[u8], value: &[u8]) -> Vec<u8> {
    [&[0], length(name.len()).as_slice(), name, &length(value.len()), value].concat()
}

/// Writes a length with a prefix of 7 bits, for a string without Huffman code (RFC 7541, section 5.1).
fn length(mut length: usize) -> Vec<u8> {
    let Some(mut rest) = length.checked_sub(127) else { return vec![u8::try_from(length).unwrap()] };
    let mut bytes = vec![127];
    while rest >= 128 {
        bytes.push(u8::try_from(rest % 128 + 128).unwrap());
        rest /= 128;
    }
    length = rest;
    bytes.push(u8::try_from(length).unwrap());
    bytes
}

fn fate(connection: &mut TcpStream) -> Fate {
    loop {
        let mut head = [0; 9];
        if connection.read_exact(&mut head).is_err() {
            return Fate::Refused;
        }
        let size = usize::try_from(u32::from_be_bytes([0, head[0], head[1], head[2]])).unwrap();
        let mut payload = vec![0; size];
        if connection.read_exact(&mut payload).is_err() {
            return Fate::Refused;
        }
        match head[3] {
            HEADERS if is_200(&payload) => return Fate::Served,
            HEADERS | RST_STREAM | GOAWAY => return Fate::Refused,
            _ => (),
        }
    }
}

/// Returns `true` if a block begins with `:status: 200`, the eighth entry of the static table (RFC 7541, appendix A). A change
/// of the table size may come before it.
fn is_200(block: &[u8]) -> bool {
    block.iter().find(|byte| **byte & 0b1110_0000 != 0b0010_0000) == Some(&(0x80 | 8))
}
