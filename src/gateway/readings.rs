//! The readings of a path: the texts to which different servers decode it.

use percent_encoding::percent_decode_str;

/// The number of layers of percent-encoding that are removed.
const LAYERS_MAX: usize = 4;

/// Every text that a server may decode `encoded` to: up to [`LAYERS_MAX`] layers of encoding are removed, each strictly or
/// leniently. Also returns whether that removed all layers.
pub(super) fn readings(encoded: &str) -> (Vec<String>, bool) {
    let mut readings = vec![encoded.to_owned()];
    let mut newest = readings.clone();
    for _ in 0..LAYERS_MAX {
        let before = readings.len();
        for reading in newest.iter().flat_map(|text| [strictly_decoded(text), leniently_decoded(text)]) {
            if !readings.contains(&reading) {
                readings.push(reading);
            }
        }
        newest = readings.iter().skip(before).cloned().collect();
        if newest.is_empty() {
            return (readings, true);
        }
    }
    (readings, false)
}

/// Decodes as the standards say (RFC 3986 section 2.1, RFC 3629).
fn strictly_decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Decodes as lenient servers do: they also accept `%u0062`, and overlong UTF-8.
fn leniently_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        rest = after;
        if let Some((byte, after)) = hexadecimal(after, 2) {
            bytes.extend(u8::try_from(byte));
            rest = after;
        } else if let Some((unit, after)) = after.strip_prefix(['u', 'U']).and_then(|digits| hexadecimal(digits, 4)) {
            let character = char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER);
            bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            rest = after;
        } else {
            bytes.push(b'%');
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    leniently_read(&bytes)
}

/// Splits a hexadecimal number of `length` digits from `text`.
fn hexadecimal(text: &str, length: usize) -> Option<(u32, &str)> {
    let (digits, rest) = text.split_at_checked(length)?;
    let is_number = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    u32::from_str_radix(digits, 16).ok().filter(|_| is_number).map(|number| (number, rest))
}

/// Reads UTF-8 as before RFC 3629: a character may have up to six bytes, and more than it needs.
fn leniently_read(bytes: &[u8]) -> String {
    let mut text = String::new();
    let mut rest = bytes;
    while let Some((&first, after)) = rest.split_first() {
        let length = first.leading_ones() as usize;
        let following = after.get(..length.saturating_sub(1)).filter(|_| (2..=6).contains(&length));
        let following = following.filter(|following| following.iter().all(|byte| byte.leading_ones() == 1));
        let (code, used) = match following {
            _ if first.is_ascii() => (u32::from(first), 0),
            Some(following) => {
                let start = u32::from(first) & (0x7f >> length);
                (following.iter().fold(start, |code, byte| code << 6 | u32::from(byte & 0x3f)), following.len())
            }
            None => (u32::from(char::REPLACEMENT_CHARACTER), 0),
        };
        text.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
        rest = after.get(used..).unwrap_or_default();
    }
    text
}

/// Normalizes `path` as a lenient server does: backslashes are slashes, repeated slashes are one, and the parameters after a
/// semicolon and the dot segments (RFC 3986 section 5.2.4) are removed.
pub(super) fn canonical(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    let is_directory = path.ends_with(['/', '\\']);
    for segment in path.split(['/', '\\']) {
        match segment.split(';').next().unwrap_or_default().trim() {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            name => segments.push(name),
        }
    }
    let slash = if is_directory && !segments.is_empty() { "/" } else { "" };
    format!("/{}{slash}", segments.join("/"))
}
