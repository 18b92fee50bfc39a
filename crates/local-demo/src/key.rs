//! Makes the random key of the demo's filter.

use std::fs::File;
use std::io::Read;

use local_envoy::{Error, Result};

const RANDOM: &str = "/dev/urandom";

/// A value for `STICKY_SESSIONS_KEYS`. Without it the filter makes a key itself and logs a warning.
pub(crate) fn random() -> Result<String> {
    let mut secret = [0; 32];
    File::open(RANDOM)
        .and_then(|mut random| random.read_exact(&mut secret))
        .map_err(|error| Error::new(format!("{RANDOM}, which the demo's key comes from, cannot be read: {error}")))?;
    Ok(format!("demo:{}", data_encoding::BASE64.encode(&secret)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_is_32_bytes_of_base64_and_never_the_same() {
        let key = random().unwrap();
        let secret = key.strip_prefix("demo:").unwrap();
        assert_eq!(data_encoding::BASE64.decode(secret.as_bytes()).unwrap().len(), 32);
        assert_ne!(key, random().unwrap());
    }
}
