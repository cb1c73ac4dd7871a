//! A gzip stream of a few bytes and very many blanks.

use bytes::Bytes;

/// The longest match of deflate, and how many of them are in one block.
const MATCH: usize = 258;
const MATCHES: usize = 254;
/// The blanks of one block: one as it is, the others copies of the one before.
const RUN: usize = 1 + MATCH * MATCHES;
/// The most that a stored block can hold.
const STORED: usize = 0xFFFF;
/// A magic number, deflate, no flags, no time, no system.
const HEADER: [u8; 10] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF];

/// Packs runs of blanks, and stores all else as it is.
#[derive(Debug)]
pub(crate) struct Packer {
    started: bool,
    run: Vec<u8>,
    table: Vec<u32>,
    crc: u32,
    size: u32,
}

impl Packer {
    pub(crate) fn new() -> Self {
        Self {
            started: false,
            run: run_of_blanks(),
            table: (0..=0xFF).map(remainder).collect(),
            crc: !0,
            size: 0,
        }
    }

    /// The packed form of the next piece, or what is left to say at the end.
    pub(crate) fn pack(&mut self, piece: Option<Bytes>) -> Bytes {
        let mut out = Vec::new();
        if !self.started {
            out.extend_from_slice(&HEADER);
            self.started = true;
        }
        let Some(mut piece) = piece else {
            stored(&mut out, &[], true);
            out.extend_from_slice(&(!self.crc).to_le_bytes());
            out.extend_from_slice(&self.size.to_le_bytes());
            return out.into();
        };
        self.note(&piece);
        while !piece.is_empty() {
            let run = piece.get(..RUN).is_some_and(|run| run.iter().all(|byte| *byte == b' '));
            if run {
                out.extend_from_slice(&self.run);
                let _ = piece.split_to(RUN);
            } else {
                let part = piece.split_to(piece.len().min(STORED));
                stored(&mut out, &part, false);
            }
        }
        out.into()
    }

    fn note(&mut self, piece: &[u8]) {
        for byte in piece {
            let [low, ..] = self.crc.to_le_bytes();
            let row = usize::from(low ^ byte);
            self.crc = (self.crc >> 8) ^ self.table.get(row).copied().unwrap_or_default();
        }
        // The size is told modulo 2^32.
        let size = u64::from(self.size) + u64::try_from(piece.len()).unwrap_or_default();
        self.size = u32::try_from(size & 0xFFFF_FFFF).unwrap_or_default();
    }
}

/// A row of the table of CRC-32.
fn remainder(byte: u32) -> u32 {
    (0..8).fold(byte, |crc, _| (crc >> 1) ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 })
}

fn stored(out: &mut Vec<u8>, part: &[u8], last: bool) {
    let length = u16::try_from(part.len()).unwrap_or_default();
    out.push(u8::from(last));
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&(!length).to_le_bytes());
    out.extend_from_slice(part);
}

/// A block with the fixed codes, then an empty stored block, which ends on a whole byte.
fn run_of_blanks() -> Vec<u8> {
    let mut bits = Bits::default();
    bits.number(0b010, 3);
    bits.code(0x30 + u32::from(b' '), 8);
    for _ in 0..MATCHES {
        // The length 258, and the distance 1.
        bits.code(0b1100_0101, 8);
        bits.code(0, 5);
    }
    bits.code(0, 7);
    bits.number(0, 3);
    let mut out = bits.bytes;
    out.extend_from_slice(&[0, 0, 0xFF, 0xFF]);
    out
}

/// Bits, the lowest of each byte first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: u32,
}

impl Bits {
    fn push(&mut self, bit: bool) {
        if self.used.is_multiple_of(8) {
            self.bytes.push(0);
        }
        if let Some(last) = self.bytes.last_mut() {
            *last |= u8::from(bit) << (self.used % 8);
        }
        self.used += 1;
    }

    /// Numbers stand with their lowest bit first.
    fn number(&mut self, number: u32, bits: u32) {
        (0..bits).for_each(|bit| self.push(number >> bit & 1 == 1));
    }

    /// Codes stand with their highest bit first.
    fn code(&mut self, code: u32, bits: u32) {
        (0..bits).rev().for_each(|bit| self.push(code >> bit & 1 == 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_of_two_letters_is_what_gzip_makes_of_it() {
        let mut packer = Packer::new();
        let mut out = packer.pack(Some(Bytes::from_static(b"ab"))).to_vec();
        out.extend_from_slice(&packer.pack(None));
        let crc = [0x6D, 0x48, 0x83, 0x9E];
        let expected =
            [&HEADER[..], &[0, 2, 0, 0xFD, 0xFF, b'a', b'b', 1, 0, 0, 0xFF, 0xFF], &crc, &[2, 0, 0, 0]];
        assert_eq!(out, expected.concat());
    }

    #[test]
    fn blanks_take_little_room() {
        let mut packer = Packer::new();
        packer.pack(None);
        let run = packer.pack(Some(vec![b' '; RUN * 4].into()));
        assert!(run.len() * 150 < RUN * 4, "{}", run.len());
    }
}
