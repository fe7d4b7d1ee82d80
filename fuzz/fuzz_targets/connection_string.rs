//! Connection strings: what is read comes back equal; what is not is told with a place inside the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use qws_config::ConnectionString;

fuzz_target!(|text: &str| {
    match text.parse::<ConnectionString>() {
        Ok(string) => {
            let again: ConnectionString = string.reveal().expose().parse().expect("what is revealed is read");
            assert_eq!(again, string);
            assert!(string.endpoint().as_url().scheme() == "https" || string.endpoint().is_loopback());
        }
        Err(error) => {
            assert!(text.is_char_boundary(error.at().expect("every error has a place")), "{error}");
            assert!(error.render(text).lines().count() >= 3, "{error}");
        }
    }
});
