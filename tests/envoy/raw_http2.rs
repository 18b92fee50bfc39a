//! HTTP/2 by hand, so that a request can have fields that no library would send.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use harness::PATIENCE;

/// A field of a request: a name and a value, in the bytes that are sent.
pub(crate) type Field<'a> = (&'a [u8], &'a [u8]);

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It was answered with 200.
    Served,
    /// It was answered with another status, or its stream or its connection was ended.
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

/// No more of a block stands in one frame: RFC 9113 §4.2, the least that every endpoint takes.
const MAX_FRAME: usize = 16_384;

/// Sends a request with just these fields, and with these trailers if there are some, on a connection of its own.
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
    // Envoy may have refused it before it has read all.
    let _ = connection.write_all(&request);
    fate(&mut connection)
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Fields as one block, in as many frames as it takes.
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

/// RFC 7541 §6.2.2: a literal field without indexing and with a name of its own.
fn literal(name: &[u8], value: &[u8]) -> Vec<u8> {
    [&[0], length(name.len()).as_slice(), name, &length(value.len()), value].concat()
}

/// RFC 7541 §5.1, with a prefix of 7 bits and without Huffman's code.
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

/// RFC 7541 appendix A: `:status: 200` is the eighth entry of the static table. Before it the size of the table may change.
fn is_200(block: &[u8]) -> bool {
    block.iter().find(|byte| **byte & 0b1110_0000 != 0b0010_0000) == Some(&(0x80 | 8))
}
